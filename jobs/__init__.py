"""Carries data from stage to stage; the only place that knows all of them."""
