"""What pages say about themselves in the words of schema.org."""
