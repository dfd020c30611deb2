"""Both worlds are made once; each test gets its own copy."""

import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import streamlit as st

from storage.engine import upgrade
from tests.dashboard import world
from tests.dashboard.world import World


@pytest.fixture(scope="session")
def present() -> datetime:
    """The pages ask the clock, so their tests live now."""
    return datetime.now(UTC)


@pytest.fixture(scope="session")
def empty_template(tmp_path_factory: pytest.TempPathFactory, present: datetime) -> Path:
    folder = tmp_path_factory.mktemp("empty")
    upgrade(f"sqlite:///{folder / 'openear.db'}")
    made = world.opened(folder)
    world.settle(made, present)
    made.store.close()
    return folder


@pytest.fixture(scope="session")
def full_template(tmp_path_factory: pytest.TempPathFactory, empty_template: Path, present: datetime) -> World:
    folder = tmp_path_factory.mktemp("full")
    shutil.copytree(empty_template, folder, dirs_exist_ok=True)
    made = world.fill(world.opened(folder), present)
    made.store.close()
    return made


@pytest.fixture
def empty(tmp_path: Path, empty_template: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    yield from _copy(tmp_path, World(empty_template, None, {}, {}), monkeypatch)  # type: ignore[arg-type]


@pytest.fixture
def full(tmp_path: Path, full_template: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    yield from _copy(tmp_path, full_template, monkeypatch)


def _copy(tmp_path: Path, template: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    shutil.copytree(template.folder, tmp_path, dirs_exist_ok=True)
    for name in [name for name in os.environ if name.startswith("OPENEAR_") and name != "OPENEAR_REQUIRE"]:
        monkeypatch.delenv(name)
    made = world.opened(tmp_path, template.ids, template.cases)
    for name, value in made.environment.items():
        monkeypatch.setenv(name, value)
    _forget()
    yield made
    _forget()
    made.store.close()


def _forget() -> None:
    """What the pages keep for all sessions belongs to another test's database."""
    st.cache_data.clear()
    st.cache_resource.clear()
