"""What the answers of a platform mean: wire format -> mentions and deletions. Pure."""
