"""A drop folder: files of mentions that somebody or something puts there. CSV, JSON Lines, Parquet; see docs/import.md.

Cursor: the files already taken up, each with its size and time of change; a file that changed is read again.

What is new is taken up by Head; what its budget leaves is read by a back-fill, which knows the row it stopped at.
Nothing is ever moved, changed or deleted in the folder.
"""

import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from itertools import islice
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

from pydantic import Field, field_validator

from collectors.columns import GUESSES
from collectors.files import KINDS, PLATFORM, Chunk, read_file
from collectors.kinds import Context, Kind, Options
from collectors.pages import Page
from collectors.recordings import Exchange
from core.batch import Backfill, Batch, Budget, Coverage, Missed, Recheck, Task
from core.errors import BadInput, SourceChanged, SourceDown
from core.protocols import Clock
from core.settings import Source

NAME = "folder"
MOST_FILES = 5_000
STILL = timedelta(seconds=10)  # a file younger than this may still be written
_UTC = ZoneInfo("UTC")
#: A file, and how many of its rows were read.
Place = tuple[str, int]


class FolderOptions(Options):
    """[sources.<name>] kind = "folder"."""

    path: Path = Field(description="the folder; .csv .tsv .txt .jsonl .ndjson .json .parquet in it are read")
    map: dict[str, str] = Field(default_factory=dict, description="field = column, as in openear import --map")
    platform: str = Field(PLATFORM, pattern=r"^[a-z][a-z0-9_]{0,39}$", description="of rows that name none")
    timezone: str | None = Field(None, description="of times that name none; default: the agency's")

    @field_validator("map")
    @classmethod
    def _known_fields(cls, value: dict[str, str]) -> dict[str, str]:
        for name in value:
            if name not in GUESSES:
                raise ValueError(f"{name!r} is none of {', '.join(GUESSES)}")
        return value

    @field_validator("timezone")
    @classmethod
    def _known_timezone(cls, value: str | None) -> str | None:
        if value is not None and value not in available_timezones():
            raise ValueError(f"no time zone is called {value!r}; use a name such as 'America/Chicago'")
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderCollector:
    """Collects the files of one folder."""

    path: Path
    name: str
    clock: Clock
    zone: tzinfo
    platform: str = PLATFORM
    mapping: dict[str, str] = field(default_factory=dict)

    def collect(self, task: Task, cursor: str | None, budget: Budget, deadline: datetime) -> Iterator[Batch]:
        """See core.protocols.Collector. A file says nothing of later edits and deletions: Recheck has nothing to do."""
        now = self.clock()
        if isinstance(task, Recheck):
            yield Batch(mentions=(), coverage=Coverage(since=now, until=now, complete=True, missed=0))
            return
        if isinstance(task, Backfill):
            yield from self._read(self._places(task.resume), task.since, task.until, None, budget, deadline)
            return
        known = self._known(cursor)
        there = self._files(now)
        waiting = [(name, 0) for name, mark in there.items() if known.get(name) != mark]
        marks = json.dumps({"files": there, "asked": now.isoformat()})
        yield from self._read(waiting, self._asked(cursor), now, marks, budget, deadline)

    def _files(self, now: datetime) -> dict[str, str]:
        """The files that are no longer written, oldest first, with what tells a changed one."""
        try:
            files = [path for path in self.path.iterdir() if path.suffix.lower() in KINDS and path.is_file()]
            stats = sorted((path.stat().st_mtime_ns, path.name, path.stat().st_size) for path in files)
        except OSError as error:
            raise SourceDown(self.name, f"the folder {self.path} cannot be read: {error.strerror}") from None
        quiet = int((now - STILL).timestamp() * 1e9)
        return {name: f"{size}-{changed}" for changed, name, size in stats[-MOST_FILES:] if changed <= quiet}

    def _read(
        self,
        waiting: list[Place],
        since: datetime | None,
        until: datetime,
        cursor: str | None,
        budget: Budget,
        deadline: datetime,
    ) -> Iterator[Batch]:
        """A batch for each piece of each file; its coverage says which rows of which files are left."""
        refused: list[tuple[str, str]] = []
        n_mentions = 0
        while waiting:
            name, skip = waiting[0]
            for chunk in self._chunks(name, skip, refused):
                skip, n_mentions = skip + chunk.read, n_mentions + len(chunk.mentions)
                waiting[0] = (name, skip)
                rejected = [*refused, *((f"{name}:{number}", why) for number, why in chunk.rejected)]
                refused.clear()
                left = Coverage(
                    since=since,
                    until=until,
                    complete=False,
                    reason=Missed.PENDING,
                    resume=json.dumps(waiting, ensure_ascii=False),
                    rejected=tuple(rejected),
                )
                yield Batch(mentions=chunk.mentions, cursor=cursor, coverage=left)
                if n_mentions >= budget.mentions or self.clock() >= deadline:
                    return
            waiting.pop(0)
        whole = Coverage(since=since, until=until, complete=True, missed=0, rejected=tuple(refused))
        yield Batch(mentions=(), cursor=cursor, coverage=whole)

    def _chunks(self, name: str, skip: int, refused: list[tuple[str, str]]) -> Iterator[Chunk]:
        """The pieces of one file; a file that cannot be read is refused, and the next one is read."""
        try:
            yield from read_file(self.path / name, self.mapping, self.platform, self.zone, self.clock(), skip=skip)
        except BadInput as why:
            refused.append((name, str(why)))
        except OSError as error:
            raise SourceDown(self.name, f"{name} cannot be read: {error.strerror}") from None

    def _places(self, resume: str | None) -> list[Place]:
        """The rows a back-fill goes on with; without a note, all files."""
        if resume is None:
            return [(name, 0) for name in self._files(self.clock())]
        try:
            return [(Path(str(name)).name, int(row)) for name, row in json.loads(resume)]
        except (ValueError, TypeError, RecursionError) as error:
            raise SourceChanged(self.name, f"a gap's resume note cannot be read: {error!r}") from None

    def _known(self, cursor: str | None) -> dict[str, str]:
        if cursor is None:
            return {}
        try:
            return {str(name): str(mark) for name, mark in json.loads(cursor)["files"].items()}
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise SourceChanged(self.name, f"its cursor cannot be read: {error!r}") from None

    def _asked(self, cursor: str | None) -> datetime | None:
        try:
            return datetime.fromisoformat(json.loads(cursor)["asked"]) if cursor else None
        except (ValueError, TypeError, KeyError):
            return None


