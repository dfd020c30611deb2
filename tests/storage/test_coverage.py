from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.batch import Backfill, Coverage, Missed
from core.mention import Mention
from storage import coverage, mentions
from storage.coverage import LedgerRow
from storage.engine import Store
from tests.conftest import NOW
from tests.storage.build import HOUR, batch, lacking, post, whole

TWO = NOW - 2 * HOUR


def run(store: Store, name: str, said: Coverage, *items: Mention, now: datetime = NOW) -> None:
    """One batch of a run, as jobs/collect stores it."""
    with store.write() as tx:
        added = mentions.add(tx, "town", replace(batch(*items), coverage=said), now=now)
        coverage.record(tx, "town", name, said, items, added, now)


def ledger(store: Store) -> list[LedgerRow]:
    with store.read() as read:
        return coverage.ledger(read, NOW - 24 * HOUR, NOW + HOUR)


def posts(first: int, last: int) -> list[Mention]:
    return [post(n, f"text {n}", posted_at=NOW - HOUR) for n in range(first, last)]


def test_thirty_seven_missed_then_back_filled(store: Store) -> None:
    run(store, "unit:1", lacking(37, NOW - HOUR, NOW), *posts(0, 63))
    (row,) = ledger(store)
    assert (row.fetched, row.new, row.missed, row.expected, row.reason) == (63, 63, 37, 100, "pending")
    with store.read() as read:
        (gap,) = coverage.open_gaps(read, "town")
    task = Backfill(since=gap.since, until=gap.until, resume=gap.resume)
    assert task == Backfill(since=NOW - HOUR, until=NOW, resume="page 2")

    run(store, gap.run_key, whole(since=NOW - HOUR), *posts(63, 100), now=NOW + HOUR)
    (row,) = ledger(store)
    assert (row.fetched, row.new, row.missed, row.expected) == (100, 100, 0, 100)
    assert (row.backfilled, row.reason) == (37, "pending")
    with store.read() as read:
        assert coverage.open_gaps(read) == []
        (closed,) = coverage.gaps(read, NOW - 24 * HOUR, NOW)
    assert (closed.missed_first, closed.missed, closed.filled, closed.outcome) == (37, 0, 37, "filled")


def test_the_last_coverage_of_a_run_is_the_truth(store: Store) -> None:
    run(store, "unit:1", lacking(200, TWO, NOW), *posts(0, 50))
    run(store, "unit:1", lacking(150, TWO, NOW), *posts(50, 100))
    with store.read() as read:
        (gap,) = coverage.open_gaps(read)
        assert (gap.missed, gap.missed_first, gap.filled) == (150, 150, 0)


def test_a_run_that_fetches_the_rest_itself_has_no_gap(store: Store) -> None:
    run(store, "unit:1", lacking(50, TWO, NOW), *posts(0, 50))
    run(store, "unit:1", whole(since=TWO), *posts(50, 100))
    with store.read() as read:
        assert coverage.gaps(read, TWO, NOW) == []
    assert [(r.missed, r.reason) for r in ledger(store)] == [(0, None)]


def test_a_back_fill_may_take_several_runs(store: Store) -> None:
    run(store, "unit:1", lacking(60, TWO, NOW), *posts(0, 40))
    for first, left in ((40, 40), (60, 20)):
        with store.read() as read:
            (gap,) = coverage.open_gaps(read)
        run(store, gap.run_key, replace(lacking(left, TWO, NOW), resume=f"page {left}"), *posts(first, first + 20))
    with store.read() as read:
        (gap,) = coverage.open_gaps(read)
    assert (gap.missed_first, gap.missed, gap.filled, gap.resume) == (60, 20, 40, "page 20")


def test_a_crash_between_batches_leaves_an_exact_note(store: Store) -> None:
    run(store, "unit:1", lacking(None, None, NOW), *posts(0, 50))
    with store.read() as read:
        (gap,) = coverage.open_gaps(read)
    assert (gap.missed, gap.since, gap.resume) == (None, None, "page 2")
    rows = ledger(store)
    assert [(r.missed, r.expected, r.reason) for r in rows] == [(None, None, "pending")]


