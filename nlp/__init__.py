"""Text to Scores."""
