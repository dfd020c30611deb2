"""The database's shape, step by step. `make migrate` writes a step; a person reads it before it is committed."""
