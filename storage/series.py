"""Roll-ups: mentions by hour and by the agency's local day. Pages read these, never the mentions.

An hour is replaced whole, never incremented, so that doing it twice does no harm. A day is summed from its hours: an
hour belongs to the local day that it begins in. Own mentions and reposts are not in them; removed ones stay counted.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Select,
    cast,
    delete,
    func,
    insert,
    literal,
    literal_column,
    select,
)
from sqlalchemy import Date as SqlDate

from storage.sql import hour_column, hour_of, mark_dirty
from storage.tables import dirty_hour, mention, mention_day, mention_hour, reading, reading_topic

HOUR = timedelta(hours=1)
#: Stands for every source, platform and language in the sums of a day.
ALL = ""
_KEYS = ("topic", "hour", "source", "platform", "language", "sentiment")


@dataclass(frozen=True, slots=True, kw_only=True)
class HourRow:
    """Mentions of one hour and sentiment ("unread" if nobody has read them), and how many of them ask for an answer."""

    hour: datetime
    sentiment: str
    n: int
    needs_answer: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DayRow:
    """The same for one local day."""

    day: date
    sentiment: str
    n: int
    needs_answer: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicRow:
    """The same for one topic over a span of days."""

    topic: str
    sentiment: str
    n: int
    needs_answer: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """An hour whose roll-up is not what a recount gives."""

    hour: datetime
    stored: int
    counted: int


def dirty(read: Connection, limit: int) -> list[datetime]:
    """Hours whose roll-up is out of date, newest first: what people look at is right first."""
    d = dirty_hour.c
    return list(read.execute(select(d.hour).order_by(d.hour.desc()).limit(limit)).scalars())


def rebuild(tx: Connection, hours: Iterable[datetime], *, timezone: str = "UTC") -> int:
    """Count these hours anew and replace them and their days; return how many hours that were.

    `timezone` is the agency's: when it changes, `mark_all` and rebuild.
    """
    wanted = sorted({hour_of(h) for h in hours})
    for start, end in _spans(wanted):
        # The marks go first: a mention added while we count marks its hour again, and waits for us to do so.
        tx.execute(delete(dirty_hour).where(dirty_hour.c.hour >= start, dirty_hour.c.hour < end))
        tx.execute(delete(mention_hour).where(mention_hour.c.hour >= start, mention_hour.c.hour < end))
        for counted in (_count_all(tx, start, end), _count_topics(tx, start, end)):
            tx.execute(insert(mention_hour).from_select([*_KEYS, "n", "needs_answer"], counted))
    zone = ZoneInfo(timezone)
    for day in sorted({h.astimezone(zone).date() for h in wanted}):
        _rebuild_day(tx, day, zone)
    return len(wanted)


def _spans(hours: Sequence[datetime]) -> list[tuple[datetime, datetime]]:
    """Hours that follow each other, joined: one statement counts a month as fast as an hour."""
    spans: list[tuple[datetime, datetime]] = []
    for hour in hours:
        if spans and spans[-1][1] == hour:
            spans[-1] = (spans[-1][0], hour + HOUR)
        else:
            spans.append((hour, hour + HOUR))
    return spans


def _count_all(tx: Connection, start: datetime, end: datetime) -> Select[Any]:
    return _count(tx, literal(""), start, end)


def _count_topics(tx: Connection, start: datetime, end: datetime) -> Select[Any]:
    t = reading_topic.c
    joined = _count(tx, t.topic, start, end).join(reading_topic, t.mention_id == reading.c.mention_id)
    return joined.group_by(t.topic)


def _count(tx: Connection, topic: ColumnElement[str], start: datetime, end: datetime) -> Select[Any]:
    r, m = reading.c, mention.c
    hour = hour_column(tx, m.at)
    needs = func.sum(cast(r.needs, Integer))
    columns = (topic.label("topic"), hour.label("hour"), m.source, m.platform, r.language, r.label)
    counted = select(*columns, func.count().label("n"), needs.label("needs_answer")).select_from(mention)
    counted = counted.join(reading, (r.mention_id == m.id) & (r.at == m.at)).where(m.at >= start, m.at < end)
    return counted.group_by(literal_column("hour"), m.source, m.platform, r.language, r.label)


def _rebuild_day(tx: Connection, day: date, zone: ZoneInfo) -> None:
    h, d = mention_hour.c, mention_day.c
    start, end = (_hour_from(day + timedelta(days=n), zone) for n in (0, 1))
    tx.execute(delete(mention_day).where(d.day == day))
    names = ["topic", "day", "source", "platform", "language", "sentiment", "n", "needs_answer"]
    every = literal(ALL)
    for kept in ((h.source, h.platform, h.language), (every, every, every)):
        summed = select(h.topic, literal(day, SqlDate), *kept, h.sentiment, func.sum(h.n), func.sum(h.needs_answer))
        summed = summed.where(h.hour >= start, h.hour < end)
        group = (h.topic, h.sentiment, *(column for column in kept if column is not every))
        tx.execute(insert(mention_day).from_select(names, summed.group_by(*group)))


def _hour_from(day: date, zone: ZoneInfo) -> datetime:
    """The first full hour, UTC, that begins in this local day."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
    hour = hour_of(midnight)
    return hour if hour == midnight else hour + HOUR


