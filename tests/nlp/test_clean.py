import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.clean import prepare

CASES = [
    ("", ""),
    (" \t\n\u200b", ""),
    ("#BrokenStreetLight on 5th", "broken street light on 5th"),
    ("#ADAramp #aguaSucia #potholes_on_Main", "ad aramp agua sucia potholes on main"),
    ("item #4 of case #1234", "item #4 of case #1234"),
    ("sooooo dark, noooo waaay", "soo dark, noo waay"),
    ("why?????? help!!!!!", "why??? help!!!"),
    ("see https://example.org/a?b=1, or www.example.org now", "see http or http now"),
    ("@bob and @maria@social.example: hi", "@user and @user: hi"),
    ("RT @bob: RT @amy: no water", "no water"),
    ("💧🚱 at home 👍🏽", "droplet non-potable water symbol at home thumbs up sign"),
    ("❤️ gracias", "heavy black heart gracias"),
    ("🇺🇸 parade", "flag parade"),
    ("ｆｕｌｌ　ｗｉｄｔｈ", "full width"),
    ("zero\u200bwidth and\u00a0space", "zerowidth and space"),
    ("trash &amp; recycling &lt;3", "trash & recycling <3"),
    ("call [phone] or [email]", "call [phone] or [email]"),
    ("¿Cuándo arreglan la acera?", "¿Cuándo arreglan la acera?"),
    ("1000000 calls in 2024", "1000000 calls in 2024"),
]


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_text_is_brought_to_one_spelling(text: str, expected: str) -> None:
    assert prepare(text) == expected


def test_the_agencys_own_handle_stays() -> None:
    assert prepare("@MapleHarbor @bob fix it", keep={"@mapleharbor"}) == "@MapleHarbor @user fix it"


pieces = st.sampled_from(
    [
        "#",
        "@",
        "RT @a: ",
        "http://",
        "www.",
        "&amp;",
        "&",
        "lt;",
        "aaa",
        "!!!!",
        "\u200b",
        "é",
        "e\u0301",
        "👍🏽",
        "🇺🇸",
        " ",
        "Ab",
        "_",
        "1",
        ".",
        "\ufe0f",
        "😡",
        "\x00",
        "ﷺ",
        "İ",
        "ß",
    ]
)


@given(st.lists(pieces, max_size=20).map("".join) | st.text(max_size=60))
def test_preparing_twice_is_preparing_once(text: str) -> None:
    once = prepare(text)
    assert prepare(once) == once
    assert once == once.strip()
    assert "\u200b" not in once


@given(st.text(alphabet="abc 12,", max_size=50))
def test_plain_words_are_kept(text: str) -> None:
    prepared = prepare(text)
    assert set(prepared) <= set(text)
    assert prepared.count("1") == text.count("1")
