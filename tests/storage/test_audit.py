import threading
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text
from sqlalchemy.exc import DatabaseError

from storage import audit
from storage.audit import Entry
from storage.engine import Store
from tests.conftest import NOW
from tests.storage.build import MARIA


def write(store: Store, n: int) -> None:
    with store.write() as tx:
        for i in range(n):
            audit.append(tx, MARIA, "case.assign", f"case:{i}", "why", {"owner": None}, {"owner": "é\x00"}, NOW)


def tamper(store: Store, *statements: str) -> None:
    """As somebody with all rights would: past the triggers."""
    with store.write() as tx:
        if store.dialect == "postgresql":
            tx.execute(text("SET LOCAL session_replication_role = replica"))
        else:
            for name in ("update", "delete"):
                tx.execute(text(f"DROP TRIGGER IF EXISTS audit_{name}"))
        for statement in statements:
            tx.execute(text(statement))


def verdict(store: Store, anchor: audit.Anchor | None = None) -> audit.Verdict:
    with store.read() as read:
        return audit.verify(read, anchor)


def test_an_empty_chain_is_whole(store: Store) -> None:
    assert verdict(store) == audit.Verdict(ok=True, rows=0, head=audit.GENESIS)


def test_a_chain_as_it_was_written_is_whole(store: Store) -> None:
    write(store, 5)
    found = verdict(store)
    assert (found.ok, found.rows, found.broken_at) == (True, 5, None)
    with store.read() as read:
        assert found.head == audit.anchor(read).head
        (newest, *_) = audit.page(read, limit=2)
        assert audit.page(read, subject="case:2")[0].after == {"owner": "é\x00"}
        assert [e.id for e in audit.page(read, before_id=3)] == [2, 1]
    assert (newest.id, newest.actor, newest.before) == (5, "person:maria", {"owner": None})


@pytest.mark.parametrize(
    ("statements", "broken_at"),
    [
        (["UPDATE audit SET reason = 'another' WHERE id = 3"], 3),
        (["UPDATE audit SET actor_subject = 'eve' WHERE id = 1"], 1),
        (["UPDATE audit SET at = '2020-01-01 00:00:00.000000' WHERE id = 2"], 2),
        (["DELETE FROM audit WHERE id = 2"], 2),
        (["DELETE FROM audit WHERE id = 5"], 5),
        (["DELETE FROM audit"], 1),
        (["UPDATE audit SET id = 99 WHERE id = 2", "UPDATE audit SET id = 2 WHERE id = 3"], 2),
        (["DELETE FROM audit WHERE id = 2", "UPDATE audit SET id = id - 1 WHERE id = 3"], 2),
    ],
)
def test_what_was_done_to_it_shows(store: Store, statements: list[str], broken_at: int) -> None:
    write(store, 5)
    tamper(store, *statements)
    found = verdict(store)
    assert (found.ok, found.broken_at) == (False, broken_at), found.why


def test_a_cut_and_sewn_up_end_shows_against_an_anchor(store: Store) -> None:
    write(store, 5)
    with store.read() as read:
        anchor = audit.anchor(read)
        third = read.execute(text("SELECT hash FROM audit WHERE id = 3")).scalar_one()
    tamper(store, "DELETE FROM audit WHERE id > 3", f"UPDATE audit_head SET rows = 3, head = '{third}'")
    assert verdict(store).ok
    assert not verdict(store, anchor).ok
    write(store, 3)
    assert verdict(store).ok
    assert verdict(store, anchor).broken_at == 5


@pytest.mark.parametrize("statement", ["UPDATE audit SET reason = 'x'", "DELETE FROM audit"])
def test_the_database_refuses_to_change_it(store: Store, statement: str) -> None:
    write(store, 1)
    with pytest.raises(DatabaseError, match="only ever added to"), store.write() as tx:
        tx.execute(text(statement))
    assert verdict(store).ok


def test_a_decision_that_was_rolled_back_was_never_written_down(store: Store) -> None:
    def interrupted(tx: Connection) -> None:
        audit.append(tx, MARIA, "case.assign", "case:1", "", None, None, NOW)
        raise RuntimeError("no")

    with pytest.raises(RuntimeError), store.write() as tx:
        interrupted(tx)
    assert verdict(store).rows == 0


def test_many_writers_make_one_chain(store: Store) -> None:
    writers = [threading.Thread(target=write, args=(store, 5)) for _ in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    found = verdict(store)
    assert (found.ok, found.rows) == (True, 20)


plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.text(), st.text(), plain, plain), max_size=5))
def test_any_decision_can_be_proven(fresh: Callable[[], Store], said: list[tuple[str, str, object, object]]) -> None:
    store = fresh()
    with store.write() as tx:
        entries = [Entry(actor=MARIA, action="a", subject=s, reason=r, before=b, after=a) for s, r, b, a in said]
        audit.append_all(tx, entries, NOW)
    assert verdict(store).ok
    assert verdict(store).rows == len(said)
