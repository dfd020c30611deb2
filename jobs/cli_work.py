"""`openear cases, db, audit, people`: what is kept, and proof of it."""

import json
import sqlite3
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from core.actor import Actor, Role
from core.errors import BadInput

app = typer.Typer()
db = typer.Typer(help="The database.", no_args_is_help=True)
audit = typer.Typer(help="The audit chain.", no_args_is_help=True)
people = typer.Typer(help="Local people and their roles.", no_args_is_help=True)
app.add_typer(db, name="db")
app.add_typer(audit, name="audit")
app.add_typer(people, name="people")

AsJson = Annotated[bool, typer.Option("--json", help="for a machine to read")]


@app.command()
def cases(
    status: Annotated[str | None, typer.Option(help="open, in_progress, resolved, closed, cancelled")] = "open",
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 50,
    json_: AsJson = False,
) -> None:
    """List cases, the newest change first."""
    from jobs.build import open_runtime
    from jobs.tables import print_rows
    from storage import cases as stored

    runtime = open_runtime()
    with runtime.store.read() as read:
        rows = [asdict(row) for row in stored.page(read, status=status, limit=limit, offset=0)]
    if json_:
        for row in rows:
            sys.stdout.write(json.dumps(row, default=str, ensure_ascii=False) + "\n")
    else:
        print_rows("Cases", rows)


@db.command()
def upgrade() -> None:
    """Bring the database up to date."""
    from jobs.build import open_runtime
    from storage import engine

    runtime = open_runtime(migrate=True)
    sys.stdout.write(f"the database is at {engine.current(runtime.settings.url)}\n")


@db.command()
def check() -> None:
    """Fail if the tables have changed without a migration (for developers)."""
    import tempfile

    from storage import engine

    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/check.db"
        engine.upgrade(url)
        engine.check(url)
    sys.stdout.write("the migrations say what the tables say\n")


@db.command()
def revision(message: Annotated[str, typer.Argument(help="what changes, and why")]) -> None:
    """Write the next migration from storage/tables (for developers)."""
    from storage import engine

    if not message.strip():
        raise BadInput('say what changes and why: make migrate MESSAGE="..."')
    sys.stdout.write(f"{engine.revision(message)}\n")


@db.command()
def backup(file: Annotated[Path, typer.Argument(help="where the copy goes; must not exist")]) -> None:
    """Copy the database while it is in use."""
    from core.settings import load
    from storage import engine

    engine.backup(load().url, file)
    sys.stdout.write(
        f"{file}: {file.stat().st_size:,} bytes. The keys (data_dir/keys) are not in it: keep them apart.\n"
    )


@db.command()
def restore(file: Annotated[Path, typer.Argument(help="a copy made by backup", exists=True, dir_okay=False)]) -> None:
    """Put a copy back; openear must not be running. What was there is kept beside it."""
    from core.settings import load
    from jobs.service import only_one
    from storage import engine

    settings = load()
    kept = settings.data_dir / f"before-restore-{datetime.now(UTC):%Y%m%dT%H%M%S}.backup"
    with only_one(settings.data_dir):
        try:
            engine.backup(settings.url, kept)
            sys.stdout.write(f"what was there is kept in {kept}\n")
        except (BadInput, sqlite3.DatabaseError) as error:  # there was none, or it is what must be mended
            sys.stderr.write(f"note: what was there could not be kept: {error}\n")
        engine.restore(settings.url, file)
    sys.stdout.write("restored\n")


@audit.command()
def verify(json_: AsJson = False) -> None:
    """Prove that no decision was changed, removed or reordered since it was written."""
    from jobs.build import open_runtime
    from storage import audit as chain

    runtime = open_runtime()
    with runtime.store.read() as read:
        verdict = chain.verify(read)
    if json_:
        sys.stdout.write(json.dumps(asdict(verdict), default=str) + "\n")
    elif verdict.ok:
        sys.stdout.write(f"the audit chain is whole: {verdict.rows:,} decisions, head {verdict.head}\n")
    else:
        sys.stdout.write(f"the audit chain is BROKEN at row {verdict.broken_at}: restore a backup and compare\n")
    if not verdict.ok:
        raise typer.Exit(1)


@people.command("add")
def add_person(
    name: Annotated[str, typer.Argument(help="what they sign in with")],
    role: Annotated[Role, typer.Option(help="what they may do")] = Role.AGENT,
) -> None:
    """Add a person; the password is asked for, never taken from the command line."""
    from jobs.build import open_runtime
    from storage import people as stored

    password: str = typer.prompt("Password (12 characters or more)", hide_input=True, confirmation_prompt=True)
    runtime = open_runtime(migrate=True)
    actor = Actor(kind="person", issuer="operator", subject="command line")
    with runtime.store.write() as tx:
        stored.add(tx, name, password, role, actor, runtime.clock())
    sys.stdout.write(f"{name} may sign in as {role}\n")
