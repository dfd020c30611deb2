"""Database addresses: which we take, and where a SQLite file lies."""

from pathlib import Path

from sqlalchemy import make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError

from core.errors import BadInput


def address(url: str) -> URL:
    """Read a database address; the password never shows in the error.

    Raises:
        BadInput: it is not one of ours.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise BadInput("the database address cannot be read: it must begin with sqlite:/// or postgresql://") from None
    name = parsed.get_backend_name()
    if name == "postgresql":
        return parsed.set(drivername="postgresql+psycopg")
    if name == "sqlite" and parsed.database and parsed.database != ":memory:":
        return parsed
    raise BadInput(f"the database must be a SQLite file or PostgreSQL, not {parsed.render_as_string()}")


def database_file(url: URL) -> Path:
    """Where a SQLite database lies."""
    return Path(url.database or "")
