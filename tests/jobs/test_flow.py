"""From a line in a file, or a post on a server, to a case: every stage for real, each of them twice."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jobs.build import Runtime
from jobs.importing import import_file
from jobs.worker import STAGES
from storage import audit, cases, series
from tests.conftest import NOW
from tests.jobs.world import Ticking, counts, holds, invented, one_unit, rows, run_all, runtime_in, write_csv


def read_in(runtime: Runtime, file: Path) -> dict[str, Any]:
    return import_file(runtime, file, mapping={}, platform="import", timezone="UTC").to_dict()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def runtime(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Runtime]:
    """An empty openear, on both databases."""
    changes = {"database_url": request.getfixturevalue("postgres")} if request.param == "postgresql" else {}
    opened = runtime_in(tmp_path, **changes)
    yield opened
    opened.store.close()


def test_a_file_becomes_mentions_scores_cases_roll_ups_and_alerts(runtime: Runtime, tmp_path: Path) -> None:
    posts = invented(300)
    file = write_csv(tmp_path / "posts.csv", posts)
    report = read_in(runtime, file)
    assert (report["read"], report["new"], report["rejected"]) == (300, 300, 0)
    ran = run_all(runtime)
    assert {"score", "link", "series"} <= set(ran)
    found = counts(runtime)
    assert found["mentions"] == found["scores"] == found["links"] == 300
    harm = {post["id"] for post in posts if "gas" in post["text"]}
    assert harm
    alerted = rows(
        runtime, "SELECT k.external_id FROM alert a JOIN mention_key k ON k.id = a.mention_id WHERE a.channel = 'desk'"
    )
    assert {one for (one,) in alerted} == harm
    linked = dict(
        rows(
            runtime,
            "SELECT k.external_id, l.verdict FROM case_link l JOIN mention_key k ON k.id = l.mention_id",
        )
    )
    assert {linked[post["id"]] for post in posts if "Sunny" in post["text"] and not post["parent_id"]} == {"ignore"}
    assert {linked[one] for one in harm} <= {"open", "join"}
    with runtime.store.read() as read:
        opened = cases.page(read, limit=1000)
        assert sum(case.mentions for case in opened) == sum(v in ("open", "join") for v in linked.values())
        assert sum(row.n for row in series.mention_hours(read, NOW.replace(year=2025), NOW)) == 300
        assert series.check(read) == []
        assert series.dirty(read, 1) == []
        verdict = audit.verify(read)
    assert verdict.ok
    assert verdict.rows >= 300


def test_everything_twice_does_no_harm(runtime: Runtime, tmp_path: Path) -> None:
    file = write_csv(tmp_path / "posts.csv", invented(120))
    read_in(runtime, file)
    run_all(runtime)
    before, numbers = holds(runtime), counts(runtime)
    again = read_in(runtime, file)
    assert (again["read"], again["new"], again["updated"], again["duplicates"]) == (120, 0, 0, 120)
    ids = [i for (i,) in rows(runtime, "SELECT id FROM mention ORDER BY id")]
    with runtime.store.write() as tx:
        series.mark_all(tx)
    for stage, payload in (("score", {"ids": ids}), ("link", {}), ("series", {}), ("retain", {})):
        one_unit(runtime, stage, payload, f"again:{stage}")
    run_all(runtime)
    assert holds(runtime) == before
    assert counts(runtime) == numbers
    assert rows(runtime, "SELECT count(*) FROM work_unit WHERE state <> 'done'") == [(0,)]


def test_an_edit_is_read_anew_and_its_old_words_are_kept(runtime: Runtime, tmp_path: Path) -> None:
    post = invented(1)[0] | {"text": "Sunny day at the harbor #mapleharbor"}
    read_in(runtime, write_csv(tmp_path / "a.csv", [post]))
    run_all(runtime)
    assert rows(runtime, "SELECT verdict FROM case_link") == [("ignore",)]
    assert isinstance(runtime.clock, Ticking)
    runtime.clock.advance(minutes=5)
    report = read_in(runtime, write_csv(tmp_path / "b.csv", [post | {"text": "The lamp is broken again #mapleharbor"}]))
    assert (report["new"], report["updated"]) == (0, 1)
    run_all(runtime)
    assert rows(runtime, "SELECT text FROM mention_version") == [("Sunny day at the harbor #mapleharbor",)]
    assert counts(runtime)["scores"] == 2  # a new text adds, never overwrites
    assert rows(runtime, "SELECT sentiment, n FROM mention_hour WHERE topic = ''") == [("negative", 1)]


def test_personal_data_and_names_never_reach_the_database(runtime: Runtime, tmp_path: Path) -> None:
    said = "Please fix the lamp, call Ana at 202-555-0143 or ana@example.org, card 4111 1111 1111 1111"
    read_in(runtime, write_csv(tmp_path / "a.csv", [invented(1)[0] | {"text": said, "author": "ana.of.tern.avenue"}]))
    run_all(runtime)
    [(text, author)] = rows(runtime, "SELECT text, author FROM mention")
    assert text == "Please fix the lamp, call Ana at [phone] or [email], card [card]"
    assert len(author) == 64
    if runtime.store.dialect == "sqlite":
        runtime.store.close()
        stored = b"".join(file.read_bytes() for file in runtime.settings.data_dir.glob("openear.db*"))
        assert not [word for word in (b"ana.of.tern", b"555-0143", b"ana@example", b"4111") if word in stored]


def test_a_unit_that_fails_is_a_dead_letter_and_stops_nobody(runtime: Runtime, tmp_path: Path) -> None:
    read_in(runtime, write_csv(tmp_path / "posts.csv", invented(20)))
    one_unit(runtime, "forecast", {}, "no queue named")  # KeyError: a fault of ours
    run_all(runtime)
    assert counts(runtime)["links"] == 20
    [(state, error)] = rows(runtime, "SELECT state, last_error FROM work_unit WHERE stage = 'forecast'")
    assert (state, error) == ("pending", "KeyError: 'queue'")
    assert isinstance(runtime.clock, Ticking)
    for _ in range(8):
        runtime.clock.advance(hours=1)
        run_all(runtime)
    assert rows(runtime, "SELECT state FROM work_unit WHERE stage = 'forecast'") == [("dead",)]


def test_every_stage_is_known_to_the_worker() -> None:
    assert STAGES.keys() >= {"collect", "score", "link", "series", "forecast", "alert", "request", "retain", "calls"}
