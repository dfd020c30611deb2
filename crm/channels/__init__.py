"""One file a channel that can publish a reply."""
