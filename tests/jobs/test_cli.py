"""Every command as a user meets it: what it prints, what a machine can read of it, and how it ends."""

import io
import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from core.settings import load
from jobs import cli
from jobs.build import Runtime, open_runtime
from jobs.service import only_one
from tests.collectors.fakes import FakeMastodon, Ticker
from tests.jobs.world import Words, invented, run_all, write_csv

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


Openear = Callable[..., Ended]


@pytest.fixture
def openear(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Openear:
    """The command, run in an empty folder with a classifier of a few rules."""
    monkeypatch.chdir(tmp_path)
    for name in ("OPENEAR_CONFIG", "OPENEAR_DATA_DIR", "OPENEAR_DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Runtime, "classifier", Words())
    monkeypatch.setattr(Runtime, "model", Words.model)
    monkeypatch.setattr("jobs.cli_evaluate.classifier", Words)

    def run(*words: str, stdin: str = "") -> Ended:
        monkeypatch.setattr(sys, "argv", ["openear", *words])
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        capsys.readouterr()
        code = 0
        try:
            cli.main()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
        told = capsys.readouterr()
        return Ended(code, told.out, told.err)

    return run


COMMANDS = {
    *("run", "init", "check", "collect", "parse", "import", "calls import", "score", "cases", "forecast", "backtest"),
    *("staff", "evaluate sentiment", "evaluate topics", "evaluate linking", "coverage"),
    *("db upgrade", "db backup", "db restore", "audit verify", "people add"),
}


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_explains_itself_and_refuses_what_it_does_not_know(openear: Openear, command: str) -> None:
    told = openear(*command.split(), "--help")
    assert told.code == 0
    assert "Usage" in told.out
    assert openear(*command.split(), "--no-such-option").code == 2


def test_an_unknown_command_is_wrong_use(openear: Openear) -> None:
    assert openear("listen-harder").code == 2


def test_help_is_quick_and_loads_no_model() -> None:
    code = (
        "import sys; sys.argv = ['openear', '--help']\n"
        "from jobs import cli\n"
        "try: cli.main()\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'transformers', 'openvino', 'streamlit', 'pandas', 'lightgbm'} & set(sys.modules)\n"
        "sys.exit(f'loaded {heavy}' if heavy else 0)"
    )
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_staff_gives_the_golden_figures(openear: Openear) -> None:
    line = "staff --calls 100 --interval 30min --handle-time 180s --target 80/20s --shrinkage 0.3"
    words = line.split()
    told = openear(*words, "--json").json
    assert (told["agents"], told["scheduled"]) == (14, 20)
    assert told["service_level"] == pytest.approx(0.888, abs=5e-4)
    assert told["chance_of_waiting"] == pytest.approx(0.174, abs=5e-4)
    assert told["asa_seconds"] == pytest.approx(7.8, abs=0.05)
    plain = openear(*words)
    assert plain.code == 0
    assert all(figure in plain.out for figure in ("14", "20", "0.888", "0.174", "7.8"))


def test_score_passes_other_keys_through_in_order_and_names_bad_lines(openear: Openear) -> None:
    lines = ['{"text": "The lamp is broken", "id": 7, "tags": ["a"]}', "not json", '{"id": 9}', '{"text": "Sunny day"}']
    told = openear("score", "-", stdin="\n".join(lines) + "\n\n")
    assert told.code == 1
    first, bad, missing, last = told.lines
    assert (first["id"], first["tags"], first["text"]) == (7, ["a"], "The lamp is broken")
    assert first.keys() >= {
        *("language", "about_us", "needs_answer", "sentiment", "topics", "urgency", "safety", "abstained", "model")
    }
    assert first["sentiment"].keys() == {"label", "negative", "neutral", "positive"}
    assert first["topics"] == [{"name": "streetlights", "probability": 0.9}]
    assert (bad["line"], missing["line"], missing["id"]) == (2, 3, 9)
    assert "not JSON" in bad["error"]
    assert "text" in missing["error"]
    assert last["sentiment"]["label"] == "neutral"
    assert "2 lines" in told.err


def test_score_reads_a_file_and_keeps_more_lines_than_one_batch(openear: Openear, tmp_path: Path) -> None:
    file = tmp_path / "texts.jsonl"
    file.write_text("".join(json.dumps({"text": f"pothole {n}", "n": n}) + "\n" for n in range(1100)))
    told = openear("score", str(file))
    assert told.code == 0
    assert [row["n"] for row in told.lines] == list(range(1100))
    assert openear("score", "nowhere.jsonl").code == 1


def test_evaluate_prints_figures(openear: Openear, tmp_path: Path) -> None:
    file = write_csv(
        tmp_path / "labelled.csv",
        [
            {"text": f"{word} {n}", "label": label}
            for n in range(10)
            for word, label in (("broken", "negative"), ("lovely", "positive"), ("a walk", "neutral"))
        ],
    )
    told = openear("evaluate", "sentiment", str(file), "--json")
    assert told.code == 0
    assert told.json["rows"] == 30
    assert "1.0" in json.dumps(told.json)
    assert openear("evaluate", "sentiment", "nowhere.csv").code == 2
    wrong = write_csv(tmp_path / "wrong.csv", [{"words": "a", "mark": "b"}])
    ended = openear("evaluate", "sentiment", str(wrong))
    assert ended.code == 1
    assert "text" in ended.err


def test_parse_prints_mentions_without_authors_or_the_error(openear: Openear, tmp_path: Path) -> None:
    fake = FakeMastodon(Ticker())
    fake.post(3)
    body = json.dumps([fake.status(item) for item in fake.items])
    (tmp_path / "timeline.json").write_text(body)
    told = openear("parse", "mastodon", str(tmp_path / "timeline.json"))
    assert told.code == 0
    assert [row["type"] for row in told.lines] == ["mention"] * 3
    assert "wren" not in json.dumps(
        [{k: v for k, v in row.items() if k not in ("url", "external_id")} for row in told.lines]
    )
    busy: dict[str, Any] = {
        "request": {"uri": f"{fake.server}/api/v1/timelines/tag/x"},
        "response": {"status": 429, "body": "{}"},
    }
    busy["response"]["headers"] = {"retry-after": "120"}
    (tmp_path / "busy.json").write_text(json.dumps(busy))
    told = openear("parse", "mastodon", str(tmp_path / "busy.json"))
    assert told.code == 1
    [line] = told.lines
    assert line["error"] == "SourceBusy"
    assert line["retry_after"] == "120"
    assert openear("parse", "mastodon", str(tmp_path / "none.json")).code == 2
    assert openear("parse", "carrier_pigeon", str(tmp_path / "busy.json")).code == 1
    assert not (tmp_path / "var").exists()  # no database


def test_import_accounts_for_every_row(openear: Openear, tmp_path: Path) -> None:
    posts = invented(30)
    bad = [posts[0] | {"id": "x1", "text": ""}, posts[0] | {"id": "x2", "created": "when pigs fly"}]
    file = write_csv(tmp_path / "posts.csv", [*posts, posts[3], *bad])
    told = openear("import", str(file), "--json").json
    assert told["read"] == 33 == told["new"] + told["updated"] + told["duplicates"] + told["rejected"]
    assert (told["new"], told["duplicates"]) == (30 + 2 - told["rejected"], 1)
    assert [why["row"] for why in told["why"] if why["reason"]] == [32, 33]
    again = openear("import", str(file), "--json").json
    assert (again["new"], again["updated"]) == (0, 0)
    plain = openear("import", str(file))
    assert "read 33, new 0" in plain.out
    assert "row 32" in plain.out


def test_import_takes_a_map_and_says_what_is_wrong_with_it(openear: Openear, tmp_path: Path) -> None:
    file = tmp_path / "klagen.csv"
    file.write_bytes("Beschwerde;Datum\nDie Straße ist kaputt;2026-02-03 10:00\n".encode("cp1252"))
    told = openear("import", str(file), "--map", "text=Beschwerde,time=Datum", "--timezone", "Europe/Berlin", "--json")
    assert told.json["new"] == 1
    assert "Windows-1252" in told.json["notes"][0]
    assert openear("import", str(file), "--map", "nonsense").code == 2
    assert openear("import", str(file), "--map", "shoesize=Datum").code == 2
    unmapped = openear("import", str(file))
    assert unmapped.code == 1
    assert "--map text=COLUMN" in unmapped.err
    assert openear("import", str(file), "--map", "text=Beschwerde", "--timezone", "Mars/Base").code == 1
    assert openear("import", "nowhere.csv").code == 2


def test_calls_import_counts_and_corrects(openear: Openear, tmp_path: Path) -> None:
    file = tmp_path / "calls.csv"
    rows = [f"2026-03-02 {hour:02}:00,{hour}" for hour in range(8, 18)]
    file.write_text("start,calls\n" + "\n".join(rows) + "\n2026-03-02 18:00,many\n")
    told = openear("calls", "import", str(file), "--queue", "water", "--json")
    assert told.code == 0
    assert (told.json["read"], told.json["new"], told.json["rejected"]) == (11, 10, 1)
    file.write_text("start,calls\n" + "\n".join(rows).replace("10:00,10", "10:00,99") + "\n")
    told = openear("calls", "import", str(file), "--queue", "water", "--json").json
    assert (told["new"], told["corrected"], told["same"]) == (0, 1, 9)


def test_init_without_questions_writes_a_file_that_loads(openear: Openear, tmp_path: Path) -> None:
    options = {
        "--name": 'The "Old" City of Springfield',
        "--handle": "@springfield",
        "--place": "Ohio",
        "--timezone": "America/Chicago",
        "--mastodon": "https://social.example",
        "--feed": "https://news.example/rss",
    }
    told = openear("init", *(word for pair in options.items() for word in pair))
    assert told.code == 0
    settings = load(tmp_path / "openear.toml")
    assert settings.agency.names == ('The "Old" City of Springfield',)
    assert settings.agency.timezone == "America/Chicago"
    assert settings.sources.keys() == {"mastodon", "feed"}
    refused = openear("init", "--name", "Another")
    assert refused.code == 1
    assert "there already" in refused.err
    assert openear("init", "--file", "b.toml", "--timezone", "Mars/Base").code == 1
    refused = openear("init", "--file", "c.toml", "--mastodon", "social")
    assert (refused.code, "sources.mastodon.server" in refused.err) == (1, True)
    assert not (tmp_path / "c.toml").exists()


def test_what_init_writes_can_be_collected_with(openear: Openear, tmp_path: Path) -> None:
    openear("init", "--name", "Springfield", "--handle", "@springfield", "--mastodon", "https://social.example")
    runtime = open_runtime(load(tmp_path / "openear.toml"), migrate=True)
    with runtime.collector("mastodon") as collector:
        assert collector.name == "mastodon"
    runtime.store.close()


def test_check_says_what_works_and_what_to_do(
    openear: Openear, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = openear("check", "--json")
    assert told.code == 0
    found = {row["what"]: row for row in told.json}
    assert found.keys() >= {"settings", "clock", "database", "model", "sources", "case system", "alerts"}
    assert found["database"]["state"] == found["model"]["state"] == "works"
    assert found["settings"]["do"] == "openear init"
    (tmp_path / "openear.toml").write_text(
        '[sources.town]\nkind = "mastodon"\nserver = "http://127.0.0.1:9"\ntags=["a"]\n'
    )
    told = openear("check", "--json")
    assert told.code == 1
    [town] = [row for row in told.json if row["what"] == "source town"]
    assert (town["state"], bool(town["do"])) == ("fails", True)
    monkeypatch.setenv("OPENEAR_AGENCY__TIMEZONE", "Mars/Base")
    told = openear("check")
    assert told.code == 1
    assert "timezone" in told.out


def test_a_copy_brings_back_what_was_there(openear: Openear, tmp_path: Path) -> None:
    openear("import", str(write_csv(tmp_path / "a.csv", invented(20))))
    assert openear("db", "backup", "copy.db").code == 0
    assert openear("db", "backup", "copy.db").code == 1  # never overwrites
    openear("import", str(write_csv(tmp_path / "b.csv", invented(50, seed=2))))
    with only_one(tmp_path / "var"):
        running = openear("db", "restore", "copy.db")
    assert running.code == 1
    assert "running" in running.err
    assert openear("db", "restore", "copy.db").code == 0
    assert _count(tmp_path / "var" / "openear.db") == 20
    [kept] = (tmp_path / "var").glob("before-restore-*")
    assert _count(kept) == 50
    (tmp_path / "junk.db").write_bytes(b"no database")
    assert openear("db", "restore", "junk.db").code == 1
    assert _count(tmp_path / "var" / "openear.db") == 20
    assert openear("db", "upgrade").code == 0


def _count(file: Path) -> int:
    with closing(sqlite3.connect(file)) as database:
        return int(database.execute("SELECT count(*) FROM mention").fetchone()[0])


def test_cases_coverage_and_audit_can_be_read_and_tampering_shows(openear: Openear, tmp_path: Path) -> None:
    openear("import", str(write_csv(tmp_path / "a.csv", invented(40))))
    runtime = open_runtime()
    run_all(runtime)
    runtime.store.close()
    listed = openear("cases", "--json")
    assert listed.code == 0
    assert listed.lines
    assert all(row["code"].startswith("M-") for row in listed.lines)
    assert openear("cases").code == 0
    assert openear("cases", "--limit", "0").code == 2
    told = openear("coverage", "--days", "1000", "--json")
    assert told.code == 0
    assert sum(hour["new"] for hour in told.json["hours"]) == 40
    whole = openear("audit", "verify", "--json")
    assert (whole.code, whole.json["ok"]) == (0, True)
    assert whole.json["rows"] >= 40
    _tamper(tmp_path / "var" / "openear.db")
    broken = openear("audit", "verify", "--json")
    assert (broken.code, broken.json["ok"]) == (1, False)
    assert broken.json["broken_at"] == 7
    assert "BROKEN" in openear("audit", "verify").out


def _tamper(file: Path) -> None:
    """As somebody with the file in hand would: past the triggers."""
    with closing(sqlite3.connect(file)) as database, database:
        triggers = database.execute(
            "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit'"
        ).fetchall()
        assert triggers
        for (name,) in triggers:
            database.execute(f"DROP TRIGGER {name}")
        database.execute("UPDATE audit SET action = 'link.ignored' WHERE id = 7")


def test_collect_without_sources_or_with_an_unknown_one_says_what_to_do(openear: Openear) -> None:
    none = openear("collect", "--once")
    assert none.code == 1
    assert "[sources.NAME]" in none.err
    unknown = openear("collect", "nowhere", "--once")
    assert unknown.code == 1
    assert "nowhere" in unknown.err


def test_a_secret_in_the_file_is_refused_and_not_repeated(openear: Openear, tmp_path: Path) -> None:
    (tmp_path / "openear.toml").write_text('[sources.sky]\nkind = "bluesky"\npassword = "hunter2hunter2"\n')
    told = openear("db", "upgrade")
    assert told.code == 1
    assert "OPENEAR_SOURCES__SKY__PASSWORD" in told.err
    assert "hunter2" not in told.err + told.out
