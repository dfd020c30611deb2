import threading
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from core.errors import BadInput
from storage import audit, work
from storage.engine import Store
from storage.work import Unit
from tests.conftest import NOW
from tests.storage.build import HOUR, MARIA

LEASE = timedelta(minutes=5)


def claim(store: Store, unit_id: int | None = None, now: datetime = NOW, owner: str = "one") -> Unit | None:
    with store.write() as tx:
        return work.claim(tx, unit_id, ["score"], now, LEASE, owner)


def add(store: Store, key: str = "a", lane: str = "live", now: datetime = NOW) -> int:
    with store.write() as tx:
        found = work.add(tx, "score", key, {"ids": [1, 2]}, now, lane)
    assert found is not None
    return found


def test_a_unit_is_written_down_once(store: Store) -> None:
    add(store)
    with store.write() as tx:
        assert work.add(tx, "score", "a", {}, NOW) is None
        assert work.add(tx, "link", "a", {}, NOW) is not None
        assert work.counts(tx) == {"score": {"pending": 1}, "link": {"pending": 1}}


def test_a_claimed_unit_is_nobody_elses(store: Store) -> None:
    unit_id = add(store)
    unit = claim(store)
    assert unit is not None
    assert (unit.id, unit.payload, unit.attempts, unit.lease_until) == (unit_id, {"ids": [1, 2]}, 1, NOW + LEASE)
    assert claim(store) is None
    assert claim(store, unit_id) is None


def test_live_goes_before_back_fill_and_old_before_new(store: Store) -> None:
    add(store, "old back-fill", "backfill", NOW - HOUR)
    add(store, "new", now=NOW)
    add(store, "old", now=NOW - HOUR)
    claimed = [claim(store) for _ in range(4)]
    assert [unit and unit.key for unit in claimed] == ["old", "new", "old back-fill", None]


def test_a_failed_unit_comes_back_when_it_is_due(store: Store) -> None:
    unit_id = add(store)
    claim(store)
    with store.write() as tx:
        assert work.fail(tx, unit_id, "busy\x00", NOW, NOW + HOUR, owner="one")
        assert [u.id for u in work.pending(tx, ["score"], 9)] == [unit_id]
        assert work.pending(tx, [], 9, now=NOW) == []
        assert work.oldest(tx) == NOW + HOUR
    assert claim(store) is None
    again = claim(store, now=NOW + HOUR)
    assert again is not None
    assert (again.attempts, again.last_error) == (2, "busy")


def test_a_dead_unit_is_seen_and_a_person_may_retry_it(store: Store) -> None:
    unit_id = add(store)
    claim(store)
    with store.write() as tx:
        work.fail(tx, unit_id, "no such source", NOW, None)
        assert [(u.id, u.last_error) for u in work.dead(tx)] == [(unit_id, "no such source")]
        assert work.retry(tx, unit_id, MARIA, NOW) == "score"
        assert work.dead(tx) == []
        with pytest.raises(BadInput):
            work.retry(tx, unit_id, MARIA, NOW)
        assert [e.actor for e in audit.page(tx)] == ["person:maria"]
    unit = claim(store)
    assert unit is not None
    assert unit.attempts == 1


def test_the_sweeper_frees_what_a_dead_worker_held(store: Store) -> None:
    unit_id = add(store)
    claim(store)
    with store.write() as tx:
        assert work.sweep(tx, NOW + LEASE / 2, 3) == []
        assert work.sweep(tx, NOW + 2 * LEASE, 3) == [("score", unit_id)]
    unit = claim(store, now=NOW + 2 * LEASE)
    assert unit is not None
    assert unit.attempts == 2


def test_a_unit_that_kills_its_worker_ends_among_the_dead(store: Store) -> None:
    unit_id, now = add(store), NOW
    for _ in range(3):
        assert claim(store, now=now) is not None
        now += 2 * LEASE
        with store.write() as tx:
            work.sweep(tx, now, 3)
    with store.read() as read:
        (unit,) = work.dead(read)
    assert (unit.id, unit.attempts) == (unit_id, 3)
    assert "lease" in str(unit.last_error)


def test_the_sweeper_resubmits_what_an_engine_lost(store: Store) -> None:
    unit_id = add(store)
    with store.write() as tx:
        assert work.sweep(tx, NOW + timedelta(minutes=1), 3) == []
        assert work.sweep(tx, NOW + timedelta(minutes=10), 3) == [("score", unit_id)]
        assert work.sweep(tx, NOW + timedelta(minutes=11), 3) == []


def test_who_lost_the_lease_cannot_finish(store: Store) -> None:
    unit_id = add(store)
    claim(store, owner="slow")
    with store.write() as tx:
        work.sweep(tx, NOW + 2 * LEASE, 3)
    claim(store, now=NOW + 2 * LEASE, owner="quick")
    with store.write() as tx:
        assert not work.finish(tx, unit_id, NOW, owner="slow")
        assert not work.extend(tx, unit_id, "slow", NOW + HOUR)
        assert work.extend(tx, unit_id, "quick", NOW + HOUR)
        assert work.finish(tx, unit_id, NOW, owner="quick")
        unit = work.one(tx, unit_id)
    assert unit is not None
    assert (unit.state, unit.owner) == ("done", None)


def test_many_workers_take_each_unit_once(store: Store) -> None:
    for n in range(40):
        add(store, str(n))
    taken: list[int] = []

    def take(owner: str) -> None:
        while (unit := claim(store, owner=owner)) is not None:
            taken.append(unit.id)

    workers = [threading.Thread(target=take, args=(str(n),)) for n in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(taken) == sorted(set(taken))
    assert len(taken) == 40


class Ledger(RuleBasedStateMachine):
    """Units are claimed, lost, finished and failed in any order: none is ever lost, done twice or in two hands."""

    def __init__(self, store: Store) -> None:
        super().__init__()
        self.store, self.now, self.n = store, NOW, 0
        self.held: dict[int, str] = {}
        self.done: set[int] = set()

    @rule()
    def write(self) -> None:
        self.n += 1
        add(self.store, str(self.n), now=self.now)

    @rule(owner=st.sampled_from(["one", "two"]))
    def take(self, owner: str) -> None:
        unit = claim(self.store, now=self.now, owner=owner)
        if unit is not None:
            assert unit.id not in self.held
            assert unit.id not in self.done
            self.held[unit.id] = owner

    @rule(minutes=st.integers(min_value=1, max_value=12))
    def wait(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)
        with self.store.write() as tx:
            work.sweep(tx, self.now, 1000)
            leased = {i for i in self.held if (u := work.one(tx, i)) is not None and u.state == "leased"}
        self.held = {i: owner for i, owner in self.held.items() if i in leased}

    @rule(fails=st.booleans())
    def end(self, fails: bool) -> None:
        if not self.held:
            return
        unit_id, owner = self.held.popitem()
        with self.store.write() as tx:
            if fails:
                assert work.fail(tx, unit_id, "x", self.now, self.now, owner)
            else:
                assert work.finish(tx, unit_id, self.now, owner)
                self.done.add(unit_id)

    @invariant()
    def nothing_is_lost(self) -> None:
        with self.store.read() as read:
            counts = work.counts(read).get("score", {})
        assert sum(counts.values()) == self.n
        assert counts.get("done", 0) == len(self.done)


def test_no_unit_is_ever_lost(fresh: Callable[[], Store]) -> None:
    run_state_machine_as_test(
        lambda: Ledger(fresh()),  # type: ignore[arg-type]
        settings=settings(
            max_examples=15,
            stateful_step_count=15,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
        ),
    )
