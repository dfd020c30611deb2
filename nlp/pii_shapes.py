"""Text as the recognisers see it: digits, dashes and letters of all widths and scripts in their plain form."""

import re
import unicodedata
from typing import NamedTuple

#: Format characters, variation selectors and keycaps: they hide a number from a pattern, not from a reader.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufe00-\ufe0f\ufeff\u20e3]"
)
_DASHES = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d"), "-")


class Span(NamedTuple):
    """A stretch [start, end) and what it is."""

    start: int
    end: int
    kind: str


class Folded(NamedTuple):
    """The plain form, and for each of its characters where it stood (None: at the same place)."""

    text: str
    places: list[int] | None

    def original(self, span: Span) -> Span:
        """The same stretch in the text as it was."""
        if self.places is None:
            return span
        return Span(self.places[span.start], self.places[span.end - 1] + 1, span.kind)


class _Plain(dict[int, str]):
    """Character to its one plain character, learnt as characters come."""

    def __missing__(self, code: int) -> str:
        letter = chr(code)
        plain = unicodedata.normalize("NFKC", letter)
        if len(plain) != 1 or not plain.isascii():
            digit = unicodedata.decimal(letter, None)
            plain = letter if digit is None else str(digit)
        self[code] = plain
        return plain


_PLAIN = _Plain(_DASHES)


def fold(text: str) -> Folded:
    """Bring full-width and other scripts' digits, odd dashes and spaces to ASCII, and drop invisible characters."""
    if text.isascii():
        return Folded(text, None)
    if _INVISIBLE.search(text) is None:
        return Folded(text.translate(_PLAIN), None)
    places = [place for place, letter in enumerate(text) if not _INVISIBLE.match(letter)]
    return Folded("".join(text[place] for place in places).translate(_PLAIN), places)
