"""Call records from a file or the watched folder to storage. A correction adds; the newest record counts."""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from core.errors import BadInput
from forecast.calls import read_calls
from jobs.build import Runtime
from storage import calls as stored
from storage.work import Unit

log = logging.getLogger("openear.calls")

SHOWN = 20


@dataclass(frozen=True)
class CallsReport:
    """What an import of calls did."""

    file: str
    new: int
    corrected: int
    same: int
    rejected: tuple[tuple[int, str], ...]

    def to_dict(self) -> dict[str, Any]:
        """For a machine to read."""
        return {
            "file": self.file,
            "read": self.new + self.corrected + self.same + len(self.rejected),
            "new": self.new,
            "corrected": self.corrected,
            "same": self.same,
            "rejected": len(self.rejected),
            "why": [{"row": row, "reason": reason} for row, reason in self.rejected],
        }

    def text(self) -> str:
        """For a person to read."""
        head = f"{self.file}: new {self.new:,}, corrected {self.corrected:,}, known {self.same:,}, "
        lines = [f"{head}rejected {len(self.rejected):,}"]
        lines += [f"  row {row}: {reason}" for row, reason in self.rejected[:SHOWN]]
        if len(self.rejected) > SHOWN:
            lines.append(f"  ... and {len(self.rejected) - SHOWN:,} more")
        return "\n".join(lines)


def import_calls(runtime: Runtime, file: Path, *, queue: str, timezone: str | None = None) -> CallsReport:
    """Import one file of call records; what was good in it is kept.

    Raises:
        BadInput: the file as a whole cannot be read; says why.
    """
    try:
        zone = ZoneInfo(timezone or runtime.settings.agency.timezone)
    except (KeyError, ValueError):
        raise BadInput(f"no time zone is called {timezone!r}; use a name such as America/Chicago") from None
    read = read_calls(file, queue, zone, runtime.clock())
    with runtime.store.write() as tx:
        done = stored.add(tx, read.calls)
    rejected = tuple((one.line, one.why) for one in read.rejected)
    return CallsReport(file.name, done.new, done.corrected, done.same, rejected)


def watch(runtime: Runtime, unit: Unit) -> None:
    """The stage: look into the watched folder."""
    del unit
    for report in watch_folder(runtime):
        log.info("%s", report.text())


def watch_folder(runtime: Runtime) -> list[CallsReport]:
    """Import what was dropped into phones.folder; a file that was taken goes to done/, one that was not to failed/."""
    folder = runtime.settings.phones.folder
    if folder is None or not folder.is_dir():
        return []
    reports = []
    for file in sorted(folder.iterdir()):
        if file.suffix.lower() not in (".csv", ".tsv", ".txt", ".json") or not file.is_file():
            continue
        try:
            reports.append(import_calls(runtime, file, queue=file.stem))
        except BadInput as error:
            _move(file, folder / "failed")
            (folder / "failed" / f"{file.name}.why").write_text(f"{error}\n", "utf-8")
        else:
            _move(file, folder / "done")
    return reports


def _move(file: Path, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    file.replace(folder / file.name)
