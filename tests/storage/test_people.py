from datetime import timedelta

import pytest
from sqlalchemy import select

from core.actor import Role
from core.errors import BadInput, Forbidden
from storage import audit, people
from storage.engine import Store
from storage.people import Person
from storage.tables import person, sign_in
from tests.conftest import NOW
from tests.storage.build import HOUR, MARIA

PASSWORD = "four words make one"


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people, "COST", (2**4, 8, 1))


def add(store: Store, name: str = "Maria", role: Role = Role.AGENT) -> Person:
    with store.write() as tx:
        people.add(tx, name, PASSWORD, role, MARIA, NOW)
        found = people.one(tx, name)
    assert found is not None
    return found


def test_the_right_password_lets_in_and_no_other(store: Store) -> None:
    maria = add(store)
    with store.read() as read:
        assert people.check_password(read, " MARIA ", PASSWORD) == maria
        assert people.check_password(read, "maria", PASSWORD + "!") is None
        assert people.check_password(read, "nobody", PASSWORD) is None
        kept = read.execute(select(person.c.password_hash)).scalar_one()
    assert kept.startswith("scrypt$")
    assert PASSWORD not in kept


def test_the_same_password_is_kept_differently_for_each(store: Store) -> None:
    add(store), add(store, "paul")
    with store.read() as read:
        assert len(set(read.execute(select(person.c.password_hash)).scalars())) == 2


@pytest.mark.parametrize(("name", "password"), [("", PASSWORD), ("maria", PASSWORD), ("paul", "short")])
def test_who_cannot_be_added(store: Store, name: str, password: str) -> None:
    add(store)
    with store.write() as tx, pytest.raises(BadInput):
        people.add(tx, name, password, Role.AGENT, MARIA, NOW)


def test_a_session_ends_by_itself_and_by_us(store: Store) -> None:
    maria = add(store)
    with store.write() as tx:
        token = people.open_session(tx, maria, NOW)
        assert token not in repr(tx.execute(select(sign_in)).all())
        assert people.session_person(tx, token, NOW + timedelta(minutes=14)) == maria
        assert people.session_person(tx, token, NOW + timedelta(minutes=16)) is None
        assert people.session_person(tx, "guess", NOW) is None
        people.touch_session(tx, token, NOW + timedelta(hours=7, minutes=50))
        assert people.session_person(tx, token, NOW + timedelta(hours=7, minutes=55)) == maria
        assert people.session_person(tx, token, NOW + 8 * HOUR) is None
        other = people.open_session(tx, maria, NOW)
        people.end_session(tx, other, NOW)
        assert people.session_person(tx, other, NOW) is None


def test_who_is_disabled_or_changes_the_password_is_out_everywhere(store: Store) -> None:
    maria = add(store)
    with store.write() as tx:
        token = people.open_session(tx, maria, NOW)
        people.set_password(tx, "maria", "another four words", MARIA, NOW)
        assert people.session_person(tx, token, NOW) is None
        token = people.open_session(tx, maria, NOW)
        people.disable(tx, "maria", MARIA, "left", NOW)
        assert people.session_person(tx, token, NOW) is None
        assert people.check_password(tx, "maria", "another four words") is None
        assert [p.disabled_at for p in people.all(tx)] == [NOW]
        assert {e.action for e in audit.page(tx)} == {
            "person.add",
            "person.sign_in",
            "person.password",
            "person.disable",
        }


@pytest.mark.parametrize(
    ("role", "may"),
    [
        (Role.VIEWER, {Role.VIEWER}),
        (Role.AGENT, {Role.VIEWER, Role.AGENT}),
        (Role.MANAGER, {Role.VIEWER, Role.AGENT, Role.MANAGER}),
        (Role.RECORDS, {Role.VIEWER, Role.RECORDS}),
        (Role.ADMIN, set(Role)),
    ],
)
def test_what_each_role_may_do(role: Role, may: set[Role]) -> None:
    who = Person(id=1, name="maria", role=role, created_at=NOW)
    assert {r for r in Role if who.may(r)} == may
    for wanted in may:
        assert people.require(who, wanted) == who.actor
    for wanted in set(Role) - may:
        with pytest.raises(Forbidden, match="maria"):
            people.require(who, wanted)


def test_a_role_can_be_changed(store: Store) -> None:
    add(store)
    with store.write() as tx:
        people.set_role(tx, "maria", Role.MANAGER, MARIA, NOW)
        found = people.one(tx, "maria")
        assert found is not None
        assert found.role == Role.MANAGER
        with pytest.raises(BadInput):
            people.set_role(tx, "nobody", Role.ADMIN, MARIA, NOW)
