"""The agency's own names for its places, from a file it supplies.

A GeoJSON FeatureCollection (properties name, aliases, kind) or a CSV (name, aliases, kind, lat, lon; aliases separated
by ";"). A row of kind "street" also makes addresses and intersections.
"""

import csv
import json
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from io import StringIO
from pathlib import Path
from typing import Any

from core.errors import SettingsError

Point = tuple[float, float]  # latitude, longitude in degrees

WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
#: Kinds of street as people write them, to one form; in Spanish they stand first, in English last.
_SHORT = {
    "street": "st", "avenue": "ave", "av": "ave", "boulevard": "blvd", "road": "rd", "drive": "dr", "lane": "ln",
    "court": "ct", "place": "pl", "square": "sq", "highway": "hwy", "north": "n", "south": "s", "east": "e",
    "west": "w", "avenida": "ave",
    "avda": "ave", "calle": "c", "cl": "c", "plaza": "pza", "paseo": "po", "saint": "st",
    "first": "1st", "second": "2nd", "third": "3rd", "fourth": "4th", "fifth": "5th", "sixth": "6th", "seventh": "7th",
    "eighth": "8th", "ninth": "9th", "tenth": "10th",
}  # fmt: skip
_SUFFIXES = frozenset("st ave blvd rd dr ln ct pl sq hwy pkwy way ter".split())  # noqa: SIM905 - reads as one line
_PREFIXES = frozenset("c ave pza po ronda camino".split())  # noqa: SIM905 - reads as one line


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One row of a gazetteer."""

    name: str
    kind: str
    point: Point | None = None
    aliases: tuple[str, ...] = ()


class Gazetteer:
    """The names an agency uses for its places, ready to be looked up by their words."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.entries = tuple(entries)

    @cached_property
    def names(self) -> dict[tuple[str, ...], tuple[Entry, bool]]:
        """Words of each name to its row, and whether the name says by itself that it is a place (not bare "Main")."""
        found: dict[tuple[str, ...], tuple[Entry, bool]] = {}
        for entry in self.entries:
            for name in (entry.name, *entry.aliases):
                words = tuple(plain(match[0]) for match in WORD.finditer(name))
                if words:
                    found[words] = (entry, True)
        for words, (entry, _) in list(found.items()):
            bare = _bare(words)
            if entry.kind == "street" and bare and bare not in found:
                found[bare] = (entry, False)
        return found

    @cached_property
    def longest(self) -> int:
        """Words of the longest name."""
        return max(map(len, self.names), default=0)


def load(path: Path) -> Gazetteer:
    """Read a gazetteer file.

    Raises:
        SettingsError: it is neither of the two formats, or a row has no name.
    """
    try:
        text = path.read_text("utf-8-sig")
        entries = _geojson(json.loads(text)) if path.suffix.lower() in {".json", ".geojson"} else _csv(text)
        return Gazetteer(list(entries))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise SettingsError(
            f"gazetteer {path}: {error!r}; it must be a GeoJSON FeatureCollection whose features have a name, "
            "or a CSV with the columns name, aliases, kind, lat, lon"
        ) from error


def plain(word: str) -> str:
    """A word without case and accents, and street words in one form ("Street", "St" -> "st")."""
    letters = unicodedata.normalize("NFKD", word.casefold().replace("’", "'"))
    bare = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return _SHORT.get(bare, bare)


def _bare(words: tuple[str, ...]) -> tuple[str, ...]:
    """A street's name without what says that it is a street: "main" of "main st", "mayor" of "calle mayor"."""
    if words[-1] in _SUFFIXES:
        return words[:-1]
    return words[1:] if words[0] in _PREFIXES else ()


def _csv(text: str) -> Iterator[Entry]:
    for row in csv.DictReader(StringIO(text)):
        point = (float(row["lat"]), float(row["lon"])) if row.get("lat") and row.get("lon") else None
        yield _entry(row["name"], row.get("aliases") or "", row.get("kind") or "", point)


def _geojson(value: Any) -> Iterator[Entry]:
    for feature in value["features"]:
        properties = feature["properties"]
        geometry = feature.get("geometry") or {}
        point = None
        if geometry.get("type") == "Point":
            longitude, latitude = geometry["coordinates"][:2]
            point = (float(latitude), float(longitude))
        aliases = properties.get("aliases") or ()
        yield _entry(
            properties["name"],
            aliases if isinstance(aliases, str) else ";".join(aliases),
            properties.get("kind") or "",
            point,
        )


def _entry(name: str, aliases: str, kind: str, point: Point | None) -> Entry:
    if not name.strip():
        raise ValueError("a place without a name")
    parts = tuple(filter(None, map(str.strip, aliases.split(";"))))
    return Entry(name=name.strip(), kind=kind.strip() or "place", point=point, aliases=parts)
