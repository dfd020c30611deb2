"""What SQLite and PostgreSQL say differently, and what text must be before it may be stored."""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, TypeVar

from sqlalchemy import JSON, ColumnElement, Connection, String, Table, cast, func, type_coerce
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel.sql.sqltypes import UTCDateTime

from storage.tables import dirty_hour

T = TypeVar("T")

#: Ids longer than this are kept as their hash: an index takes no more.
LONGEST_ID = 400


def is_postgres(tx: Connection) -> bool:
    """True on PostgreSQL, False on SQLite."""
    return tx.dialect.name == "postgresql"


def upsert(tx: Connection, table: Table) -> Any:
    """An INSERT of this database that knows on_conflict_do_nothing and on_conflict_do_update."""
    return postgresql.insert(table) if is_postgres(tx) else sqlite.insert(table)


def insert_all(tx: Connection, table: Table, rows: Sequence[Mapping[str, Any]], *, ignore: bool = False) -> None:
    """Insert rows that all have the same columns; `ignore` leaves out those that are there already.

    On SQLite straight through its driver: two thirds of the time would go into SQLAlchemy's handling of values.
    """
    if not rows:
        return
    if is_postgres(tx):
        put = postgresql.insert(table)
        tx.execute(put.on_conflict_do_nothing() if ignore else put, list(rows))
        return
    names = list(rows[0])
    statement = f"INSERT{' OR IGNORE' if ignore else ''} INTO {table.name} ({', '.join(names)})"
    statement += f" VALUES ({', '.join('?' * len(names))})"
    columns = []  # changed a column at a time, which is faster than row by row
    for name in names:
        values, change = [row[name] for row in rows], _as_sqlite(table.c[name].type)
        columns.append(list(map(change, values)) if change else values)
    tx.exec_driver_sql(statement, list(zip(*columns, strict=True)))


def _as_sqlite(kind: Any) -> Callable[[Any], Any] | None:
    """What SQLAlchemy's types do on the way in, for the types that `storage.tables` has."""
    if isinstance(kind, UTCDateTime):
        return _time_or_none
    if isinstance(kind, JSON):
        return lambda value: "[]" if value == [] else json.dumps(value)
    return None


@lru_cache(maxsize=2048)
def _time_or_none(value: datetime | None) -> str | None:
    """Kept for a while: a batch says the same moments again and again."""
    if value is not None and value.tzinfo is None:
        raise ValueError("a time must be aware before it is stored")
    return None if value is None else sqlite_time(value)


def sqlite_time(moment: datetime) -> str:
    """A moment as SQLite's text: it sorts as time does."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")


def hour_of(moment: datetime) -> datetime:
    """The full hour, UTC, that a moment lies in."""
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def hour_column(tx: Connection, column: ColumnElement[datetime]) -> ColumnElement[datetime]:
    """The same in SQL."""
    if is_postgres(tx):
        return type_coerce(func.date_trunc("hour", column, "UTC"), column.type)
    return type_coerce(func.substr(cast(column, String), 1, 13).concat(":00:00.000000"), column.type)


def mark_dirty(tx: Connection, moments: Iterable[datetime]) -> None:
    """Say that the roll-ups of these moments' hours are out of date.

    The mark is updated, not left alone, if it is there: the row lock makes a rebuild that runs at the same time
    wait for us on PostgreSQL, so that it cannot wipe our mark without having seen our mentions.
    """
    hours = sorted({hour_of(m) for m in moments})
    if hours:
        add = upsert(tx, dirty_hour)
        add = add.on_conflict_do_update(index_elements=["hour"], set_={"marks": dirty_hour.c.marks + 1})
        tx.execute(add, [{"hour": hour, "marks": 1} for hour in hours])


def chunks(items: Sequence[T], size: int = 500) -> Iterator[Sequence[T]]:
    """Pieces small enough for one statement."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def plain(value: str) -> str:
    r"""Text that every database takes: no NUL, no half of a surrogate pair.

    >>> plain("a\x00b")
    'ab'
    """
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        value = value.encode("utf-8", "replace").decode("utf-8")
    return value.replace("\x00", "") if "\x00" in value else value


def plain_id(value: str) -> str:
    """An id from outside, as we keep it: the same for the same id, and short enough for an index."""
    value = plain(value)
    if len(value) <= LONGEST_ID:
        return value
    return "sha256:" + hashlib.sha256(value.encode()).hexdigest()
