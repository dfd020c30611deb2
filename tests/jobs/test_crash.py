"""kill -9 of all processes while a unit of each stage is in hand: in the end nothing is lost and nothing is double."""

import json
import random
import time
from collections.abc import Iterator
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

import pytest

from jobs.build import Runtime
from sample import city as maple
from sample.server import serve
from sample.site import Faults, Site
from sample.world import World
from storage import audit, series
from tests.conftest import NOW
from tests.jobs.crashing import Halt, Story, forked, kill_tree, leased, wait_for
from tests.jobs.servers import Posts, web_server
from tests.jobs.world import Ticking, holds, invented, rows, runtime_of, settings_in, write_csv

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


def prepared(folder: Path, site: Site, hook: str) -> Runtime:
    """A folder in which there is something to do for every stage."""
    (folder / "calls").mkdir(parents=True)
    rng = random.Random(3)
    days = [WHEN - timedelta(days=n) for n in range(120, 0, -1)]
    counted = "".join(f"{day.date()},{100 + 10 * day.weekday() + rng.randrange(9)}\n" for day in days)
    (folder / "calls" / "main.csv").write_text("start,calls\n" + counted)
    file = write_csv(folder / "posts.csv", invented(MENTIONS, until=WHEN))
    port = int(site.base.rsplit(":", 1)[1])
    mastodon = maple.settings(port)["sources"]["mastodon"] | {"every": "1h"}
    story = Story(
        file=str(file),
        now=WHEN.isoformat(),
        began=time.time(),
        sources={"mastodon": mastodon},
        alerts={"webhook_url": hook, "webhook_secret": "invented"},
        phones={"folder": str(folder / "calls")},
    )
    (folder / "crash.json").write_text(json.dumps(asdict(story)))
    return runtime_of(settings_in(folder), Ticking(WHEN))


def finish(folder: Path) -> None:
    process = forked(folder, "all", Halt())
    assert wait_for(folder, process, SECONDS) == "done", (folder / "output").read_text()[-2000:]
    kill_tree(process)


def test_killed_in_every_stage_the_end_is_as_without_a_crash(tmp_path: Path, site: Site) -> None:
    with web_server(Posts()) as posts:
        calm = prepared(tmp_path / "calm", site, posts.url)
        finish(tmp_path / "calm")
        wild = prepared(tmp_path / "wild", site, posts.url)
        for halt in KILLS:
            process = forked(tmp_path / "wild", "all", halt)
            met = wait_for(tmp_path / "wild", process, SECONDS)
            assert met == "hit", f"{halt}: {met}: {(tmp_path / 'wild' / 'output').read_text()[-2000:]}"
            assert kill_tree(process) >= 1
            assert halt.stage == "import" or halt.stage in {stage for stage, _ in leased(wild)}
        finish(tmp_path / "wild")
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
