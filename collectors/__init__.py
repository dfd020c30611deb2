"""Source to Mention."""
