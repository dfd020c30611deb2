"""One file a channel that can publish a reply. None yet: replies are copied and posted by a person."""
