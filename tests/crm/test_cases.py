import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm import cases, codes
from storage.cases import case_code
from tests.crm.make import mention, scores


def test_a_draft_says_what_the_resident_said() -> None:
    draft = cases.draft_case(mention(text="Water main burst\n\nOak Street is flooded.", url="https://example.org/1"))
    assert draft.key == "mention:mastodon:100"
    assert draft.title == "Water main burst"
    assert draft.body == "Water main burst\n\nOak Street is flooded."
    assert (draft.topic, draft.url) == ("drainage_flooding_water_sewer", "https://example.org/1")


def test_a_mention_without_text_or_topic_still_makes_a_case() -> None:
    draft = cases.draft_case(mention(text="\u200b \n", scores=scores(topics=())))
    assert (draft.title, draft.topic) == ("Post without text", None)


def test_a_long_first_line_is_cut_between_words() -> None:
    short = cases.title("pothole " * 40)
    assert len(short) <= cases.TITLE
    assert short.endswith("pothole…")
    assert len(cases.title("x" * 500)) == cases.TITLE


def test_only_addresses_of_the_web_are_kept() -> None:
    assert cases.web_address("HTTPS://example.org/a?b=1") == "HTTPS://example.org/a?b=1"
    for bad in ("javascript:alert(1)", "file:///etc/passwd", "https://example.org/\nx", "https://a b", ""):
        assert cases.web_address(bad) == ""


def test_emoji_and_scripts_survive() -> None:
    text = "👩‍🚒 ¿Dónde está el agua? नमस्ते 水"
    assert cases.plain(text) == text


@given(st.text())
def test_nothing_that_steers_a_terminal_or_a_header_is_left(text: str) -> None:
    plain = cases.plain(text)
    assert not [sign for sign in plain if sign not in "\n\t" and unicodedata.category(sign) in ("Cc", "Cs")]
    assert "\u202e" not in plain
    assert cases.plain(plain) == plain
    assert "\n" not in cases.title(text)
    assert len(cases.title(text)) <= cases.TITLE


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("case m-bf7wx, please", ("M-BF7WX",)),
        ("(M-BF7WX) and M-2345, M-BF7WX again", ("M-BF7WX", "M-2345")),
        ("XM-BF7WX M-BF7WX-2 M-1 m-é345 M-BF7WX234567890", ()),
        ("", ()),
    ],
)
def test_codes_are_found_as_people_quote_them(text: str, found: tuple[str, ...]) -> None:
    assert codes.quoted(text) == found


def test_a_code_as_storage_makes_it_is_found() -> None:
    made = case_code("mention:mastodon:1")
    assert codes.quoted(f"about {made.lower()}.") == (made,)
