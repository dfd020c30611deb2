from datetime import UTC, date, datetime, timedelta, timezone
from html.parser import HTMLParser
from time import perf_counter
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.text import aware, plain_text, tidy


class Markup(HTMLParser):
    """Python's own parser, as an independent judge of what is still markup."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.found.append(tag)

    def handle_endtag(self, tag: str) -> None:
        self.found.append(tag)

    def handle_comment(self, data: str) -> None:
        self.found.append(data)

    def handle_decl(self, decl: str) -> None:
        self.found.append(decl)

    def handle_pi(self, data: str) -> None:
        self.found.append(data)


TAGS = """<p> </p> <b > < <!-- --> " <script> </script> <a_href=' ' <? = <![CDATA[ <pre> <br/> </ ! a='"""
SIGNS = "&lt; &amp; amp; lt; &#60; &#x3c;script&#62; & #38; &nbsp; &notit; &NewLine; &#13; &Tab; x 3 é 😀"
SPACES = ["\n", " ", "\x00", "\x01", "\ud800", "\u2028", "\x85"]
pieces = st.sampled_from([*TAGS.split(), *SIGNS.split(), *SPACES])
hostile = st.one_of(st.text(), st.lists(pieces, max_size=30).map("".join))


@given(hostile)
def test_plain_text_twice_is_once(html: str) -> None:
    once = plain_text(html)
    assert plain_text(once) == once


@given(hostile)
def test_no_markup_comes_out(html: str) -> None:
    judge = Markup()
    judge.feed(plain_text(html))
    judge.close()
    assert judge.found == []


@given(hostile)
def test_output_can_be_stored_as_utf_8(html: str) -> None:
    plain_text(html).encode()
    assert tidy(tidy(html)) == tidy(html)


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<p>one</p>\n<p>two<br>three</p>", "one\n\ntwo\nthree"),
        ("plain\nlines\nstay", "plain\nlines\nstay"),
        ("<p>wrapped\nby the author's editor</p>", "wrapped by the author's editor"),
        ("I &lt;3 this &amp; that", "I <3 this & that"),
        ("if a&lt;b and c&gt;d", "if a< b and c>d"),
        ("mail <maria@example.org> now", "mail < maria@example.org> now"),
        ("&lt;p&gt;escaped twice&lt;/p&gt;", "escaped twice"),
        ("AT&amp;amp;T", "AT&T"),
        ("see https://example.org/?a=1&copy=2", "see https://example.org/?a=1&copy=2"),
        ("<script>alert(1)</script>Hi<style>p{}</style>", "Hi"),
        ('<a href="https://a.example/x"><span class="invisible">https://</span><span>a.example/x</span></a>', "https://a.example/x"),
        ("<ul><li>one</li><li>two</li></ul>", "one\n\ntwo"),
        ("<img src=x onerror=alert(1)>done", "done"),
        ('fixed <img src="1f6a7.png" alt="🚧" class="wp-smiley" />!', "fixed 🚧!"),
        ('cut off <a href="https://exa', "cut off"),
        ("caf&eacute; &#8211; &#x1F600;", "café – 😀"),
        ("<table><tr><td>a</td><td>b</td></tr></table>", "a b"),
    ],
)  # fmt: skip
def test_what_a_reader_sees(html: str, expected: str) -> None:
    assert plain_text(html) == expected


@pytest.mark.parametrize(
    "piece", ["<a ", '<a "', "<!--", "<script>", "&amp;", "&", "&&#35;", "<", "<a '\"", "<b>", "amp;", "<p\n", "</"]
)
def test_long_hostile_text_takes_no_long_time(piece: str) -> None:
    begin = perf_counter()
    plain_text(("&" if piece == "amp;" else "") + piece * (200_000 // len(piece)))
    assert perf_counter() - begin < 3


EAST = ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-03-02T10:00:00-05:00", datetime(2026, 3, 2, 15, tzinfo=UTC)),
        ("2026-03-02T15:00:00.123456789Z", datetime(2026, 3, 2, 15, 0, 0, 123456, tzinfo=UTC)),
        ("Mon, 02 Mar 2026 15:00:00 +0000", datetime(2026, 3, 2, 15, tzinfo=UTC)),
        ("Mon, 02 Mar 2026 10:00:00 EST", datetime(2026, 3, 2, 15, tzinfo=UTC)),
        (1772463600, datetime(2026, 3, 2, 15, tzinfo=UTC)),
        ("1772463600", datetime(2026, 3, 2, 15, tzinfo=UTC)),
        (1772463600000, datetime(2026, 3, 2, 15, tzinfo=UTC)),
        ("03/02/2026 10:00:00 AM", datetime(2026, 3, 2, 15, tzinfo=UTC)),
        ("2026-03-02 10:00", datetime(2026, 3, 2, 15, tzinfo=UTC)),
        (date(2026, 3, 2), datetime(2026, 3, 2, 5, tzinfo=UTC)),
        ("2026-03-02", datetime(2026, 3, 2, 5, tzinfo=UTC)),
        (datetime(2026, 3, 2, 16, tzinfo=timezone(timedelta(hours=1))), datetime(2026, 3, 2, 15, tzinfo=UTC)),
        ("2026-03-02 15:00:00 UTC", datetime(2026, 3, 2, 15, tzinfo=UTC)),
    ],
)
def test_every_way_to_write_one_moment(value: object, expected: datetime) -> None:
    assert aware(value, EAST) == expected


@pytest.mark.parametrize(
    "value", [None, "", "soon", float("nan"), True, "99/99/2026", float("inf"), 10**30, [], "0000"]
)
def test_no_moment_is_none(value: object) -> None:
    assert aware(value) is None


@given(st.one_of(st.text(), st.floats(), st.integers(), st.binary(), st.dates(), st.datetimes()))
def test_any_value_is_an_aware_moment_or_none(value: object) -> None:
    moment = aware(value, EAST)
    assert moment is None or moment.utcoffset() == timedelta(0)
