"""Copies of the database, made while it is in use, and brought back."""

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

from sqlalchemy import Engine, create_engine, text
from sqlalchemy.engine import URL

from core.errors import BadInput
from storage.address import address, database_file

#: Where a PostgreSQL database is while its copy comes in.
ASIDE = "openear_before_restore"


def backup(url: str, path: Path) -> None:
    """Copy the whole database into a new file; writers need not stop.

    Raises:
        BadInput: the file is there already, there is nothing to copy, or PostgreSQL's own tools are missing.
    """
    parsed = address(url)
    if path.exists():
        raise BadInput(f"{path} is there already: choose another name, a backup never overwrites")
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    if parsed.get_backend_name() == "sqlite":
        _copy(database_file(parsed), part)
    else:
        _run(parsed, "pg_dump", "--format=custom", f"--file={part}")
    part.chmod(0o600)
    part.replace(path)


def restore(url: str, path: Path) -> None:
    """Replace the whole database by a copy that `backup` made. Stop everything that uses it first.

    Raises:
        BadInput: the copy is not whole, or PostgreSQL's own tools are missing.
    """
    parsed = address(url)
    if not path.is_file():
        raise BadInput(f"there is no backup {path}")
    if parsed.get_backend_name() != "sqlite":
        _restore_postgres(parsed, path)
        return
    _check(path)
    target = database_file(parsed)
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + ".part")
    part.unlink(missing_ok=True)
    _copy(path, part)
    for leftover in ("-wal", "-shm"):
        target.with_name(target.name + leftover).unlink(missing_ok=True)
    part.replace(target)


def _restore_postgres(url: URL, path: Path) -> None:
    """What is there is put aside until the copy is in; pg_restore's own --clean cannot drop partitions."""
    _run(url, "pg_restore", "--list", f"--file={os.devnull}", str(path), database=False)
    engine = create_engine(url, hide_parameters=True)
    try:
        _say(engine, f"ALTER SCHEMA public RENAME TO {ASIDE}", "CREATE SCHEMA public")
        try:
            _run(url, "pg_restore", "--single-transaction", "--no-owner", str(path))
        except BadInput:
            _say(engine, "DROP SCHEMA public CASCADE", f"ALTER SCHEMA {ASIDE} RENAME TO public")
            raise
        _say(engine, f"DROP SCHEMA {ASIDE} CASCADE")
    finally:
        engine.dispose()


def _say(engine: Engine, *statements: str) -> None:
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))


def _copy(source: Path, target: Path) -> None:
    if not source.is_file():
        raise BadInput(f"there is no database {source}")
    target.unlink(missing_ok=True)
    target.touch(mode=0o600)
    with closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new)


def _check(path: Path) -> None:
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as copy:
            whole = copy.execute("PRAGMA quick_check").fetchone()[0] == "ok"
            known = copy.execute("SELECT count(*) FROM sqlite_master WHERE name = 'alembic_version'").fetchone()[0]
    except sqlite3.DatabaseError:
        whole = known = False
    if not (whole and known):
        raise BadInput(f"{path} is not a whole backup of openear: the database was left as it is")


def _run(url: URL, tool: str, *arguments: str, database: bool = True) -> None:
    """The password goes through the environment, where no list of processes shows it."""
    found = shutil.which(tool)
    if found is None:
        raise BadInput(f"{tool} is not installed here: install PostgreSQL's client programs")
    parts = {"--host": url.host, "--port": url.port, "--username": url.username, "--dbname": url.database}
    options = [f"{name}={value}" for name, value in parts.items() if value and database]
    environment = {**os.environ, **({"PGPASSWORD": str(url.password)} if url.password else {})}
    done = subprocess.run([found, *options, *arguments], env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BadInput(f"{tool} failed: {done.stderr.strip()[-500:]}")
