"""What a dead process held is taken back at once; what a living one holds, or another machine's, is left alone."""

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from jobs.build import Runtime
from jobs.leases import free_the_dead, is_gone, this_process
from jobs.work import LEASE
from storage import leases, work
from tests.jobs.world import Ticking, rows, runtime_in

NAME = "import sys; from jobs.leases import this_process; print(this_process(), flush=True); sys.stdin.read()"


@pytest.fixture
def dead() -> str:
    """The name of a process that was killed."""
    with subprocess.Popen(
        [sys.executable, "-c", NAME], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        name = process.stdout.readline().strip()
        assert not is_gone(name)
        process.kill()
    return name


def leased(runtime: Runtime, key: str, owner: str) -> int:
    """A unit in somebody's hands."""
    with runtime.store.write() as tx:
        unit = work.add(tx, "series", key, {}, runtime.clock())
        assert work.claim(tx, unit, ["series"], runtime.clock(), LEASE, owner) is not None
    assert unit is not None
    return unit


def test_units_of_a_killed_process_are_free_at_once_and_no_others(tmp_path: Path, dead: str) -> None:
    runtime = runtime_in(tmp_path)
    owners = (dead, this_process(), "elsewhere:1:1", dead.rpartition(":")[0] + ":1")
    units = [leased(runtime, str(n), owner) for n, owner in enumerate(owners)]
    assert free_the_dead(runtime.store, runtime.clock) == 2
    with runtime.store.write() as tx:
        assert work.sweep(tx, runtime.clock(), 6) == [("series", units[0]), ("series", units[3])]
        assert leases.holders(tx) == sorted(owners[1:3])
    assert free_the_dead(runtime.store, runtime.clock) == 0
    runtime.store.close()


def test_a_unit_that_kills_its_worker_each_time_ends_among_the_dead_letters(tmp_path: Path, dead: str) -> None:
    clock = Ticking()
    runtime = runtime_in(tmp_path, clock)
    unit = leased(runtime, "poison", dead)
    for _ in range(5):
        free_the_dead(runtime.store, clock)
        with runtime.store.write() as tx:
            assert work.sweep(tx, clock(), 6) == [("series", unit)]
            work.claim(tx, unit, ["series"], clock(), LEASE, dead)
    free_the_dead(runtime.store, clock)
    with runtime.store.write() as tx:
        assert work.sweep(tx, clock(), 6) == []
    assert rows(runtime, "SELECT state FROM work_unit") == [("dead",)]
    runtime.store.close()


@pytest.mark.parametrize("name", ["", "host", "a:b:c", "host:12", "::", "host:-1:x"])
def test_names_of_any_shape_are_left_alone(name: str) -> None:
    assert not is_gone(name)


def test_another_machines_lease_runs_out_by_itself(tmp_path: Path) -> None:
    clock = Ticking()
    runtime = runtime_in(tmp_path, clock)
    unit = leased(runtime, "far", "elsewhere:1:1")
    clock.now += LEASE + timedelta(seconds=1)
    with runtime.store.write() as tx:
        assert work.sweep(tx, clock(), 6) == [("series", unit)]
    runtime.store.close()
