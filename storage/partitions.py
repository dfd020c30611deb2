"""The months of `mention` on PostgreSQL, made when the first mention of a month comes. SQLite needs none."""

from collections.abc import Iterable
from datetime import UTC, datetime

from sqlalchemy import Connection, text

from storage.sql import is_postgres

#: What was said before this year lies in one partition, which the first migration makes.
FIRST_YEAR = 2000
#: Held while a month is made, so that two workers do not make it at once.
_LOCK = 0x6F656172


def ensure(tx: Connection, moments: Iterable[datetime]) -> None:
    """Make the partitions that these moments need."""
    if not is_postgres(tx):
        return
    months = {(m.year, m.month) for m in (moment.astimezone(UTC) for moment in moments) if m.year >= FIRST_YEAR}
    for year, month in sorted(months):
        name = f"mention_{year:04d}_{month:02d}"
        if not _exists(tx, name):
            tx.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            if not _exists(tx, name):
                _create(tx, name, year, month)


def _exists(tx: Connection, name: str) -> bool:
    """Asked of the catalogue itself: to_regclass may still say no after another worker made the table."""
    here = "SELECT 1 FROM pg_class WHERE relname = :name AND relnamespace = current_schema()::regnamespace"
    return tx.execute(text(here), {"name": name}).scalar() is not None


def _create(tx: Connection, name: str, year: int, month: int) -> None:
    """Made apart and then attached: that does not wait for readers, as PARTITION OF would."""
    following = (year + month // 12, month % 12 + 1)
    first, last = (f"'{y:04d}-{m:02d}-01 00:00:00+00'" for y, m in ((year, month), following))
    tx.execute(text(f"CREATE TABLE {name} (LIKE mention INCLUDING ALL)"))
    tx.execute(text(f"ALTER TABLE mention ATTACH PARTITION {name} FOR VALUES FROM ({first}) TO ({last})"))


def is_partition(name: str | None) -> bool:
    """True for the tables this file makes; the models do not know them."""
    return bool(name) and str(name).startswith("mention_") and (str(name)[8:9].isdigit() or name == "mention_old")
