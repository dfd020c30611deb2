"""Places a text names: matched against the agency's own gazetteer, never guessed.

Two streets beside each other make an intersection ("5th & Main"), a house number makes an address ("118 Main St").
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from nlp.gazetteer import WORD, Entry, Gazetteer, Point, plain

__all__ = ["Entry", "Gazetteer", "Place", "find"]

_JOIN = re.compile(
    r"\s*(?:&|/|@|\band\b|\bat\b|\by\b|\be\b|\bcon\b|\besquina(?:\s+(?:con|a|de))?\b|\besq\.?)\s*", re.IGNORECASE
)
_HOUSE_BEFORE = re.compile(r"(?<![\w.,])([1-9][0-9]{0,5}[a-z]?)\s+$", re.IGNORECASE)
_HOUSE_AFTER = re.compile(
    r"(?:\s*,)?\s*(?:n[.ºo°]{1,2}\s*|n[uú]mero\s+|#\s*)?([1-9][0-9]{0,4})(?![\w:.]|\s*(?:am|pm|h)\b)", re.I
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A place named in a text.

    Attributes:
        name: as the gazetteer has it; "118 Main Street" of an address, "5th Avenue & Main Street" of an intersection.
        kind: as the gazetteer has it, or "address", "intersection".
        point: of the gazetteer's row; of an intersection none, for two streets' points do not say where they cross.
        words: as the text has it: text[start:end].
    """

    name: str
    kind: str
    point: Point | None
    words: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Hit:
    entry: Entry
    whole: bool
    start: int
    end: int


def find(text: str, gazetteer: Gazetteer) -> list[Place]:
    """Find the places a text names, in its order; the longest name wins, and a bare street name needs a partner.

    "Main" alone is a word like any other: it counts beside another street ("5th & Main") or a house number.
    """
    hits = list(_hits(text, gazetteer))
    places: list[Place] = []
    while hits:
        hit, free = hits.pop(0), places[-1].end if places else 0
        crossing = hits[0] if hits and _cross(text, hit, hits[0]) else None
        if crossing is not None:
            name = f"{hit.entry.name} & {crossing.entry.name}"
            places.append(_place(text, name, "intersection", None, hit.start, crossing.end))
            hits.pop(0)
        elif hit.entry.kind == "street" and (address := _address(text, hit, free)) is not None:
            places.append(address)
        elif hit.whole:
            places.append(_place(text, hit.entry.name, hit.entry.kind, hit.entry.point, hit.start, hit.end))
    return places


def _hits(text: str, gazetteer: Gazetteer) -> Iterator[_Hit]:
    words = list(WORD.finditer(text))
    forms = [plain(word[0]) for word in words]
    at = 0
    while at < len(words):
        for length in range(min(gazetteer.longest, len(words) - at), 0, -1):
            known = gazetteer.names.get(tuple(forms[at : at + length]))
            if known is not None:
                yield _Hit(*known, words[at].start(), words[at + length - 1].end())
                at += length - 1
                break
        at += 1


def _cross(text: str, first: _Hit, second: _Hit) -> bool:
    streets = first.entry.kind == second.entry.kind == "street" and first.entry != second.entry
    return streets and _JOIN.fullmatch(text[first.end : second.start].lstrip(".")) is not None


def _address(text: str, hit: _Hit, free: int) -> Place | None:
    """The street with a house number before it (not before `free`: that belongs to the last place) or after it."""
    if before := _HOUSE_BEFORE.search(text[max(free, hit.start - 10) : hit.start]):
        start = hit.start - len(before[0])
        if hit.whole or len(before[1]) >= 3 or text[hit.start].isupper():  # not the "5 main reasons"
            return _place(text, f"{before[1]} {hit.entry.name}", "address", hit.entry.point, start, hit.end)
    if after := _HOUSE_AFTER.match(text, hit.end) if hit.whole else None:
        return _place(text, f"{hit.entry.name} {after[1]}", "address", hit.entry.point, hit.start, after.end())
    return None


def _place(text: str, name: str, kind: str, point: Point | None, start: int, end: int) -> Place:
    return Place(name=name, kind=kind, point=point, words=text[start:end], start=start, end=end)
