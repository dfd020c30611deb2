"""Measurements; they print ratios and never fail a test on time."""
