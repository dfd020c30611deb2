"""What we remember; the only folder that speaks SQL."""