def test_the_same_batch_twice_is_fetched_twice_and_new_once(store: Store) -> None:
    for _ in range(2):
        run(store, "unit:1", whole(since=TWO), *posts(0, 10))
    (row,) = ledger(store)
    assert (row.fetched, row.seen, row.new, row.duplicate) == (20, 10, 10, 10)


def test_an_outage_over_many_runs_is_one_gap_that_a_whole_run_closes(store: Store) -> None:
    for n in range(3):
        out = Coverage(since=TWO, until=TWO + (n + 1) * HOUR / 2, complete=False, reason=Missed.OUTAGE)
        with store.write() as tx:
            coverage.record(tx, "town", f"unit:{n}", out, (), None, NOW)
    with store.read() as read:
        (gap,) = coverage.open_gaps(read)
        assert (gap.until, gap.reason) == (TWO + 1.5 * HOUR, "outage")
    run(store, "unit:9", whole(since=TWO - HOUR), *posts(0, 3))
    with store.read() as read:
        assert coverage.open_gaps(read) == []
        assert [g.outcome for g in coverage.gaps(read, TWO, NOW)] == ["covered"]


def test_a_whole_run_closes_nothing_outside_its_span(store: Store) -> None:
    run(store, "unit:1", lacking(5, NOW - 9 * HOUR, NOW - 8 * HOUR))
    run(store, "unit:2", whole(since=TWO))
    with store.read() as read:
        assert len(coverage.open_gaps(read)) == 1


def test_what_is_lost_stays_missed(store: Store) -> None:
    run(store, "unit:1", lacking(37, NOW - HOUR, NOW))
    with store.write() as tx:
        (gap,) = coverage.open_gaps(tx)
        coverage.give_up(tx, gap.id, Missed.WINDOW, NOW)
        assert coverage.open_gaps(tx) == []
    assert [(r.missed, r.reason) for r in ledger(store)] == [(37, "window")]


def test_items_that_could_not_be_read_are_counted_once(store: Store) -> None:
    said = replace(whole(since=TWO), rejected=(("https://harbor.example/9", "no date"), ("", "not JSON")))
    for _ in range(2):
        run(store, "unit:1", said)
    assert [(r.hour, r.rejected) for r in ledger(store)] == [(NOW, 2)]


def test_gaps_come_newest_first(store: Store) -> None:
    for n in (3, 1, 2):
        run(store, f"unit:{n}", lacking(n, NOW - (n + 1) * HOUR, NOW - n * HOUR))
    with store.read() as read:
        assert [g.missed for g in coverage.open_gaps(read)] == [1, 2, 3]
        assert coverage.open_gaps(read, "county") == []
        assert coverage.totals(read, NOW - 24 * HOUR, NOW) == {"town": (0, 6)}


@given(
    st.one_of(st.none(), st.integers(min_value=0, max_value=500)),
    st.integers(min_value=1, max_value=300_000),
    st.integers(min_value=0, max_value=1000),
)
def test_shares_of_a_gap_add_up(missed: int | None, seconds: int, offset: int) -> None:
    since = NOW + timedelta(seconds=offset)
    until = since + timedelta(seconds=seconds)
    shares = coverage.spread(since, until, missed, since, until)
    assert [hour for hour, _ in shares] == sorted({hour for hour, _ in shares})
    assert all(hour < until and hour + HOUR > since for hour, _ in shares)
    if missed is None:
        assert all(share is None for _, share in shares)
    else:
        assert sum(share or 0 for _, share in shares) == missed
        first, second = since + (until - since) / 3, since + (until - since) / 2
        window = dict(coverage.spread(since, until, missed, first, second))
        assert window.items() <= dict(shares).items()


@pytest.mark.parametrize("since", [None, NOW - 400 * 24 * HOUR])
def test_a_gap_without_an_end_in_sight_is_shown_where_one_looks(store: Store, since: datetime | None) -> None:
    run(store, "unit:1", lacking(None, since, NOW))
    rows = ledger(store)
    assert len(rows) == (1 if since is None else 24)
    assert {r.missed for r in rows} == {None}
