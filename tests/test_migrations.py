"""The migrations make the tables that the code has, and can be undone."""

from pathlib import Path

import pytest
from sqlalchemy import create_engine, inspect

from storage import engine, migrate
from tests.storage.conftest import POSTGRES, postgres

__all__ = ["POSTGRES", "postgres"]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'new' / 'openear.db'}"
    return str(request.getfixturevalue("postgres"))


def test_up_check_down_up(empty: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)  # no alembic.ini anywhere near
    engine.upgrade(empty)
    engine.check(empty)
    assert engine.current(empty) == migrate.head()
    engine.upgrade(empty)
    migrate.downgrade(empty, "base")
    assert engine.current(empty) is None
    connected = create_engine(empty)
    assert set(inspect(connected).get_table_names()) <= {"alembic_version"}
    connected.dispose()
    engine.upgrade(empty)
    engine.check(empty)


def test_the_steps_are_numbered_and_follow_each_other() -> None:
    names = sorted(path.name for path in (migrate.FOLDER / "versions").glob("[0-9]*.py"))
    assert [int(name[:4]) for name in names] == list(range(1, len(names) + 1))
    assert migrate.head() == names[-1][:4]