def parse(data: bytes, now: datetime, *, zone: tzinfo = _UTC, name: str = "dropped.csv") -> Page:
    """Turn the bytes of one file into mentions. A JSON text is read as JSON Lines, "PAR1" as Parquet, the rest as CSV.

    Raises:
        SourceChanged: it cannot be read as a whole; says why.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"dropped{_ending(data)}"
        path.write_bytes(data)
        try:
            chunks = list(islice(read_file(path, {}, PLATFORM, zone, now), 10_000))
        except BadInput as why:
            raise SourceChanged(NAME, str(why).replace(str(path), name)) from None
    mentions = tuple(one for chunk in chunks for one in chunk.mentions)
    rejected = tuple((str(number), why) for chunk in chunks for number, why in chunk.rejected)
    return Page(mentions=mentions, rejected=rejected, listed=sum(chunk.read for chunk in chunks))


def _ending(data: bytes) -> str:
    if data.startswith(b"PAR1"):
        return ".parquet"
    return ".jsonl" if data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"[") else ".csv"


def parse_exchange(exchange: Exchange, now: datetime) -> Page:
    """A file as the collector reads it."""
    return parse(exchange.body, now)


def build(name: str, source: Source, options: FolderOptions, context: Context) -> FolderCollector:
    """The collector of one settings section."""
    return FolderCollector(
        path=options.path,
        name=name,
        clock=context.clock,
        zone=ZoneInfo(options.timezone) if options.timezone else context.agency.zone,
        platform=options.platform,
        mapping=options.map,
    )


KIND = Kind(options=FolderOptions, build=build, parse=parse_exchange)
