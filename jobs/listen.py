"""`openear collect`: ask sources now, from the command line."""

from dataclasses import dataclass

from sqlalchemy import Connection

from core.batch import Backfill, Head, Recheck
from core.errors import SettingsError, SourceError
from jobs import collect
from jobs.build import Runtime
from storage import coverage, mentions, sources

#: The most mentions that one run looks at again.
RECHECKED = 100


@dataclass
class Listened:
    """What one run of one source brought."""

    source: str
    new: int = 0
    updated: int = 0
    duplicate: int = 0
    deleted: int = 0
    open_gaps: int = 0
    missed: int | None = 0
    error: str = ""

    def line(self) -> str:
        """For a person to read."""
        text = f"{self.source}: new {self.new}, edited {self.updated}, known {self.duplicate}, deleted {self.deleted}"
        if self.open_gaps:
            missed = "an unknown number" if self.missed is None else str(self.missed)
            text += f"; {missed} known to be missing in {self.open_gaps} gaps"
        return text + (f"; {self.error}" if self.error else "")


def names(runtime: Runtime, source: str | None) -> list[str]:
    """The sources asked for.

    Raises:
        SettingsError: there is none.
    """
    enabled = [name for name, each in runtime.settings.sources.items() if each.enabled]
    if source is not None and source not in runtime.settings.sources:
        raise SettingsError(f"no source is called {source!r}; the settings name: {', '.join(enabled) or 'none'}")
    chosen = [source] if source is not None else enabled
    if not chosen:
        raise SettingsError("the settings name no source: add [sources.NAME], see docs/sources")
    with runtime.store.write() as tx:
        register(tx, runtime)
    return chosen


def register(tx: Connection, runtime: Runtime) -> None:
    """Tell the database which sources the settings name."""
    rows = {n: (s.kind, int(s.every.total_seconds()), s.enabled) for n, s in runtime.settings.sources.items()}
    sources.sync(tx, rows, runtime.clock())


def once(runtime: Runtime, name: str) -> Listened:
    """One run: the newest first, then the gaps, newest gap first, then a second look at what is known."""
    total = collect.Collected()
    error = ""
    try:
        total += collect.collect_source(runtime, name, Head(), f"once:{runtime.clock().isoformat()}")
        for gap in _gaps(runtime, name):
            task = Backfill(since=gap.since, until=gap.until, resume=gap.resume)
            total += collect.collect_source(runtime, name, task, f"gap:{gap.id}")
        total += _recheck(runtime, name)
    except SourceError as trouble:
        error = f"{type(trouble).__name__}: {trouble.message}"
    left = _gaps(runtime, name)
    missed = None if any(gap.missed is None for gap in left) else sum(gap.missed or 0 for gap in left)
    return Listened(name, total.new, total.updated, total.duplicate, total.deleted, len(left), missed, error)


def _recheck(runtime: Runtime, name: str) -> collect.Collected:
    """Look again at what was looked at longest ago: for edits, and for what its author took back."""
    now = runtime.clock()
    with runtime.store.read() as read:
        ids = mentions.due_recheck(read, name, now, RECHECKED)
    return (
        collect.collect_source(runtime, name, Recheck(ids=tuple(ids)), f"recheck:{now}") if ids else collect.Collected()
    )


def _gaps(runtime: Runtime, name: str) -> list["coverage.GapRow"]:
    with runtime.store.read() as read:
        return list(coverage.open_gaps(read, name))


def keep(runtime: Runtime, chosen: list[str]) -> None:
    """Keep asking these sources, scoring and linking what comes, until Ctrl-C; no dashboard, no api."""
    from jobs.worker import serve_until_told

    only = {name: runtime.settings.sources[name] for name in chosen}
    runtime.settings = runtime.settings.model_copy(update={"sources": only})
    serve_until_told(runtime, "all")
