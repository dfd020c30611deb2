"""`openear run, init, check`: to begin with."""

import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from core.errors import BadInput

app = typer.Typer()

AsJson = Annotated[bool, typer.Option("--json", help="for a machine to read")]


@app.command()
def run(
    no_dashboard: Annotated[bool, typer.Option("--no-dashboard", help="only the jobs and the api")] = False,
) -> None:
    """Start everything and print the dashboard's address. Without settings: the invented sample city."""
    from jobs.service import run_service

    raise typer.Exit(run_service(dashboard=not no_dashboard))


@app.command()
def init(
    file: Annotated[Path, typer.Option(help="where the settings go")] = Path("openear.toml"),
    name: Annotated[str | None, typer.Option(help="what residents call the agency")] = None,
    handle: Annotated[str | None, typer.Option(help="its account, e.g. @mapleharbor")] = None,
    place: Annotated[str | None, typer.Option(help="a word that tells it from a namesake, e.g. its state")] = None,
    timezone: Annotated[str | None, typer.Option(help="IANA name, e.g. America/Chicago")] = None,
    mastodon: Annotated[str | None, typer.Option(help="a Mastodon server to listen to, or empty")] = None,
    feed: Annotated[str | None, typer.Option(help="a feed to read, or empty")] = None,
) -> None:
    """Write a commented settings file: answer a few questions, or give the answers as options."""
    from jobs.init import settings_file

    if file.exists():
        raise BadInput(f"{file} is there already: move it away, or name another with --file")
    ask = sys.stdin.isatty()

    def answer(value: str | None, question: str, default: str = "") -> str:
        if value is None and ask:
            value = str(typer.prompt(question, default=default, show_default=bool(default)))
        return (value or default).strip()

    text = settings_file(
        name=answer(name, "What do residents call the agency?", "City of Maple Harbor"),
        handle=answer(handle, "Its account on social media, with @ (or nothing)"),
        place=answer(place, "A word that tells it from a namesake, such as its state (or nothing)"),
        timezone=answer(timezone, "Its time zone", "America/New_York"),
        mastodon=answer(mastodon, "A Mastodon server to listen to, such as https://mastodon.social (or nothing)"),
        feed=answer(feed, "A feed to read, such as a newspaper's RSS (or nothing)"),
    )
    file.write_text(text, "utf-8")
    sys.stdout.write(f"{file} is written. Next: openear check\n")


@app.command()
def check(json_: AsJson = False) -> None:
    """Say what works, what does not, and what to do: settings, database, model, sources, case system, clock."""
    import json

    from jobs.check import findings
    from jobs.tables import print_rows

    rows: list[dict[str, Any]] = [
        finding.to_dict() for finding in findings(Path(os.environ.get("OPENEAR_CONFIG", "openear.toml")))
    ]
    if json_:
        sys.stdout.write(json.dumps(rows, ensure_ascii=False) + "\n")
    else:
        print_rows("openear check", rows)
    if any(row["state"] == "fails" for row in rows):
        raise typer.Exit(1)
