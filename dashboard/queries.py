"""What the pages read. Roll-ups are cached for a minute; the desk, where staff act, is always read anew."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta

import streamlit as st
from sqlalchemy import Connection

from core.series import Calls, Forecast
from core.settings import Settings, load
from crm import triage
from storage import calls, cases, coverage, desk, forecasts, mentions, series, sources, work
from storage.engine import Store, open_store

MINUTE = 60
#: Items on a page, and how many are put in order together.
PAGE = 15
TRIAGED = 20 * PAGE


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


def inbox(order: desk.Order, page: int, topic: str | None, assignee: str | None) -> list[desk.InboxItem]:
    """One page of the mentions that wait for an answer: by triage, or the newest first.

    Triage (safety, clock, service, time; never influence) orders within each stretch of TRIAGED mentions.
    """
    stretch, within = divmod(page * PAGE, TRIAGED) if order == "urgent" else (page, 0)
    size = TRIAGED if order == "urgent" else PAGE
    with reading() as read:
        items = desk.inbox(read, order=order, limit=size, offset=stretch * size, topic=topic, assignee=assignee)
    if order == "newest":
        return items
    by_id = {item.mention_id: item for item in items}
    return [by_id[each.id] for each in triage.order([_waiting(item) for item in items], now())][within : within + PAGE]


def _waiting(item: desk.InboxItem) -> triage.Waiting:
    harm = item.safety >= settings().alerts.safety_threshold
    return triage.Waiting(
        id=item.mention_id, harm=harm, topics=frozenset(item.topics), due_at=item.due_at, since=item.at
    )


def counts() -> desk.Counts:
    """The numbers on the desk's badges."""
    with reading() as read:
        return desk.counts(read, safety_threshold=settings().alerts.safety_threshold)


def mention(mention_id: int) -> mentions.MentionView | None:
    """One mention with all that is known of it."""
    with reading() as read:
        return mentions.one(read, mention_id)


def items(ids: tuple[int, ...]) -> list[desk.InboxItem]:
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


def case(case_id: int) -> cases.CaseView | None:
    """One case with its decisions."""
    with reading() as read:
        return cases.one(read, case_id)


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


@st.cache_data(ttl=MINUTE, max_entries=64)
def hours(since: datetime, until: datetime, topic: str = "") -> list[series.HourRow]:
    """Mentions by hour and sentiment."""
    with reading() as read:
        return series.mention_hours(read, since, until, topic=topic)


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


def source_rows() -> list[sources.SourceRow]:
    """Every source and how it does."""
    with reading() as read:
        return sources.all(read)


@st.cache_data(ttl=MINUTE, max_entries=16)
def ledger(since: datetime, until: datetime) -> list[coverage.LedgerRow]:
    """What was fetched and missed, by source and hour."""
    with reading() as read:
        return coverage.ledger(read, since, until)


def gaps(since: datetime, until: datetime) -> list[coverage.GapRow]:
    """Gaps in that span, open and closed."""
    with reading() as read:
        return coverage.gaps(read, since, until)


def dead_letters() -> list[work.Unit]:
    """Work that was given up and waits for an operator."""
    with reading() as read:
        return work.dead(read, 50)


def last_hours(n: int) -> tuple[datetime, datetime]:
    """The last n whole hours, up to the next full one, so that a minute's cache is hit."""
    until = now().replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    return until - timedelta(hours=n), until
