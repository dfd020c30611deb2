"""What the pages read. Roll-ups are cached for a minute; the desk, where staff act, is always read anew."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import streamlit as st
from sqlalchemy import Connection

from core.actor import Role
from core.series import Calls, Forecast
from core.settings import Settings, load
from crm import triage
from dashboard import accuracy, heard
from storage import (
    alerts,
    calls,
    cases,
    coverage,
    desk,
    forecasts,
    mentions,
    people,
    requests,
    series,
    sources,
    waiting,
    work,
)
from storage.engine import Store, open_store

MINUTE, HOUR = 60, 3600
#: Items on a page, and how many are put in order together.
PAGE = 12
TRIAGED = 25 * PAGE
#: Days whose night's forecast is judged.
NIGHTS = 28


@st.cache_resource
def settings() -> Settings:
    """The settings, read once."""
    return load()


@st.cache_resource
def store() -> Store:
    """The database; its engine is shared by all sessions."""
    return open_store(settings().url)


def now() -> datetime:
    """The present moment; the pages are the edge where it may be asked."""
    return datetime.now(UTC)


def today() -> date:
    """The agency's local day."""
    return now().astimezone(settings().agency.zone).date()


@contextmanager
def reading() -> Iterator[Connection]:
    """A read-only connection."""
    with store().read() as connection:
        yield connection


@contextmanager
def writing() -> Iterator[Connection]:
    """A transaction for what staff decide; every call in it names its actor."""
    with store().write() as connection:
        yield connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What of the desk is asked for; None is all, assignee "" is nobody's."""

    order: desk.Order = "urgent"
    topic: str | None = None
    assignee: str | None = None
    language: str | None = None

    @property
    def narrow(self) -> dict[str, str | None]:
        """The filters, as storage names them."""
        return {"topic": self.topic, "assignee": self.assignee, "language": self.language}


def inbox(wish: Wish, page: int, newest: int) -> list[desk.InboxItem]:
    """One page of the mentions that wait for an answer, none newer than that id: by triage, or the newest first.

    Triage (safety, clock, service, time; never influence) orders within each stretch of TRIAGED mentions.
    """
    urgent = wish.order == "urgent"
    stretch, within = divmod(page * PAGE, TRIAGED) if urgent else (page, 0)
    size = TRIAGED if urgent else PAGE
    with reading() as read:
        found = desk.inbox(read, order=wish.order, limit=size, offset=stretch * size, **wish.narrow)
    items = [item for item in found if item.mention_id <= newest]
    if not urgent:
        return items
    by_id = {item.mention_id: item for item in items}
    return [by_id[each.id] for each in triage.order([_waiting(item) for item in items], now())][within : within + PAGE]


def _waiting(item: desk.InboxItem) -> triage.Waiting:
    due_at = item.due_at if item.verdict != "suggest" else None
    return triage.Waiting(
        id=item.mention_id, harm=harmful(item), topics=frozenset(item.topics), due_at=due_at, since=item.at
    )


def harmful(item: desk.InboxItem) -> bool:
    """True if somebody may come to harm."""
    return item.safety >= settings().alerts.safety_threshold


def waiting_count(wish: Wish) -> int:
    """How many mentions that is, all pages together."""
    with reading() as read:
        return waiting.count(read, **wish.narrow)


def newest_waiting() -> int:
    """The newest mention that waits; what comes later is announced, not put under the reader's hands."""
    with reading() as read:
        return waiting.newest(read)


def newer(than: int) -> int:
    """How many came after that one."""
    with reading() as read:
        return desk.newer(read, than)


def beside(ids: list[int]) -> tuple[dict[int, waiting.Decision], dict[int, str]]:
    """For these mentions: the decision that stands, and the text that each answers."""
    with reading() as read:
        passages = mentions.passages(read, ids)
        return waiting.decisions(read, ids), {i: p.parent_text for i, p in passages if p.parent_text}


def alarms() -> list[alerts.AlertRow]:
    """Alerts that no person has acknowledged, newest first, one row for each way of telling."""
    with reading() as read:
        return alerts.unseen(read)


def colleagues() -> list[str]:
    """Names of those who may answer."""
    with reading() as read:
        return [p.name for p in people.all(read) if p.disabled_at is None and p.may(Role.AGENT)]


def counts() -> desk.Counts:
    """The numbers on the desk's badges."""
    with reading() as read:
        return desk.counts(read, safety_threshold=settings().alerts.safety_threshold)


