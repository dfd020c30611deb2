"""Masking of simple personal data before a text is stored: e-mail, phone, payment card, social security number.

Own recognisers: a shape, then a check (numbering plans of `phonenumbers`, Luhn, ranges). Every search starts from a
mark that must be there ("@", a run of digits) and looks a bounded way around it, so that time grows with length only.
Measured recall and false alarms: docs/texts.md.
"""

import re
from collections.abc import Container, Iterator
from dataclasses import dataclass

from nlp.pii_numbers import find_numbers
from nlp.pii_shapes import Span, fold

#: Passes until nothing is found; one and a check is the rule, more happen only on hostile text.
_PASSES = 6
_LOCAL_BACKWARDS = re.compile(r"[\w.+%'-]{1,128}")
_DOMAIN = re.compile(r"(?:[^\W_](?:[\w-]{0,62}[^\W_])?\.){1,8}[^\W\d_]{2,24}(?![\w@])")
_AT = re.compile(r"\s?[\[({<]\s?(?:at|arroba|@)\s?[\])}>]\s?|\s(?:at|arroba)\s", re.IGNORECASE)
_DOT = r"(?:\s?[\[({<]\s?(?:dot|punto|\.)\s?[\])}>]\s?|\s(?:dot|punto)\s|\.)"
_TLD = r"(?:com|org|net|edu|gov|info|io|co|us|uk|es|mx|ar|cl|pe|eu|ca|cat|example|test|invalid)"
_SPELT_DOMAIN = re.compile(rf"(?:[\w-]{{1,63}}{_DOT}){{1,4}}{_TLD}\b", re.IGNORECASE)
_SPELT_DOT = re.compile(r"\b(?:dot|punto)\b|[\[({<]\s?\.\s?[\])}>]", re.IGNORECASE)
#: Words before a bare "at" that say that a website follows, not that a mailbox went before.
_NOT_A_MAILBOX = re.compile(
    r"look(?:ing)?|is|are|was|were|me|us|it|him|her|them|you|here|there|shop(?:ping)?|buy|bought|order(?:ed)?|available|"
    r"up|online|arrived?|meet|read|more|info(?:rmation)?|site|website|page|forms?|sale|register|appl(?:y|ied)|pay|paid|"
    r"book(?:ed)?|find|found|see|check|out|work(?:s|ing)?|live|and|or|only|now|today",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Masked:
    """A text without the personal data that was found in it.

    Attributes:
        text: with "[email]", "[phone]", "[card]", "[ssn]" in its place.
        found: how many of each kind; a kind that was not found is not there.
    """

    text: str
    found: dict[str, int]


def mask(text: str, *, keep: Container[str] = frozenset()) -> Masked:
    """Put "[email]", "[phone]", "[card]" or "[ssn]" where such a thing stood. Masking twice changes nothing more.

    Args:
        text: anything a resident may write.
        keep: the agency's own addresses (lower case) and numbers (digits only, or "+12125550100"): they stay.

    >>> mask("call me: (212) 555-0142 or pat@example.org").text
    'call me: [phone] or [email]'
    """
    found: dict[str, int] = {}
    for _ in range(_PASSES):
        spans = _spans(text, keep)
        if not spans:
            break
        text = _replace(text, spans, found)
    return Masked(text=text, found=found)


def _spans(text: str, keep: Container[str]) -> list[Span]:
    """Find what is to be masked: in order, without overlaps; at one place the earlier kind wins."""
    folded = fold(text)
    candidates: list[Span] = []
    if "@" in folded.text:
        candidates += _emails(folded.text, keep)
    if _SPELT_DOT.search(folded.text):
        candidates += _spelt_emails(folded.text)
    candidates += find_numbers(folded.text, keep)
    chosen: list[Span] = []
    for span in sorted(candidates, key=lambda span: (span.start, -span.end)):
        if not chosen or span.start >= chosen[-1].end:
            chosen.append(span)
    return [folded.original(span) for span in chosen]


def _replace(text: str, spans: list[Span], found: dict[str, int]) -> str:
    pieces, at = [], 0
    for span in spans:
        pieces += [text[at : span.start], f"[{span.kind}]"]
        found[span.kind] = found.get(span.kind, 0) + 1
        at = span.end
    return "".join([*pieces, text[at:]])


def _emails(text: str, keep: Container[str]) -> Iterator[Span]:
    at = text.find("@")
    while at != -1:
        span = _email_around(text, at)
        if span is not None and text[span.start : span.end].lower() not in keep:
            yield span
        at = text.find("@", at + 1)


def _email_around(text: str, at: int) -> Span | None:
    local = _LOCAL_BACKWARDS.match(text[max(0, at - 128) : at][::-1])
    domain = _DOMAIN.match(text, at + 1, at + 256)
    if local is None or domain is None:
        return None
    start = at - len(local[0].rstrip(".'-%"))
    if start == at or (start > 0 and text[start - 1] == "@"):  # @maria@server.example is a public handle
        return None
    return Span(start, domain.end(), "email")


def _spelt_emails(text: str) -> Iterator[Span]:
    """Find "name at mail dot com" and its bracketed and Spanish forms."""
    for at in _AT.finditer(text):
        local = _LOCAL_BACKWARDS.match(text[max(0, at.start() - 128) : at.start()][::-1])
        domain = _SPELT_DOMAIN.match(text, at.end(), at.end() + 256)
        if local is None or domain is None:
            continue
        bare = at[0].strip().isalpha()
        if bare and (_NOT_A_MAILBOX.fullmatch(local[0][::-1]) or not _SPELT_DOT.search(domain[0])):
            continue
        yield Span(at.start() - len(local[0]), domain.end(), "email")
