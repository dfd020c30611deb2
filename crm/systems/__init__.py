"""One file a case system."""