def items(ids: Sequence[int]) -> list[desk.InboxItem]:
    """These mentions as the desk lists them."""
    with reading() as read:
        return desk.items(read, list(ids))


def case_page(status: str | None, limit: int, offset: int) -> list[cases.CaseRow]:
    """Cases, last touched first."""
    with reading() as read:
        return cases.page(read, status=status, limit=limit, offset=offset)


def case_count(status: str | None) -> int:
    """How many cases there are."""
    with reading() as read:
        return cases.count(read, status)


def case(code: str) -> cases.CaseView | None:
    """The case that somebody quoted, with its decisions."""
    with reading() as read:
        row = cases.by_code(read, code)
        return cases.one(read, row.id) if row else None


@st.cache_data(ttl=MINUTE, max_entries=64)
def days(since: date, until: date, topic: str) -> list[series.DayRow]:
    """Mentions by day and sentiment."""
    with reading() as read:
        return series.mention_days(read, since, until, topic=topic)


@st.cache_data(ttl=MINUTE, max_entries=64)
def topics(since: date, until: date) -> list[series.TopicRow]:
    """Mentions by topic and sentiment."""
    with reading() as read:
        return series.topic_days(read, since, until)


@st.cache_data(ttl=MINUTE, max_entries=8)
def queues() -> list[str]:
    """The queues that have calls."""
    with reading() as read:
        return calls.queues(read)


@st.cache_data(ttl=MINUTE, max_entries=32)
def counted_calls(queue: str, since: datetime, until: datetime) -> list[Calls]:
    """Calls as they were counted."""
    with reading() as read:
        return calls.series(read, queue, since, until)


@st.cache_data(ttl=MINUTE, max_entries=32)
def forecast(queue: str) -> Forecast | None:
    """The newest forecast of a queue."""
    with reading() as read:
        return forecasts.latest(read, queue)


@st.cache_data(ttl=MINUTE, max_entries=32)
def earlier_forecast(queue: str, made_before: datetime) -> Forecast | None:
    """The forecast that was known at a moment."""
    with reading() as read:
        return forecasts.latest(read, queue, made_before)


@st.cache_data(ttl=HOUR, max_entries=16)
def judged(queue: str, today: date) -> accuracy.Accuracy | None:
    """How the first forecast of each of the last NIGHTS local days did, today left out."""
    zone, nights = settings().agency.zone, list[Forecast]()
    with reading() as read:
        for back in range(1, NIGHTS + 1):
            start = _midnight(today - timedelta(days=back), zone)
            nights += forecasts.made_between(read, queue, start, start + timedelta(seconds=1))[:1]
        if len(nights) < accuracy.FEWEST_NIGHTS:
            return None
        since = _midnight(today - timedelta(days=NIGHTS + 7 * accuracy.WEEKS), zone)
        came = calls.series(read, queue, since, _midnight(today, zone))
    return accuracy.judge(nights, came)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def source_rows() -> list[sources.SourceRow]:
    """Every source and how it does."""
    with reading() as read:
        return sources.all(read)


@st.cache_data(ttl=MINUTE, max_entries=16)
def ledger(since: datetime, until: datetime) -> list[coverage.LedgerRow]:
    """What was fetched and missed, by source and hour."""
    with reading() as read:
        return coverage.ledger(read, since, until)


@st.cache_data(ttl=MINUTE, max_entries=16)
def missing(since: date, until: date) -> dict[date, int | None]:
    """Local days on which not everything was heard, with how many are missing."""
    zone = settings().agency.zone
    return heard.missing_by_day(gaps(_midnight(since, zone), _midnight(until, zone)), since, until, zone)


def gaps(since: datetime, until: datetime) -> list[coverage.GapRow]:
    """Gaps in that span, open and closed."""
    with reading() as read:
        return coverage.gaps(read, since, until)


def asked() -> list[requests.RequestRow]:
    """What pages asked jobs to do, newest first."""
    with reading() as read:
        return requests.recent(read, 10)


def dead_letters() -> list[work.Unit]:
    """Work that was given up and waits for an operator."""
    with reading() as read:
        return work.dead(read, 50)


def last_hours(n: int) -> tuple[datetime, datetime]:
    """The last n whole hours, up to the next full one, so that a minute's cache is hit."""
    until = now().replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    return until - timedelta(hours=n), until
