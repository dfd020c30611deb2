"""One file a source: a class that fetches, a pure parse(), nothing else."""
