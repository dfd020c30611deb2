"""Every real recording of our sources yields what a person counted in it: tests/collectors/recordings.csv.

Listings are also counted by a second, blunt way that knows nothing of the parsers.
"""

import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from collectors.recordings import exchanges
from collectors.registry import KINDS, parse_recording
from core.errors import SourceError
from core.mention import Deletion, Mention, Person
from tests.conftest import NOW

TABLE = Path(__file__).with_name("recordings.csv")
ROWS = list(csv.DictReader(TABLE.read_text("utf-8").splitlines()))
FOLDERS = sorted({row["file"].partition("/")[0] for row in ROWS})


def read(kind: str, path: Path) -> tuple[list[Mention | Deletion], str]:
    found: list[Mention | Deletion] = []
    try:
        for one in parse_recording(kind, path, NOW):
            found.append(one)
    except SourceError as error:
        return found, type(error).__name__
    return found, ""


@pytest.mark.parametrize("row", ROWS, ids=[row["file"] for row in ROWS])
def test_a_recording_yields_what_was_counted_in_it(row: dict[str, str], shared: Path) -> None:
    found, error = read(row["kind"], shared / "recordings" / row["file"])
    mentions = [one for one in found if isinstance(one, Mention)]
    assert (len(mentions), len(found) - len(mentions), error) == (
        int(row["mentions"]),
        int(row["deletions"]),
        row["error"],
    )
    for one in mentions:
        assert one.seen_at == NOW
        assert one.own is False
        assert one.author is None or isinstance(one.author, Person)
        assert "<p>" not in one.text
        assert one.text or one.repost_of or one.media or one.stars is not None or "no words" in row["why"]


def test_no_recording_of_these_sources_is_left_out(shared: Path) -> None:
    there = {
        str(path.relative_to(shared / "recordings"))
        for folder in FOLDERS
        for path in (shared / "recordings" / folder).rglob("*")
        if path.is_file()
    }
    assert there == {row["file"] for row in ROWS}


def test_the_table_is_whole() -> None:
    assert len({row["file"] for row in ROWS}) == len(ROWS)
    assert {row["kind"] for row in ROWS} <= set(KINDS)
    assert all(row["why"] for row in ROWS)


def objects(data: Any) -> Iterator[dict[str, Any]]:
    if isinstance(data, dict):
        yield data
    for inner in data.values() if isinstance(data, dict) else data if isinstance(data, list) else ():
        yield from objects(inner)


def counted(kind: str, path: Path) -> set[str]:
    """The ids of all that looks like a public post anywhere in a recording, embedded ones too."""
    found: set[str] = set()
    for exchange in exchanges(path):
        for line in exchange.body.decode("utf-8", "replace").splitlines():
            text = line.removeprefix("data:").strip()
            if not text.startswith(("{", "[")):
                continue
            for one in objects(json.loads(text)):
                mark = {"mastodon": {"uri", "content", "account"}, "bluesky": {"uri", "cid", "author", "record"}}[kind]
                if mark <= one.keys() and one.get("visibility", "public") in ("public", "unlisted"):
                    found.add(one["uri"])
    return found


# Where the blunt count differs: it counts likes as posts, and knows neither records alone nor frames.
_BLUNT = ("listNotifications", "getRecord_ok", "extended_post_record", "subscribeRepos")


@pytest.mark.parametrize(
    "row", [row for row in ROWS if row["kind"] in ("mastodon", "bluesky") and not any(b in row["file"] for b in _BLUNT)]
)
def test_a_blunt_count_agrees(row: dict[str, str], shared: Path) -> None:
    path = shared / "recordings" / row["file"]
    if path.suffix == ".json" and "response" not in json.loads(path.read_text("utf-8")):
        body = json.dumps(json.loads(path.read_text("utf-8")))
        assert ("app.bsky.feed.post" in body) is False or int(row["mentions"]) == 0
        return
    found, _ = read(row["kind"], path)
    assert {one.external_id for one in found if isinstance(one, Mention)} == counted(row["kind"], path)


# What an entry or a review looks like, without any parser.
_MARKS = {
    "feed": r"<(?:item|entry)[\s>]",
    "reviews_page": r"itemtype=\"https?://schema\.org/Review\"|\"(?:@|\\u0040)type\"\s*:\s*\"Review\"",
}


@pytest.mark.parametrize("row", [row for row in ROWS if row["kind"] in _MARKS and "rest_" not in row["file"]])
def test_a_search_for_the_words_of_the_format_agrees(row: dict[str, str], shared: Path) -> None:
    (exchange,) = exchanges(shared / "recordings" / row["file"])
    text = exchange.body.decode("utf-8", "replace")
    assert len(re.findall(_MARKS[row["kind"]], text)) == int(row["mentions"])
