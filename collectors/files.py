"""Files of mentions: an export, an older archive, a drop folder. CSV, JSON Lines, Parquet; see docs/import.md."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from pathlib import Path

from collectors.columns import Reading, Rejected, columns_for, mention_of, parse_map
from collectors.rows import KINDS, Row, header, rows
from core.mention import Mention

__all__ = ["KINDS", "PLATFORM", "Chunk", "parse_map", "read_file"]

#: The platform of rows that name none.
PLATFORM = "import"
CHUNK = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """Some rows of a file, in its order.

    Attributes:
        mentions: two rows that say the same (same text, time, place, author, link and no id) have one external_id:
            storage counts the second as a duplicate.
        rejected: (number of the row, from 1 after the header; why).
        read: rows in this chunk: mentions and rejected together.
        notes: what the user should know about the file as a whole; each is given once.
    """

    mentions: tuple[Mention, ...]
    rejected: tuple[tuple[int, str], ...]
    read: int
    notes: tuple[str, ...] = ()


def read_file(
    path: Path, mapping: Mapping[str, str], platform: str, zone: tzinfo, now: datetime, *, skip: int = 0
) -> Iterator[Chunk]:
    """Read a file a chunk at a time, in bounded memory.

    Args:
        path: .csv, .tsv, .txt, .jsonl, .ndjson, .json or .parquet.
        mapping: field to column, as parse_map reads it; other columns are guessed by their names.
        platform: of the rows that name none; PLATFORM if the user says nothing.
        zone: of the times that name none.
        now: the mentions' seen_at.
        skip: rows at the start that were read before.

    Raises:
        BadInput: the file cannot be read, or no column holds the text.
    """
    notes: list[str] = []
    names = header(path, notes)
    fixed = columns_for(names, mapping) if names else None
    guessed: dict[tuple[str, ...], dict[str, str]] = {}
    chunk = _Chunk()
    for number, row in rows(path, notes):
        if number <= skip:
            continue
        columns = fixed
        if columns is None and isinstance(row, dict):
            columns = guessed.setdefault(tuple(row), columns_for(tuple(row), mapping, strict=False))
        chunk.take(number, row, Reading(columns=columns or {}, platform=platform, zone=zone, now=now))
        if chunk.read == CHUNK:
            yield chunk.frozen(notes)
    if chunk.read or notes:
        yield chunk.frozen(notes)


class _Chunk:
    """A chunk that is being filled."""

    def __init__(self) -> None:
        self.mentions: list[Mention] = []
        self.rejected: list[tuple[int, str]] = []

    @property
    def read(self) -> int:
        return len(self.mentions) + len(self.rejected)

    def take(self, number: int, row: Row | str, reading: Reading) -> None:
        try:
            if isinstance(row, str):
                raise Rejected(row)
            self.mentions.append(mention_of(row, reading))
        except Rejected as why:
            self.rejected.append((number, str(why)))

    def frozen(self, notes: list[str]) -> Chunk:
        done = Chunk(mentions=tuple(self.mentions), rejected=tuple(self.rejected), read=self.read, notes=tuple(notes))
        self.mentions, self.rejected = [], []
        notes.clear()
        return done
