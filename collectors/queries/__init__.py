"""The parts of collectors.query: tree, reading, matching, dialects. Others import collectors.query."""
