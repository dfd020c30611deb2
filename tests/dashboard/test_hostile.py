"""Text from outside is data on every page: what a resident wrote can be read as it was written, and does nothing."""

from datetime import datetime

import pytest
from sqlalchemy import text as sql

from dashboard.words import JOINER
from storage import cases, desk
from tests.dashboard.shown import PAGES, page, plain, press, read_as_markdown, unescaped
from tests.dashboard.texts import HOSTILE, LONG
from tests.dashboard.world import HOSTILE_HANDLE, HOSTILE_TITLE, MARIA, World

STEERING = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f"
#: What no place that reads Markdown may hold with nothing before its signs.
LIVE = ("](", "<img", "<script", "![", "**", ":material/", ":red[", "$", "https://", "www.", "@evil")


def everything(world: World, name: str) -> tuple[str, list[str]]:
    """The newest of the desk, or a page: its plain text and what is read as Markdown."""
    shown, markdown = [], []
    for number in (1, 2) if name == "desk" else (1,):  # the newest: made by hand
        at = page(world, name, "max", **({"order": "Newest first", "page": str(number)} if name == "desk" else {}))
        shown.append(plain(at))
        markdown += read_as_markdown(at)
    return "\n".join(shown), markdown


def spoil(world: World, now: datetime) -> None:
    """Put what Markdown would read wherever a name or title can come from."""
    with world.store.write() as tx:
        desk.assign(tx, world.ids["harm"], HOSTILE_HANDLE, MARIA, now)
        cases.assign(tx, world.cases["main"], HOSTILE_HANDLE, MARIA, now)


def test_hostile_texts_are_read_as_they_were_written(full: World) -> None:
    shown, _ = everything(full, "desk")
    for name, text in HOSTILE.items():
        kept = "".join(sign for sign in text if sign not in STEERING)
        assert kept in shown, name


@pytest.mark.parametrize("name", PAGES)
def test_nothing_hostile_stands_where_markdown_is_read(full: World, present: datetime, name: str) -> None:
    spoil(full, present)
    _, markdown = everything(full, name)
    for said in markdown:
        for sign in LIVE:
            ours = said.startswith("**Somebody may come to harm (")
            assert ours or sign not in said, said


@pytest.mark.parametrize("name", PAGES)
def test_nothing_turns_the_writing_round(full: World, name: str) -> None:
    shown, markdown = everything(full, name)
    assert not set(STEERING) & set(shown + "".join(markdown))


def test_a_long_text_is_cut_and_kept(full: World) -> None:
    at = page(full, "desk", order="Newest first")
    number = full.ids["long"]
    assert f"The whole text of mention {number}, {len(LONG):,} characters" in [each.label for each in at.expander]
    texts = [each.value for each in at.text]
    assert LONG.strip() in texts
    assert any(each.startswith(LONG[:900].strip()) and each.endswith("…") for each in texts)


def test_a_hostile_title_is_escaped_in_the_list_and_the_case(full: World) -> None:
    at = page(full, "cases")
    heading = next(each.value for each in at.subheader if "pwned" in each.value)
    assert unescaped(heading).endswith(HOSTILE_TITLE)
    with full.store.read() as read:
        code = cases.one(read, full.cases["main"]).case.code  # type: ignore[union-attr]
    press(at, f"Open case {code}")
    assert HOSTILE_TITLE in plain(at)


def test_an_address_that_is_none_of_the_web_is_no_link(full: World) -> None:
    assert len(page(full, "desk").link_button) == 12
    with full.store.write() as tx:
        tx.execute(sql("UPDATE mention SET url = 'javascript:alert(1)'"))
    assert len(page(full, "desk").link_button) == 0


def test_an_error_message_of_a_source_is_text(full: World) -> None:
    shown = plain(page(full, "sources", "max"))
    assert "It said: robots.txt forbids it: **ask** the [site](https://evil.example)" in shown
    assert "![x](https://evil.example/1.png) **failed**" in shown


def test_a_joiner_is_in_what_streamlit_would_replace(full: World) -> None:
    """Streamlit reads :smile: even behind a backslash."""
    at = page(full, "cases")
    heading = next(each.value for each in at.subheader if "pwned" in each.value)
    assert f"https\\:{JOINER}" in heading
