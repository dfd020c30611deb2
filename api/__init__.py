"""FastAPI: calls and webhooks in, health and metrics out."""
