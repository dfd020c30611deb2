"""Feeds of every dialect to plain entries."""
