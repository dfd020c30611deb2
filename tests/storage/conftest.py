"""A migrated database for each test, on SQLite and, where a server answers, on PostgreSQL."""

import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError

from storage.engine import Store, open_store, upgrade
from storage.tables import metadata
from tests.conftest import missing

POSTGRES = os.environ.get("OPENEAR_TEST_POSTGRES", "postgresql+psycopg://postgres@127.0.0.1:5432/postgres")


def _on_server(statement: str) -> None:
    engine = create_engine(POSTGRES, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            connection.execute(text(statement))
    finally:
        engine.dispose()


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file, to be copied."""
    path = tmp_path_factory.mktemp("template") / "openear.db"
    upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture
def postgres() -> Iterator[str]:
    """The address of an empty PostgreSQL database."""
    name = f"openear_test_{uuid.uuid4().hex[:12]}"
    try:
        _on_server(f"CREATE DATABASE {name}")
    except (OperationalError, ModuleNotFoundError) as error:
        missing("postgres", f"no server at OPENEAR_TEST_POSTGRES: {type(error).__name__}")
    yield make_url(POSTGRES).set(database=name).render_as_string(hide_password=False)
    _on_server(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def postgres_shared() -> Iterator[str]:
    """The address of a migrated PostgreSQL database that all tests use, one after the other."""
    name = f"openear_test_{uuid.uuid4().hex[:12]}"
    try:
        _on_server(f"CREATE DATABASE {name}")
    except (OperationalError, ModuleNotFoundError) as error:
        missing("postgres", f"no server at OPENEAR_TEST_POSTGRES: {type(error).__name__}")
    _on_server(f"ALTER DATABASE {name} SET synchronous_commit = off")
    shared = make_url(POSTGRES).set(database=name).render_as_string(hide_password=False)
    upgrade(shared)
    yield shared
    _on_server(f"DROP DATABASE {name} WITH (FORCE)")


def emptied(url: str) -> str:
    """Take out all rows, past the triggers that forbid it, and number from 1 again; return the address."""
    statements = [
        "SET LOCAL session_replication_role = replica",
        *(f"DELETE FROM {table.name}" for table in metadata.sorted_tables),
        f"INSERT INTO audit_head (id, rows, head) VALUES (1, 0, '{'0' * 64}')",
        "SELECT setval(c.oid, 1, false) FROM pg_class c WHERE relkind = 'S'",
    ]
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql("; ".join(statements))
    engine.dispose()
    return url


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a migrated, empty database."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("template"), tmp_path / "openear.db")
        return f"sqlite:///{tmp_path / 'openear.db'}"
    return emptied(request.getfixturevalue("postgres_shared"))


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    """An open, empty database."""
    opened = open_store(url)
    yield opened
    opened.close()


@pytest.fixture
def sqlite(template: Path, tmp_path: Path) -> Iterator[Store]:
    """An open, empty SQLite database, for what only SQLite does or for tests that repeat often."""
    shutil.copy(template, tmp_path / "only.db")
    opened = open_store(f"sqlite:///{tmp_path / 'only.db'}")
    yield opened
    opened.close()


@pytest.fixture
def fresh(template: Path, tmp_path: Path) -> Iterator[Callable[[], Store]]:
    """Makes one empty SQLite database after another, for hypothesis."""
    opened: list[Store] = []

    def make() -> Store:
        path = tmp_path / f"{uuid.uuid4().hex}.db"
        shutil.copy(template, path)
        opened.append(open_store(f"sqlite:///{path}"))
        return opened[-1]

    yield make
    for store in opened:
        store.close()
