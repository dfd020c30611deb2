"""The tick claims what is due, once, in bounded bites, and nothing waits for ever behind something busy."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from core.batch import Coverage, Missed
from core.errors import SourceBusy
from core.series import Calls
from jobs import schedule
from jobs.build import Runtime
from jobs.engines import LocalEngine
from jobs.work import run_unit
from storage import calls, coverage, sources, work
from storage.work import Unit
from tests.conftest import NOW
from tests.jobs.world import Ticking, one_unit, rows, runtime_in


def town(number: int, every: str = "5min", **more: Any) -> dict[str, Any]:
    """A source; nobody asks it here."""
    return {"kind": "mastodon", "server": "http://127.0.0.1:9", "tags": [f"t{number}"], "every": every, **more}


def runtime_with(folder: Path, count: int, **more: Any) -> Runtime:
    return runtime_in(folder, Ticking(), {f"town{n:03}": town(n, **more) for n in range(count)})


def heads(units: list[tuple[str, int]]) -> list[tuple[str, int]]:
    return [unit for unit in units if unit[0] == "collect"]


def test_a_tick_that_runs_twice_adds_nothing_twice(tmp_path: Path) -> None:
    runtime = runtime_with(tmp_path, 3)
    gap(runtime, "town001", hours=1)
    first = schedule.tick(runtime)
    assert len(heads(first)) == 4
    assert schedule.tick(runtime) == []
    assert rows(runtime, "SELECT count(*) FROM work_unit WHERE stage = 'collect'") == [(4,)]
    runtime.store.close()


def test_after_a_pause_there_is_one_run_and_the_next_is_counted_from_now(tmp_path: Path) -> None:
    runtime = runtime_with(tmp_path, 1)
    first = heads(schedule.tick(runtime))
    runtime.clock.advance(hours=10)  # type: ignore[attr-defined]
    assert heads(schedule.tick(runtime)) == first  # still the one that nobody has taken up
    assert run_unit(runtime, {"collect": lambda *_: None}, "collect")
    runtime.clock.advance(hours=10)  # type: ignore[attr-defined]
    assert len(heads(schedule.tick(runtime))) == 1
    assert rows(runtime, "SELECT count(*) FROM work_unit WHERE stage = 'collect'") == [(2,)]
    with runtime.store.read() as read:
        row = sources.one(read, "town000")
    assert row is not None
    late = row.next_due_at - runtime.clock()
    assert timedelta(minutes=5) <= late <= timedelta(minutes=5, seconds=30)  # a tenth of jitter
    runtime.store.close()


def test_500_sources_due_at_once_are_claimed_in_bites_and_none_is_forgotten(tmp_path: Path) -> None:
    runtime = runtime_with(tmp_path, 500)
    bites = []
    while bite := heads(schedule.tick(runtime)):
        bites.append(len(bite))
    assert bites == [200, 200, 100]
    asked = {payload for (payload,) in rows(runtime, "SELECT key FROM work_unit WHERE stage = 'collect'")}
    assert len(asked) == 500
    with runtime.store.read() as read:
        due = {row.next_due_at for row in sources.all(read)}
    assert len(due) > 400  # they do not march in step
    runtime.store.close()


@pytest.mark.parametrize("state", ["refused", "retired"])
def test_a_source_that_was_stopped_is_left_alone_until_somebody_asks(tmp_path: Path, state: str) -> None:
    runtime = runtime_with(tmp_path, 2)
    with runtime.store.write() as tx:
        sources.set_state(tx, "town000", state, "token", runtime.clock())
    assert len(heads(schedule.tick(runtime))) == 1
    with runtime.store.write() as tx:
        sources.ask_now(tx, "town000", runtime.clock())
    assert len(heads(schedule.tick(runtime))) == 1
    runtime.store.close()


def test_a_busy_source_waits_alone(tmp_path: Path) -> None:
    runtime = runtime_with(tmp_path, 3)

    def collect(runtime: Runtime, unit: Unit) -> None:
        if unit.payload["source"] == "town000":
            raise SourceBusy("town000", "429", timedelta(minutes=30))

    schedule.tick(runtime)
    while run_unit(runtime, {"collect": collect}, "collect"):
        pass
    assert dict(rows(runtime, "SELECT name, state FROM source")) == {
        "town000": "waiting",
        "town001": "ok",
        "town002": "ok",
    }
    runtime.clock.advance(minutes=6)  # type: ignore[attr-defined]
    schedule.tick(runtime)
    ran = []
    while run_unit(runtime, {"collect": lambda _, unit: ran.append(unit.payload["source"])}, "collect"):
        pass
    assert sorted(ran) == ["town001", "town002"]
    runtime.clock.advance(minutes=25)  # type: ignore[attr-defined]
    schedule.tick(runtime)
    while run_unit(runtime, {"collect": lambda _, unit: ran.append(unit.payload["source"])}, "collect"):
        pass
    assert "town000" in ran
    runtime.store.close()


def gap(runtime: Runtime, source: str, hours: int) -> None:
    """So many hours ago something was left."""
    until = runtime.clock() - timedelta(hours=hours)
    left = Coverage(since=until - timedelta(hours=1), until=until, complete=False, reason=Missed.PENDING, resume="p2")
    with runtime.store.write() as tx:
        coverage.record(tx, source, f"run:{hours}", left, (), None, until)


def test_back_fills_one_a_source_newest_gap_first_behind_live_listening(tmp_path: Path) -> None:
    runtime = runtime_with(tmp_path, 2)
    for hours in (30, 2, 9):
        gap(runtime, "town000", hours)
    gap(runtime, "town001", 50)
    schedule.tick(runtime)
    ran: list[tuple[str, str]] = []
    while run_unit(runtime, {"collect": lambda _, unit: ran.append((unit.payload["task"], unit.key))}, "collect"):
        pass
    assert [task for task, _ in ran] == ["head", "head", "backfill", "backfill"]
    with runtime.store.read() as read:
        newest = {one.source: one.id for one in reversed(coverage.open_gaps(read))}
    assert {key.split(":")[1] for task, key in ran if task == "backfill"} == {str(i) for i in newest.values()}
    runtime.store.close()


def test_a_back_fill_that_brought_nothing_is_asked_again_later_not_at_once(tmp_path: Path) -> None:
    runtime = runtime_with(tmp_path, 1)
    gap(runtime, "town000", 0)
    assert len(heads(schedule.tick(runtime))) == 2
    while run_unit(runtime, {"collect": lambda *_: None}, "collect"):
        pass
    runtime.clock.advance(minutes=1)  # type: ignore[attr-defined]
    assert heads(schedule.tick(runtime)) == []
    runtime.clock.advance(minutes=10)  # type: ignore[attr-defined]
    assert len(heads(schedule.tick(runtime))) == 2  # the source itself is due again, too
    runtime.store.close()


def test_what_a_source_does_not_show_is_asked_for_ever_less_often_and_given_up_on_record(tmp_path: Path) -> None:
    runtime = runtime_with(tmp_path, 1)
    until = runtime.clock()
    with runtime.store.write() as tx:
        hidden = Coverage(since=None, until=until, complete=False, missed=37, reason=Missed.WINDOW)
        coverage.record(tx, "town000", "run:1", hidden, (), None, until)
    for _ in range(6 * 49):
        schedule.tick(runtime)
        while run_unit(runtime, {"collect": lambda *_: None}, "collect"):
            pass
        runtime.clock.advance(minutes=10)  # type: ignore[attr-defined]
    [(asked,)] = rows(runtime, "SELECT count(*) FROM work_unit WHERE lane = 'backfill'")
    assert 10 < asked < 40
    with runtime.store.read() as read:
        assert coverage.open_gaps(read) == []
        [lost] = coverage.gaps(read, until - timedelta(days=1), until + timedelta(days=1))
    assert (lost.outcome, lost.missed) == ("lost", 37)
    runtime.store.close()


def test_a_gap_that_brings_nothing_does_not_stand_before_the_older_ones(tmp_path: Path) -> None:
    runtime = runtime_with(tmp_path, 1)
    for hours in (2, 9):
        gap(runtime, "town000", hours)
    asked: list[int] = []

    def collect(_: Runtime, unit: Unit) -> None:
        if unit.payload["task"] == "backfill":
            asked.append(unit.payload["gap"])

    for _ in range(3):
        schedule.tick(runtime)
        while run_unit(runtime, {"collect": collect}, "collect"):
            pass
    assert len(asked) == len(set(asked)) == 2
    runtime.store.close()


def test_a_forecast_a_queue_and_night_and_one_more_when_calls_came(tmp_path: Path) -> None:
    runtime = runtime_with(tmp_path, 0)

    def counted(days_ago: int) -> None:
        start = NOW - timedelta(days=days_ago)
        with runtime.store.write() as tx:
            calls.add(tx, [Calls(queue="water", start=start, step=timedelta(days=1), offered=5, recorded_at=NOW)])

    def forecasts() -> int:
        schedule.tick(runtime)
        return int(rows(runtime, "SELECT count(*) FROM work_unit WHERE stage = 'forecast'")[0][0])

    counted(3)
    assert (forecasts(), forecasts()) == (1, 1)
    counted(2)
    assert (forecasts(), forecasts()) == (2, 2)
    runtime.clock.advance(days=1)  # type: ignore[attr-defined]
    assert (forecasts(), forecasts()) == (3, 3)
    runtime.store.close()


def test_a_unit_lost_with_its_worker_is_handed_out_again(tmp_path: Path) -> None:
    runtime = runtime_with(tmp_path, 1)
    [(stage, unit)] = heads(schedule.tick(runtime))
    with runtime.store.write() as tx:
        work.claim(tx, unit, [stage], runtime.clock(), timedelta(minutes=6), "elsewhere:1:1")
    runtime.clock.advance(minutes=4)  # type: ignore[attr-defined]
    assert (stage, unit) not in schedule.tick(runtime)
    runtime.clock.advance(minutes=3)  # type: ignore[attr-defined]
    assert (stage, unit) in schedule.tick(runtime)
    runtime.store.close()


def test_an_engine_told_of_nothing_finds_its_work_and_stops_in_time(tmp_path: Path) -> None:
    runtime = runtime_with(tmp_path, 20)
    schedule.tick(runtime)
    done: list[str] = []
    engine = LocalEngine(runtime, {"collect": lambda _, unit: done.append(unit.key)}, [("collect",), ("collect",)])
    engine.start()
    engine.submit("collect", 1)
    for _ in range(200):
        if len(done) == 20:
            break
        engine._stopping.wait(0.05)
    engine.stop()
    assert len(done) == len(set(done)) == 20
    runtime.store.close()


def test_one_unit_leaves_others_of_its_stage_alone(tmp_path: Path) -> None:
    runtime = runtime_with(tmp_path, 0)
    with runtime.store.write() as tx:
        work.add(tx, "series", "another", {}, runtime.clock())
    one_unit(runtime, "series", {}, "this")
    assert dict(rows(runtime, "SELECT key, state FROM work_unit")) == {"another": "pending", "this": "done"}
    runtime.store.close()
