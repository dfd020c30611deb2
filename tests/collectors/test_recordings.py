import base64
import gzip
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from collectors.recordings import Exchange, exchanges
from collectors.registry import parse_recording
from core.errors import BadInput, SettingsError, SourceBusy, SourceChanged, SourceRefused
from core.mention import Mention
from tests.collectors.fakes import START, FakeMastodon, Ticker


def status(number: int = 0, text: str = "Pothole") -> dict[str, Any]:
    fake = FakeMastodon(Ticker())
    fake.post(number + 1)
    return {**fake.status(fake.items[number]), "content": f"<p>{text}</p>"}


def vcrpy(*bodies: Any, status_code: int = 200) -> dict[str, Any]:
    return {
        "version": 1,
        "interactions": [
            {
                "request": {"method": "get", "uri": "https://social.example/x?a=1&a=2", "body": None, "headers": {}},
                "response": {
                    "status": {"code": status_code, "message": "OK"},
                    "headers": {"Content-Type": ["application/json"]},
                    "body": {"string": body if isinstance(body, str | bytes) else json.dumps(body)},
                },
            }
            for body in bodies
        ],
    }


def test_a_plain_body_is_an_answer(tmp_path: Path) -> None:
    path = tmp_path / "page.json"
    path.write_text(json.dumps([status()]), "utf-8")
    assert exchanges(path) == [Exchange(body=path.read_bytes())]
    assert len(list(parse_recording("mastodon", path, START))) == 1


def test_a_body_that_is_no_json_is_an_answer_too(tmp_path: Path) -> None:
    path = tmp_path / "feed.xml"
    path.write_bytes(b"<rss/>")
    assert exchanges(path) == [Exchange(body=b"<rss/>")]


def test_an_exchange_is_read_with_status_and_headers(tmp_path: Path) -> None:
    path = tmp_path / "one.json"
    recorded = {
        "request": {"method": "GET", "url": "https://social.example/api?q=1", "headers": {}, "body": None},
        "response": {"status": 429, "headers": [["Retry-After", "30"], ["X", "1"]], "body": '{"error": "slow"}'},
    }
    path.write_text(json.dumps(recorded), "utf-8")
    (exchange,) = exchanges(path)
    assert (exchange.status, exchange.headers["retry-after"], exchange.asked("q")) == (429, "30", ["1"])
    with pytest.raises(SourceBusy):
        list(parse_recording("mastodon", path, START))


@pytest.mark.parametrize("name", ["cassette.yaml", "cassette.yml", "cassette.json"])
def test_a_cassette_is_read_whole_and_the_same_post_counts_once(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    cassette = vcrpy([status(0), status(1)], [status(1, "Fixed"), status(2)])
    path.write_text(json.dumps(cassette) if name.endswith("json") else yaml.safe_dump(cassette), "utf-8")
    found = [one for one in parse_recording("mastodon", path, START) if isinstance(one, Mention)]
    assert [one.text for one in found] == ["Pothole", "Fixed", "Pothole"]
    assert exchanges(path)[0].asked("a") == ["1", "2"]


def test_a_cassette_of_the_other_vcr_is_read(tmp_path: Path) -> None:
    path = tmp_path / "ruby.yml"
    coded = base64.b64encode(json.dumps([status()]).encode()).decode()
    one = {
        "request": {"method": "get", "uri": "https://social.example/"},
        "response": {"status": {"code": 200}, "headers": {"A": "b"}, "body": {"base64_string": coded}},
    }
    path.write_text(yaml.safe_dump({"http_interactions": [one]}), "utf-8")
    assert len(list(parse_recording("mastodon", path, START))) == 1


def test_a_compressed_body_is_expanded(tmp_path: Path) -> None:
    path = tmp_path / "gzip.yaml"
    cassette = vcrpy(gzip.compress(json.dumps([status()]).encode()))
    cassette["interactions"][0]["response"]["headers"]["Content-Encoding"] = ["gzip"]
    path.write_text(yaml.safe_dump(cassette), "utf-8")
    assert len(list(parse_recording("mastodon", path, START))) == 1


def test_an_error_comes_after_what_the_others_yielded(tmp_path: Path) -> None:
    path = tmp_path / "mixed.yaml"
    good, bad = vcrpy([status()]), vcrpy({"error": "no"}, status_code=401)
    path.write_text(yaml.safe_dump({"interactions": bad["interactions"] + good["interactions"]}), "utf-8")
    reading = parse_recording("mastodon", path, START)
    assert isinstance(next(reading), Mention)
    with pytest.raises(SourceRefused):
        next(reading)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.yaml", "interactions: [ {"),
        ("b.yaml", "interactions:\n- nothing"),
        ("c.yaml", "interactions:\n- {request: {}, response: {status: {code: many}}}"),
        ("d.json", '{"response": {"status": "x"}}'),
        ("e.yaml", "!!python/object/apply:os.system ['true']"),
    ],
)
def test_a_cassette_that_cannot_be_read_is_named(tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / name
    path.write_text(text, "utf-8")
    with pytest.raises(BadInput, match=name):
        exchanges(path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="nowhere"):
        exchanges(tmp_path / "nowhere.json")


def test_a_kind_that_does_not_exist_is_named_with_those_that_do(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"bluesky, .*mastodon"):
        list(parse_recording("myspace", tmp_path / "x.json", START))


def test_broken_json_is_an_answer_that_the_source_judges(tmp_path: Path) -> None:
    path = tmp_path / "broken.json"
    path.write_bytes(b'[{"uri": ')
    with pytest.raises(SourceChanged):
        list(parse_recording("mastodon", path, START))
