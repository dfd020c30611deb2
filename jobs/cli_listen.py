"""`openear collect, parse, import, calls import, coverage`: what comes in."""

import json
import sys
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from core.errors import BadInput, SourceError

app = typer.Typer()
calls = typer.Typer(help="The agency's call history.", no_args_is_help=True)
app.add_typer(calls, name="calls")

AsJson = Annotated[bool, typer.Option("--json", help="for a machine to read")]
ExistingFiles = Annotated[list[Path], typer.Argument(exists=True, dir_okay=False)]


@app.command()
def collect(
    source: Annotated[str | None, typer.Argument(help="one source's name; default: all that are switched on")] = None,
    once: Annotated[bool, typer.Option("--once", help="one run, back-fills included, then end")] = False,
    json_: AsJson = False,
) -> None:
    """Ask sources now. Without --once: keep asking at their own pace, scoring and linking what comes."""
    from jobs import listen
    from jobs.build import open_runtime

    runtime = open_runtime(migrate=True)
    names = listen.names(runtime, source)
    if not once:
        listen.keep(runtime, names)
        return
    reports = [listen.once(runtime, name) for name in names]
    for report in reports:
        sys.stdout.write(json.dumps(asdict(report)) + "\n" if json_ else report.line() + "\n")
    if any(report.error for report in reports):
        raise typer.Exit(1)


@app.command()
def parse(
    source: Annotated[str, typer.Argument(help="kind of source: mastodon, bluesky, feed, reviews_page, folder")],
    file: Annotated[Path, typer.Argument(help="a recorded answer: body, or cassette", exists=True, dir_okay=False)],
) -> None:
    """Print the mentions and deletions that a recorded answer yields, as JSON Lines. No database, no network."""
    from collectors import registry

    try:
        for item in registry.parse_recording(source, file, datetime.now(UTC)):
            sys.stdout.write(json.dumps(as_json(item), ensure_ascii=False) + "\n")
    except SourceError as error:
        line = {"error": type(error).__name__, "message": error.message}
        wait = getattr(error, "retry_after", None)
        if isinstance(wait, timedelta):
            line["retry_after"] = str(int(wait.total_seconds()))
        sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")
        raise typer.Exit(1) from error


def as_json(item: object) -> dict[str, Any]:
    """A mention or deletion as `openear parse` writes it: who wrote it is not printed."""
    row = {"type": type(item).__name__.lower(), **asdict(item)}  # type: ignore[call-overload]
    row.pop("author", None)
    return {key: value.isoformat() if isinstance(value, datetime) else value for key, value in row.items()}


@app.command("import")
def import_(
    files: ExistingFiles,
    map_: Annotated[
        list[str] | None, typer.Option("--map", help="ours=theirs, e.g. text=Beschwerde; stars= for none")
    ] = None,
    platform: Annotated[str, typer.Option(help="where it was said, if no column says it")] = "import",
    timezone: Annotated[str, typer.Option(help="of times without an offset, e.g. Europe/Madrid")] = "UTC",
    json_: AsJson = False,
) -> None:
    """Import mentions from CSV, JSON Lines or Parquet; importing the same file again adds nothing."""
    from jobs.build import open_runtime
    from jobs.importing import import_file

    mapping = pairs(map_ or [])
    runtime = open_runtime(migrate=True)
    for file in files:
        report = import_file(runtime, file, mapping=mapping, platform=platform, timezone=timezone)
        sys.stdout.write(json.dumps(report.to_dict()) + "\n" if json_ else report.text() + "\n")


def pairs(options: list[str]) -> dict[str, str]:
    """["text=Beschwerde,time=Datum", "stars="] as a mapping.

    Raises:
        typer.BadParameter: says which part cannot be used.
    """
    from collectors.files import parse_map

    mapping: dict[str, str] = {}
    for option in options:
        try:
            mapping |= parse_map(option)
        except BadInput as error:
            raise typer.BadParameter(str(error)) from None
    return mapping


@calls.command("import")
def calls_import(
    files: ExistingFiles,
    queue: Annotated[str, typer.Option(help="if no column says it")] = "main",
    timezone: Annotated[str | None, typer.Option(help="of times without an offset; default: the agency's")] = None,
    json_: AsJson = False,
) -> None:
    """Import calls (start, calls; optional queue, answered, abandoned, handle_time). Corrections count."""
    from jobs.build import open_runtime
    from jobs.calls import import_calls

    runtime = open_runtime(migrate=True)
    for file in files:
        report = import_calls(runtime, file, queue=queue, timezone=timezone)
        sys.stdout.write(json.dumps(report.to_dict()) + "\n" if json_ else report.text() + "\n")


@app.command()
def coverage(
    days: Annotated[int, typer.Option(help="how far back", min=1)] = 7,
    json_: AsJson = False,
) -> None:
    """What was fetched and what is known to be missing, by source and hour."""
    from jobs.build import open_runtime
    from jobs.tables import print_rows
    from storage import coverage as ledger

    runtime = open_runtime()
    until = runtime.clock()
    with runtime.store.read() as read:
        rows = [asdict(row) for row in ledger.ledger(read, until - timedelta(days=days), until)]
        gaps = [asdict(row) for row in ledger.open_gaps(read)]
    if json_:
        sys.stdout.write(json.dumps({"hours": rows, "open_gaps": gaps}, default=str) + "\n")
        return
    print_rows("Coverage by source and hour", rows)
    print_rows("Open gaps", gaps)
