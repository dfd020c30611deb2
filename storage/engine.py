"""The database: opened, migrated, copied and brought back.

SQLite: WAL, one writer at a time (BEGIN IMMEDIATE), readers on a connection that cannot write.
PostgreSQL: psycopg 3, imported only if the URL asks for it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import OperationalError

from core.errors import BadInput
from storage.address import address
from storage.backup import backup, restore

__all__ = ["Store", "backup", "check", "current", "open_store", "restore", "revision", "upgrade"]

PRAGMAS = (
    "PRAGMA busy_timeout = 10000",
    "PRAGMA synchronous = NORMAL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA secure_delete = ON",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA cache_size = -65536",
)
WRITER_PRAGMAS = ("PRAGMA journal_mode = WAL", "PRAGMA journal_size_limit = 67108864", *PRAGMAS)


class Store:
    """An open database. Safe to share between threads; not across a fork."""

    def __init__(self, url: str) -> None:
        self._url = address(url)
        self.dialect = self._url.get_backend_name()
        self._writer = writing_engine(self._url)
        self._reader = self._writer if self.dialect == "postgresql" else _reading_engine(self._url)

    def __repr__(self) -> str:
        return f"Store({self._url.render_as_string(hide_password=True)})"

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that may write: kept at the end, undone by an error. On SQLite there is one at a time."""
        with self._writer.begin() as tx:
            yield tx

    @contextmanager
    def read(self, timeout: timedelta = timedelta(seconds=30)) -> Iterator[Connection]:
        """A consistent view that cannot write. `timeout` per statement holds on PostgreSQL."""
        with self._reader.connect() as connection:
            if self.dialect == "postgresql":
                connection = connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
                milliseconds = int(timeout.total_seconds() * 1000)
                connection.execute(text(f"SET LOCAL statement_timeout = {milliseconds:d}"))
            yield connection

    def close(self) -> None:
        """Give all connections back."""
        self._reader.dispose()
        self._writer.dispose()


def open_store(url: str) -> Store:
    """Open a database that `upgrade` has prepared.

    `url` is "sqlite:///path/openear.db" or "postgresql+psycopg://user:password@host/name".

    Raises:
        BadInput: it is not an address we can use, or nothing is there.
    """
    store = Store(url)
    try:
        with store.read() as connection:
            connection.execute(text("SELECT 1"))
    except OperationalError as error:
        store.close()
        where = store._url.render_as_string(hide_password=True)
        raise BadInput(f"the database {where} cannot be opened: prepare it with 'openear db upgrade'") from error
    return store


def writing_engine(url: URL) -> Engine:
    """An engine whose transactions may write."""
    if url.get_backend_name() == "postgresql":
        return create_engine(url, hide_parameters=True, pool_pre_ping=True, pool_size=5, max_overflow=15)
    engine = create_engine(url, hide_parameters=True)
    _tell(engine, WRITER_PRAGMAS, "BEGIN IMMEDIATE")
    return engine


def _reading_engine(url: URL) -> Engine:
    uri = f"file:{quote(url.database or '')}"
    read_only = url.set(database=uri, query={"mode": "ro", "uri": "true"})
    engine = create_engine(read_only, hide_parameters=True)
    _tell(engine, (*PRAGMAS, "PRAGMA query_only = ON"), "BEGIN")
    return engine


def _tell(engine: Engine, pragmas: tuple[str, ...], begin: str) -> None:
    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves: Python's own is deferred and fails under load
        for pragma in pragmas:
            connection.execute(pragma)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)


def upgrade(url: str) -> None:
    """Bring the database to the shape this version needs; does nothing if it has it."""
    from storage import migrate  # alembic is not needed by a page that only reads

    migrate.upgrade(url)


def current(url: str) -> str | None:
    """The revision that the database has; None if it is empty or not there."""
    from storage import migrate

    return migrate.current(url)


def check(url: str) -> None:
    """Raise alembic's error if the tables of the code are not those of the migrations."""
    from storage import migrate

    migrate.check(url)


def revision(message: str) -> str:
    """Write the next migration from the tables; return its path. For developers."""
    from storage import migrate

    return migrate.revision(message)
