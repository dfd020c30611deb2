"""kill -9 of all processes while a unit of each stage is in hand: in the end nothing is lost and nothing is double."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from jobs.build import Runtime
from sample.server import serve
from sample.site import Faults, Site
from sample.world import World
from storage import audit, series
from tests.conftest import NOW
from tests.jobs.crashing import Halt, finished, forked, kill_tree, leased, prepared, said, wait_for
from tests.jobs.servers import Posts, web_server
from tests.jobs.world import Ticking, holds, rows

WHEN = NOW - timedelta(days=2)
MENTIONS = 250
SECONDS = 60.0
#: One kill for each stage, at different moments of its work.
KILLS = (
    Halt("import", "inside", 1, alone=True),
    Halt("calls", "inside", 1, alone=True),
    Halt("forecast", "after", alone=True),
    Halt("request", "after", alone=True),
    Halt("collect", "inside", 2, alone=True),
    Halt("score", "inside", 1, alone=True),
    Halt("link", "inside", 2, alone=True),
    Halt("series", "inside", 1, alone=True),
    Halt("alert", "inside", 2, alone=True),
    Halt("retain", "before", alone=True),
)


@pytest.fixture
def site(city: World) -> Iterator[Site]:
    with serve(0, city, Ticking(WHEN), Faults(limit=1_000_000)) as served:
        yield served


def test_killed_in_every_stage_the_end_is_as_without_a_crash(tmp_path: Path, site: Site) -> None:
    with web_server(Posts()) as posts:
        calm, wild = (prepared(tmp_path / name, site.base, posts.url, MENTIONS, WHEN) for name in ("calm", "wild"))
        finished(tmp_path / "calm", forked(tmp_path / "calm", "all", Halt()), SECONDS)
        for halt in KILLS:
            process = forked(tmp_path / "wild", "all", halt)
            met = wait_for(tmp_path / "wild", process, SECONDS)
            assert met == "hit", f"{halt}: {met}: {said(tmp_path / 'wild')}"
            assert kill_tree(process) >= 1
            assert halt.stage == "import" or halt.stage in {stage for stage, _ in leased(wild)}
        finished(tmp_path / "wild", forked(tmp_path / "wild", "all", Halt()), SECONDS)
    expected, found = holds(calm), holds(wild)
    assert len(expected["mentions"]) > MENTIONS + 50
    assert len(expected["links"]) >= MENTIONS
    assert expected["alerts"]
    for name in expected:
        assert found[name] == expected[name], name
    _sound(wild)
    calm.store.close()
    wild.store.close()


def _sound(runtime: Runtime) -> None:
    assert rows(runtime, "SELECT stage, last_error FROM work_unit WHERE state <> 'done'") == []
    assert rows(runtime, "SELECT count(*) FROM call_record WHERE newest") == [(120,)]
    assert len(rows(runtime, "SELECT 1 FROM forecast")) >= 1
    with runtime.store.read() as read:
        assert audit.verify(read).ok
        assert series.check(read) == []
