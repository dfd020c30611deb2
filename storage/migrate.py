"""Bring a database to the shape this version needs. Works from the installed package, without an alembic.ini.

`python -m storage.migrate "what and why"` writes the next step (that is what `make migrate` does).
"""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import Script, ScriptDirectory
from sqlalchemy import Connection, create_engine, event, text

from storage.address import address, database_file

FOLDER = Path(__file__).parent / "migrations"
#: Held while migrating, so that two processes that start together do not both do it.
_LOCK = 0x6F65616D


def config(connection: Connection | None = None) -> Config:
    """Alembic's settings, all of them."""
    made = Config()
    made.set_main_option("script_location", str(FOLDER))
    made.set_main_option("path_separator", "os")
    made.attributes["connection"] = connection
    return made


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    """A connection that may change the shape: one at a time, all of it or nothing."""
    parsed = address(url)
    if parsed.get_backend_name() == "sqlite":
        database_file(parsed).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(parsed, hide_parameters=True)
    if parsed.get_backend_name() == "sqlite":
        event.listen(engine, "connect", lambda connection, _: setattr(connection, "isolation_level", None))
        event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    try:
        with engine.connect() as connection:
            if connection.dialect.name == "sqlite":
                _prepare_sqlite(connection)
            with connection.begin():
                if connection.dialect.name == "postgresql":
                    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
                yield connection
    finally:
        engine.dispose()


def _prepare_sqlite(connection: Connection) -> None:
    raw = connection.connection.cursor()
    for pragma in ("journal_mode = WAL", "busy_timeout = 60000", "foreign_keys = OFF"):
        raw.execute(f"PRAGMA {pragma}")
    raw.close()


def upgrade(url: str, revision: str = "head") -> None:
    """Bring the database to the shape this version needs; does nothing if it has it."""
    with connected(url) as connection:
        command.upgrade(config(connection), revision)


def downgrade(url: str, revision: str) -> None:
    """Go back to an earlier shape; "base" drops everything."""
    with connected(url) as connection:
        command.downgrade(config(connection), revision)


def check(url: str) -> None:
    """Raise alembic's error if the tables of the code are not those of the migrations."""
    with connected(url) as connection:
        command.check(config(connection))


def head() -> str:
    """The newest revision."""
    return str(ScriptDirectory.from_config(config()).get_current_head())


def current(url: str) -> str | None:
    """The revision that the database has; None if it is empty or not there."""
    parsed = address(url)
    if parsed.get_backend_name() == "sqlite" and not database_file(parsed).exists():
        return None
    engine = create_engine(parsed, hide_parameters=True)
    try:
        with engine.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision()
    finally:
        engine.dispose()


def revision(message: str) -> str:
    """Write the next numbered migration by comparing the tables with an empty database brought to head."""
    numbers = [int(path.name[:4]) for path in (FOLDER / "versions").glob("[0-9]*.py")]
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/empty.db"
        if numbers:
            upgrade(url)
        with connected(url) as connection:
            number = f"{max(numbers, default=0) + 1:04d}"
            made = command.revision(config(connection), message, autogenerate=True, rev_id=number)
    return made.path if isinstance(made, Script) else ""


if __name__ == "__main__":
    revision(sys.argv[1])
