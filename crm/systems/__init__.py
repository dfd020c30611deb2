"""One file a case system: open, read, comment, changes."""