def mention_hours(
    read: Connection,
    since: datetime,
    until: datetime,
    *,
    topic: str = "",
    source: str | None = None,
    platform: str | None = None,
    language: str | None = None,
) -> list[HourRow]:
    """Mentions by hour and sentiment in [since, until), oldest first; hours without any are left out."""
    h = mention_hour.c
    wanted = select(h.hour, h.sentiment, func.sum(h.n).label("n"), func.sum(h.needs_answer).label("needs_answer"))
    wanted = wanted.where(h.topic == topic, h.hour >= hour_of(since), h.hour < until)
    wanted = _narrowed(wanted, h, source, platform, language).group_by(h.hour, h.sentiment)
    return [HourRow(**row._mapping) for row in read.execute(wanted.order_by(h.hour, h.sentiment))]


def mention_days(
    read: Connection,
    since: date,
    until: date,
    *,
    topic: str = "",
    source: str | None = None,
    platform: str | None = None,
    language: str | None = None,
) -> list[DayRow]:
    """Mentions by local day and sentiment in [since, until), oldest first; days without any are left out."""
    d = mention_day.c
    wanted = select(d.day, d.sentiment, func.sum(d.n).label("n"), func.sum(d.needs_answer).label("needs_answer"))
    wanted = wanted.where(d.topic == topic, d.day >= since, d.day < until)
    wanted = _of_days(wanted, source, platform, language).group_by(d.day, d.sentiment)
    return [DayRow(**row._mapping) for row in read.execute(wanted.order_by(d.day, d.sentiment))]


def topic_days(
    read: Connection,
    since: date,
    until: date,
    *,
    source: str | None = None,
    platform: str | None = None,
    language: str | None = None,
) -> list[TopicRow]:
    """Mentions by topic and sentiment over the local days [since, until), by topic; a mention counts in each of its."""
    d = mention_day.c
    wanted = select(d.topic, d.sentiment, func.sum(d.n).label("n"), func.sum(d.needs_answer).label("needs_answer"))
    wanted = wanted.where(d.topic > "", d.day >= since, d.day < until)
    wanted = _of_days(wanted, source, platform, language).group_by(d.topic, d.sentiment)
    return [TopicRow(**row._mapping) for row in read.execute(wanted.order_by(d.topic, d.sentiment))]


def _of_days(wanted: Any, source: str | None, platform: str | None, language: str | None) -> Any:
    """The sums, if nothing is narrowed; else the single rows."""
    d = mention_day.c
    if source is platform is language is None:
        return wanted.where(d.source == ALL)
    return _narrowed(wanted.where(d.source > ALL), d, source, platform, language)


def _narrowed(wanted: Any, c: Any, source: str | None, platform: str | None, language: str | None) -> Any:
    for column, value in ((c.source, source), (c.platform, platform), (c.language, language)):
        if value is not None:
            wanted = wanted.where(column == value)
    return wanted


def mark_all(tx: Connection) -> int:
    """Mark every hour that has mentions: after a new time zone, or a check that found differences."""
    hour = hour_column(tx, mention.c.at)
    hours = [row.hour for row in tx.execute(select(hour.label("hour")).distinct())]
    mark_dirty(tx, hours)
    return len(hours)


def check(read: Connection, since: datetime | None = None, until: datetime | None = None) -> list[Difference]:
    """Recount and compare, hours that wait to be rebuilt left out; [] is what it should be. Slow: for the night."""
    h, r, m = mention_hour.c, reading.c, mention.c
    hour = hour_column(read, m.at).label("hour")
    recount = select(hour, func.count().label("n")).select_from(mention)
    recount = recount.join(reading, (r.mention_id == m.id) & (r.at == m.at)).group_by(hour)
    stored = select(h.hour, func.sum(h.n).label("n")).where(h.topic == "").group_by(h.hour)
    if since is not None:
        recount, stored = recount.where(m.at >= hour_of(since)), stored.where(h.hour >= hour_of(since))
    if until is not None:
        recount, stored = recount.where(m.at < hour_of(until)), stored.where(h.hour < hour_of(until))
    waiting = set(read.execute(select(dirty_hour.c.hour)).scalars())
    have = {row.hour: int(row.n) for row in read.execute(stored)}
    want = {row.hour: int(row.n) for row in read.execute(recount)}
    hours = sorted((have.keys() | want.keys()) - waiting)
    found = (Difference(hour=t, stored=have.get(t, 0), counted=want.get(t, 0)) for t in hours)
    return [difference for difference in found if difference.stored != difference.counted]
