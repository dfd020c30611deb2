from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.actor import Actor
from core.case import CaseRef, Status
from core.errors import CaseRefused, SettingsError
from core.protocols import CaseSystem
from core.settings import Cases, Settings
from crm import registry
from crm.systems.native import NativeTables
from jobs.native import StoredCases
from storage.engine import open_store, upgrade
from tests.crm.memory import MemoryTables, draft

MARIA = Actor(kind="person", issuer="local", subject="maria")


@pytest.fixture
def tables() -> MemoryTables:
    return MemoryTables()


@pytest.fixture(params=["memory", "stored"])
def kept(request: pytest.FixtureRequest, tables: MemoryTables, tmp_path: Path) -> Iterator[NativeTables]:
    """The case tables of these tests, and those of the product."""
    if request.param == "memory":
        yield tables
        return
    url = f"sqlite:///{tmp_path / 'cases.db'}"
    upgrade(url)
    store = open_store(url)
    yield StoredCases(store, tables.tick)
    store.close()


@pytest.fixture(params=sorted(registry.SYSTEMS))
def system(request: pytest.FixtureRequest, kept: NativeTables) -> CaseSystem:
    return registry.build(Settings(cases=Cases(system=request.param)), kept)


def test_the_same_key_gives_the_same_case(system: CaseSystem) -> None:
    first = system.open(draft())
    assert system.open(draft()) == first == system.find(draft().key)
    assert system.open(draft(2)) != first
    assert system.find("mention:mastodon:none") is None


def test_what_was_opened_is_read_back(system: CaseSystem) -> None:
    state = system.read(system.open(draft()))
    assert (state.key, state.status, state.title) == (draft().key, Status.OPEN, "Case 1")


def test_a_status_is_set_and_read_back(system: CaseSystem) -> None:
    ref = system.open(draft())
    for status in Status:
        assert system.set_status(ref, status, MARIA).status is status
        assert system.read(ref).status is status


def test_changes_may_repeat_but_never_skip(system: CaseSystem) -> None:
    refs = [system.open(draft(number)) for number in range(1, 4)]
    states, cursor = system.changes(None)
    assert {state.ref for state in states} == set(refs)
    system.set_status(refs[1], Status.RESOLVED, MARIA)
    later = system.open(draft(9))
    states, after = system.changes(cursor)
    assert {refs[1], later} <= {state.ref for state in states}
    assert system.changes(after)[1] == after


def test_a_case_that_is_not_there_is_refused(system: CaseSystem) -> None:
    for ref in (
        CaseRef(system=system.name, id="99"),
        CaseRef(system="other", id="1"),
        CaseRef(system="native", id="٣"),
    ):
        with pytest.raises(CaseRefused):
            system.read(ref)


def test_every_capability_declared_is_one_of_the_protocol(system: CaseSystem) -> None:
    assert system.capabilities <= {"find_by_key", "comment", "private_comment", "attach", "set_status", "changes"}


def test_notes_keep_who_may_read_them_and_who_wrote_them(tables: MemoryTables) -> None:
    system = registry.build(Settings(), tables)
    ref = system.open(draft())
    system.comment(ref, "called the crew", public=False, actor=MARIA)
    assert tables.notes == [(1, "called the crew", False, "person:maria")]
    with pytest.raises(CaseRefused, match="words"):
        system.comment(ref, " \n", public=True, actor=MARIA)


def test_a_merged_case_is_followed_to_its_survivor_and_circles_end(tables: MemoryTables) -> None:
    system = registry.build(Settings(), tables)
    dead, alive = system.open(draft(1)), system.open(draft(2))
    tables.cases[1] = replace(tables.cases[1], merged_into=alive.id)
    assert system.read(dead).ref == alive
    system.comment(dead, "for the survivor", public=False, actor=MARIA)
    assert tables.notes[0][0] == 2
    tables.cases[2] = replace(tables.cases[2], merged_into=dead.id)
    assert system.read(dead).ref in (dead, alive)


@pytest.mark.parametrize("cursor", ["yesterday", "2026-03-02T15:00:00"])
def test_a_cursor_that_is_not_ours_is_refused(tables: MemoryTables, cursor: str) -> None:
    with pytest.raises(CaseRefused, match="cursor"):
        registry.build(Settings(), tables).changes(cursor)


def test_an_unknown_system_names_the_setting() -> None:
    with pytest.raises(SettingsError, match=r"cases\.system"):
        registry.build(Settings(cases=Cases(system="abacus")), MemoryTables())


@given(st.lists(st.tuples(st.integers(1, 6), st.booleans(), st.integers(0, 119)), max_size=30))
def test_following_changes_sees_every_last_state(steps: list[tuple[int, bool, int]]) -> None:
    """Some changes become visible up to two minutes after their moment; whoever follows misses none."""
    tables = MemoryTables()
    system = registry.build(Settings(), tables)
    seen: dict[str, object] = {}
    cursor: str | None = None
    for number, look, late in steps:
        ref = system.open(draft(number))
        ahead = tables.now
        tables.now = ahead - timedelta(seconds=late)  # a transaction that began earlier and commits only now
        system.set_status(ref, Status.IN_PROGRESS, MARIA)
        tables.now = ahead
        if look:
            states, cursor = system.changes(cursor)
            seen.update({state.ref.id: state for state in states})
    states, _ = system.changes(cursor)
    seen.update({state.ref.id: state for state in states})
    assert seen == {str(case_id): state for case_id, state in tables.cases.items()}
