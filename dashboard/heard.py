"""What was not heard, by day and in words: gaps as the ledger knows them. Pure."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from dashboard import words
from storage.coverage import GapRow, spread
from storage.sources import SourceRow

REASONS = {
    "pending": "more was there than one poll may take",
    "budget": "the run reached its limit",
    "quota": "the source's rate limit was reached",
    "token": "the token was refused",
    "outage": "the source did not answer",
    "window": "the source shows nothing so old",
    "robots": "robots.txt forbids it",
    "rejected": "items could not be read",
}
OUTCOMES = {"filled": "filled by a back-fill", "covered": "a later run saw it all", "lost": "given up: lost for ever"}
STATES = {
    "ok": "works",
    "waiting": "did not answer, is asked again",
    "attention": "needs attention: its answer could not be read",
    "refused": "refused: an operator must act",
    "retired": "gone for good: its mentions stay",
}


def still_missing(gap: GapRow) -> bool:
    """True while the gap is open, and for ever if it was given up."""
    return gap.closed_at is None or gap.outcome == "lost"


def missing_by_day(gaps: Iterable[GapRow], since: date, until: date, zone: ZoneInfo) -> dict[date, int | None]:
    """How many mentions are missing on each local day of [since, until) that lacks any; None: nobody knows."""
    first, last = _midnight(since, zone), _midnight(until, zone)
    found: dict[date, int | None] = {}
    for gap in filter(still_missing, gaps):
        for hour, missed in spread(gap.since, gap.until, gap.missed, first, last):
            day = hour.astimezone(zone).date()
            before = found.get(day, 0)
            found[day] = None if before is None or missed is None else before + missed
    return {day: n for day, n in sorted(found.items()) if n != 0}


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def in_words(missing: int | None) -> str:
    """How many are missing, for a table's cell."""
    return "some missed, number unknown" if missing is None else f"{missing:,} missed" if missing else "all"


def sentence(missing: Mapping[date, int | None]) -> str:
    """What a reader of a trend must know about its gaps."""
    if not missing:
        return "No gap is known in this span."
    known = sum(n or 0 for n in missing.values())
    unknown = any(n is None for n in missing.values())
    number = "an unknown number" if unknown and not known else f"{known:,}{' or more' if unknown else ''}"
    on = words.count(len(missing), "day")
    return f"On {on} not everything was heard ({number} missed): those days are marked with a triangle."


def gap_sentence(gap: GapRow, zone: ZoneInfo, now: datetime) -> str:
    """One gap: how many, of when, why, and what becomes of it."""
    number = "An unknown number of mentions" if gap.missed_first is None else words.count(gap.missed_first, "mention")
    began = words.local(gap.since, zone) if gap.since else "the beginning"
    verb = "was" if gap.missed_first == 1 or gap.missed_first is None else "were"
    reason = REASONS.get(gap.reason, gap.reason)
    said = f"{gap.source}: {number} {verb} missed from {began} to {words.local(gap.until, zone)}, because {reason}."
    return f"{said} {_outcome(gap, zone, now)}"


def _outcome(gap: GapRow, zone: ZoneInfo, now: datetime) -> str:
    if gap.closed_at is not None:
        return f"Closed {words.ago(gap.closed_at, now)}: {OUTCOMES.get(gap.outcome or '', gap.outcome)}."
    if gap.resume is None:
        return "Open: the next run that reaches back that far closes it."
    left = "an unknown number is" if gap.missed is None else f"{gap.missed:,} are"
    return f"Open: a back-fill is under way, {gap.filled:,} fetched, {left} still missing."


def state(row: SourceRow, now: datetime) -> str:
    """How a source does, in a few words."""
    if not row.enabled:
        return "switched off"
    again = f" in {words.span(row.retry_at - now)}" if row.retry_at and row.retry_at > now else ""
    return f"{STATES[row.state]}{again}"
