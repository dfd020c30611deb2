"""A small invented city: what a newcomer runs first."""
