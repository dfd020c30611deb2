"""HTML to plain text, and what sources call a date to aware moments. Pure; linear in the length of the text."""

import html
import math
import re
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime, time, tzinfo
from email.utils import parsedate_to_datetime
from html.entities import html5


def _words(line: str) -> frozenset[str]:
    return frozenset(line.split())


_BLOCK = _words(
    "address article aside blockquote body br center dd details dialog div dl dt fieldset figcaption figure footer "
    "form h1 h2 h3 h4 h5 h6 head header hr html legend li main nav ol option p pre section select summary table "
    "tbody tfoot thead title tr ul"
)
_PARAGRAPH = _words("blockquote h1 h2 h3 h4 h5 h6 hr ol p pre table ul")
_INLINE = _words(
    "a abbr acronym applet area audio b base basefont bdi bdo big button canvas caption cite code col colgroup data "
    "datalist del dfn dir em embed font frame frameset i iframe img input ins kbd label link map mark marquee math "
    "menu meta meter nobr noembed noframes noscript object optgroup output param picture progress q rb rp rt rtc "
    "ruby s samp script slot small source span strike strong style sub sup svg td template textarea th time track tt "
    "u var video wbr xmp"
)
_CELL = frozenset(("td", "th"))
_LINE, _GAP = "\x00", "\x01"  # our own line ends, told apart from the markup's; neither survives _CONTROL
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ufeff]")
_NEWLINE = re.compile(r"\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_LONE = re.compile(r"[\ud800-\udfff]")
_TAG = re.compile(
    r"<!--.*?(?:-->|\Z)"
    r"|<(?P<dropped>script|style|template|iframe)\b[^>]*>.*?(?:</(?P=dropped)\s*>|\Z)"
    r"|</?(?P<name>[a-z][a-z0-9:_-]*)(?=[\s/>])(?:[^<>\"']|\"[^\"]*\"|'[^']*')*+>"
    r"|</?(?P<broken>[a-z][a-z0-9:_-]*)(?=[\s/>])[^<>]*>"
    r"|<(?P<cut>[a-z]+)\s[^<>]*=[^<>]*\Z"
    r"|<![a-z\[][^>]*>|<\?[^>]*>",
    re.DOTALL | re.IGNORECASE,
)
_PROSE = re.compile(r"<\w+(?:\s+[\w.,;!?']+){2,}+\s*>")  # "a<b and c>d" is arithmetic, not markup
_REFERENCE = re.compile(r"&(#[0-9]{1,8}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_AMPERSANDS = re.compile(r"&(?:(?:amp|AMP|#0*38|#[xX]0*26);)+")
_PASSES = 8  # text escaped more often than this is broken up instead


def plain_text(html: str) -> str:
    r"""The words a reader of `html` sees: no tag and no character reference is left.

    Applied to its own output it changes nothing. Lines end where blocks end; paragraphs are a blank line apart.
    What only looks like markup ("a<b", an unknown "<tag>") stays, with a space that takes its meaning from it.

    >>> plain_text("<p>Water is <b>out</b></p><p>Oak&nbsp;St &amp; 5th</p>")
    'Water is out\n\nOak St & 5th'
    """
    text = _NEWLINE.sub("\n", _CONTROL.sub("", _LONE.sub("\ufffd", html)))
    for _ in range(_PASSES):
        before = text
        if "<" in text:
            text = _without_tags(text)
        if "&" in text:
            text = _REFERENCE.sub(_character, _AMPERSANDS.sub("&", text))
        if text == before:
            break
    text = re.sub(r"<(?=[a-zA-Z/!?])", "< ", _REFERENCE.sub(_broken_up, text))
    return tidy(text.replace(_GAP, "\n\n").replace(_LINE, "\n"))


def tidy(text: str) -> str:
    r"""`text` without control characters, with single spaces and at most one blank line in a row.

    >>> tidy(" a\t b \r\n\n\n\n c")
    'a b\n\nc'
    """
    text = _NEWLINE.sub("\n", _CONTROL.sub("", _LONE.sub("\ufffd", text)))
    text = re.sub(r"[^\S\n]+", " ", text)
    lines = "\n".join(line.strip() for line in text.split("\n"))
    return re.sub(r"\n{3,}", "\n\n", lines).strip()


def _without_tags(text: str) -> str:
    found = {(m["name"] or m["broken"] or "").lower() for m in _TAG.finditer(text)}
    if found & _BLOCK and "pre" not in found:
        text = text.replace("\n", " ")  # in HTML a line end is a space; without blocks it may be plain text
    return _TAG.sub(_tag, text)


def _tag(match: re.Match[str]) -> str:
    name = (match["name"] or match["broken"] or "").lower()
    if not name:
        known = match["cut"] is None or match["cut"].lower() in _BLOCK | _INLINE
        return "" if known else match[0]
    if name == "img":  # blogs write an emoji as its picture
        alt = re.search(r"\balt=[\"']([^\"'\x00-\x7f]{1,12})[\"']", match[0])
        return alt[1] if alt else ""
    if _PROSE.fullmatch(match[0]):
        return match[0]
    if name in _PARAGRAPH:
        return _GAP
    if name in _BLOCK:
        return _LINE
    if name in _CELL:
        return " "
    return "" if name in _INLINE or ":" in name or "-" in name else match[0]


def _character(match: re.Match[str]) -> str:
    if match[1].startswith("#"):
        return _CONTROL.sub("", html.unescape(match[0]))
    return html5.get(f"{match[1]};", match[0])


def _broken_up(match: re.Match[str]) -> str:
    return match[0] if _character(match) == match[0] else f"& {match[0][1:]}"


_SLASHED = ("%m/%d/%Y %I:%M:%S %p", "%m/%d/%Y %I:%M %p", "%m/%d/%Y %H:%M:%S", "%m/%d/%Y %H:%M", "%m/%d/%Y")


def aware(value: object, default_zone: tzinfo | None = None) -> datetime | None:
    """Any date a source may write, as an aware moment in UTC; None if there is none or it cannot be read.

    Reads ISO 8601, RFC 822, month/day/year, and epoch numbers in s, ms, µs or ns (told apart by size).
    A time without a zone is in `default_zone`, or UTC.

    >>> aware("Tue, 03 Mar 2026 10:00:00 EST")
    datetime.datetime(2026, 3, 3, 15, 0, tzinfo=datetime.timezone.utc)
    """
    try:
        moment = _moment(value)
        if moment is None:
            return None
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=default_zone or UTC)
        return moment.astimezone(UTC)
    except (ValueError, OverflowError, OSError, TypeError, IndexError):
        return None


def _moment(value: object) -> datetime | None:
    if isinstance(value, bool) or value is None or value != value:  # NaN and NaT differ from themselves
        return None
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime.combine(value, time())  # naive on purpose: the caller's zone is added
    if isinstance(value, int | float):
        return _epoch(float(value))
    return _written(" ".join(str(value).split())[:100])


def _epoch(number: float) -> datetime:
    if not math.isfinite(number):
        raise ValueError("not a moment")
    size = abs(number)
    unit = 1.0 if size < 1e11 else 1e3 if size < 1e14 else 1e6 if size < 1e17 else 1e9
    return datetime.fromtimestamp(number / unit, UTC)


def _written(text: str) -> datetime | None:
    if not text:
        return None
    if re.fullmatch(r"-?\d{9,19}(\.\d+)?", text, re.ASCII):
        return _epoch(float(text))
    for read in _READERS:
        try:
            return read(text)
        except (ValueError, TypeError, IndexError, OverflowError):
            continue
    return None


def _iso(text: str) -> datetime:
    if re.fullmatch(r"\d{4}(-\d{2})?", text):  # a year, or a month, as pages write it
        text = f"{text}-01-01"[:10]
    return datetime.fromisoformat(re.sub(r"\s?(UTC|GMT)$", "+00:00", text))


def _slashed(text: str) -> datetime:
    for form in _SLASHED:
        with suppress(ValueError):
            return datetime.strptime(text, form)  # noqa: DTZ007 (the caller's zone is added)
    raise ValueError("not month/day/year")


_READERS: tuple[Callable[[str], datetime], ...] = (_iso, parsedate_to_datetime, _slashed)
