"""What words promise: escaped text is never markup, times and numbers read as people say them."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.scores import TOPICS
from crm.cases import plain
from dashboard import words
from tests.dashboard.shown import unescaped

NOW = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
ZONE = ZoneInfo("America/New_York")
MARKUP = "\\`*_{}[]()#+-.!|<>~$&^=\"'/:@"
said = st.text(st.one_of(st.sampled_from(MARKUP + " \n\tab1w"), st.characters(exclude_categories=["Cs"])), max_size=120)


@given(said)
@example("![x](https://evil.example/p.png)")
@example("www.evil.example")
@example(":material/delete: :red[x]")
@example("\\\\[a](b)")
def test_each_sign_of_markdown_is_escaped(text: str) -> None:
    escaped = words.escaped(text, 1000)
    for match in re.finditer(f"[{re.escape(MARKUP)}]", escaped):
        before = len(escaped[: match.start()]) - len(escaped[: match.start()].rstrip("\\"))
        if match[0] == "\\":
            continue
        assert before % 2 == 1, escaped
    assert "\n" not in escaped


@given(said)
def test_what_is_escaped_can_be_read_back(text: str) -> None:
    line = " ".join(plain(text).replace(words.JOINER, "").split())
    assert unescaped(words.escaped(text, 1000)) == line


@given(said)
def test_nothing_live_is_left(text: str) -> None:
    escaped = words.escaped(text, 1000)
    assert not re.search(r"[:@](?!\u2060)", escaped)
    assert not re.search(r"www\\?\.", escaped, re.IGNORECASE)


@given(said, st.integers(1, 50))
def test_escaped_is_as_short_as_asked(text: str, longest: int) -> None:
    assert len(unescaped(words.escaped(text, longest))) <= longest


@given(said)
def test_text_never_steers_and_twice_is_once(text: str) -> None:
    once = words.text(text)
    assert words.text(once) == once
    assert not set(once) & set("\u202e\u2066\x1b\x00")


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://town.example/1", "town.example"),
        ("HTTP://town.example", "town.example"),
        ("javascript:alert(1)", None),
        ("data:text/html,x", None),
        ("https://[broken", None),
        ("https://a b.example", None),
        ("", None),
    ],
)
def test_only_addresses_of_the_web_are_links(url: str, host: str | None) -> None:
    found = words.address(url)
    assert (found and found[1]) == host


def test_times_are_the_agencys() -> None:
    assert words.local(NOW, ZONE) == "Mon 2 Mar 2026, 10:00"
    assert words.local(None, ZONE) == "no time given"
    assert words.ago(NOW - timedelta(hours=3, minutes=59), NOW) == "3 hours ago"
    assert words.ago(NOW, NOW) == "just now"
    assert words.due(NOW + timedelta(minutes=90), NOW, ZONE) == "answer due in 1 hour (Mon 2 Mar 2026, 11:30)"
    assert words.due(NOW - timedelta(days=2), NOW, ZONE).startswith("ANSWER OVERDUE by 2 days (it was due Sat 28 Feb")
    assert words.due(None, NOW, ZONE) == "no clock runs for it"


def test_shares_never_say_nothing_or_all_when_it_is_not() -> None:
    assert [words.percent(x) for x in (0, 0.001, 0.174, 0.999, 1)] == ["0%", "under 1%", "17%", "over 99%", "100%"]


def test_chances_are_words_with_their_number() -> None:
    assert [words.chance(x) for x in (0.01, 0.1, 0.35, 0.7, 0.9)] == [
        "very unlikely (1%)",
        "unlikely (10%)",
        "possible (35%)",
        "likely (70%)",
        "very likely (90%)",
    ]


def test_each_topic_has_a_name() -> None:
    assert set(words.TOPIC_NAMES) == set(TOPICS)
    assert words.topic("") == "All topics"


def test_counts_agree_with_their_nouns() -> None:
    assert words.count(1, "mention") == "1 mention"
    assert words.count(1204, "mention") == "1,204 mentions"
