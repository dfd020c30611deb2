"""A file of mentions to storage, in chunks, each one transaction."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.progress import Progress

from collectors import files
from core.batch import Backfill, Batch, Coverage
from core.errors import BadInput
from jobs.build import Runtime
from jobs.collect import store_batch

SHOWN = 20


@dataclass
class Report:
    """What an import did; every row is in exactly one of new, updated, duplicates, rejected."""

    file: str
    read: int = 0
    new: int = 0
    updated: int = 0
    duplicates: int = 0
    rejected: int = 0
    why: list[tuple[int, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """For a machine to read."""
        return {
            "file": self.file,
            "read": self.read,
            "new": self.new,
            "updated": self.updated,
            "duplicates": self.duplicates,
            "rejected": self.rejected,
            "why": [{"row": row, "reason": reason} for row, reason in self.why],
            "notes": self.notes,
        }

    def text(self) -> str:
        """For a person to read."""
        counts = f"read {self.read:,}, new {self.new:,}, updated {self.updated:,}, "
        lines = [f"{self.file}: {counts}duplicates {self.duplicates:,}, rejected {self.rejected:,}", *self.notes]
        lines += [f"  row {row}: {reason}" for row, reason in self.why[:SHOWN]]
        if len(self.why) > SHOWN:
            reasons = Counter(reason for _, reason in self.why).most_common(5)
            rest = "; ".join(f"{reason} ({n:,})" for reason, n in reasons)
            lines.append(f"  ... and {len(self.why) - SHOWN:,} more, most often: {rest}")
        return "\n".join(lines)


def import_file(runtime: Runtime, file: Path, *, mapping: dict[str, str], platform: str, timezone: str) -> Report:
    """Import one file; what was good in it is kept.

    Raises:
        BadInput: the file as a whole cannot be read; says why.
    """
    try:
        zone = ZoneInfo(timezone)
    except (KeyError, ValueError):
        raise BadInput(f"no time zone is called {timezone!r}; use a name such as Europe/Madrid") from None
    now = runtime.clock()
    report = Report(file=file.name)
    task = Backfill(since=None, until=now)
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        bar = progress.add_task(f"importing {file.name}", total=None)
        for chunk in files.read_file(file, mapping, platform, zone, now):
            batch = Batch(mentions=chunk.mentions, coverage=Coverage(since=None, until=now, complete=True))
            done = store_batch(runtime, "import", batch, task, f"import:{file.name}")
            report.read += chunk.read
            report.new += done.new
            report.updated += done.updated
            report.rejected += len(chunk.rejected)
            report.why += chunk.rejected
            report.notes += chunk.notes
            progress.update(bar, completed=report.read, description=f"importing {file.name}: {report.read:,} rows")
    report.duplicates = report.read - report.new - report.updated - report.rejected
    return report
