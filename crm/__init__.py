"""Mention and Scores to Case, and the way back to the resident."""
