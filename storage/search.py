"""Full text search: FTS5 on SQLite, a stored tsvector on PostgreSQL. What is asked is words, never query syntax."""

import re
from datetime import datetime

from sqlalchemy import Connection, text

from storage.sql import is_postgres, sqlite_time

#: More words than this make a search no better.
MOST_WORDS = 12
#: Words that more mentions have than this are looked for newest first, not all at once.
COMMON = 5_000


def words(asked: str) -> list[str]:
    r"""What is looked for: letters and digits only, so that no text can be query syntax.

    >>> words('water "main" OR NEAR(x) *')
    ['water', 'main', 'OR', 'NEAR', 'x']
    """
    return re.findall(r"[^\W_]+", asked, re.UNICODE)[:MOST_WORDS]


def search(
    read: Connection,
    asked: str,
    *,
    limit: int = 50,
    since: datetime | None = None,
    until: datetime | None = None,
) -> list[int]:
    """Ids of mentions that have all these words, newest first; said in [since, until). No words find nothing.

    On SQLite newest means last collected, on PostgreSQL last said.
    """
    wanted = words(asked)
    if not wanted or limit <= 0:
        return []
    if is_postgres(read):
        return _postgres(read, wanted, limit, since, until)
    return _sqlite(read, wanted, limit, since, until)


def _sqlite(
    read: Connection, wanted: list[str], limit: int, since: datetime | None, until: datetime | None
) -> list[int]:
    """By rowid: ids grow as mentions come, and ordering by a date would fetch every hit first."""
    query = " ".join(f'"{word}"' for word in wanted)
    if since is None and until is None:
        sql = "SELECT rowid FROM mention_search WHERE mention_search MATCH :q ORDER BY rowid DESC LIMIT :n"
        return list(read.execute(text(sql), {"q": query, "n": limit}).scalars())
    sql = (
        "SELECT s.rowid FROM mention_search s JOIN mention m ON m.id = s.rowid"
        " WHERE mention_search MATCH :q AND m.at >= :since AND m.at < :until ORDER BY s.rowid DESC LIMIT :n"
    )
    bounds = {
        "since": sqlite_time(since) if since else "0000-01-01",
        "until": sqlite_time(until) if until else "9999-12-31 24",
    }
    return list(read.execute(text(sql), {"q": query, "n": limit, **bounds}).scalars())


def _postgres(
    read: Connection, wanted: list[str], limit: int, since: datetime | None, until: datetime | None
) -> list[int]:
    """Rare words through the index, all hits at once; common ones along the dates, until there are enough.

    The planner alone would walk the dates for rare words as well, and read the whole table.
    """
    where = "search @@ plainto_tsquery('simple', :q)"
    values = {"q": " ".join(wanted), "n": limit, "most": COMMON, "since": since, "until": until}
    where += " AND at >= :since" if since is not None else ""
    where += " AND at < :until" if until is not None else ""
    values = {name: value for name, value in values.items() if value is not None}
    rare = f"WITH hit AS MATERIALIZED (SELECT id, at FROM mention WHERE {where} LIMIT :most) SELECT id, at FROM hit"
    hits = list(read.execute(text(rare), values))
    if len(hits) < COMMON:
        return [row.id for row in sorted(hits, key=lambda row: (row.at, row.id), reverse=True)[:limit]]
    common = f"SELECT id FROM mention WHERE {where} ORDER BY at DESC, id DESC LIMIT :n"
    return list(read.execute(text(common), values).scalars())
