"""Figures with their uncertainty, from roll-ups. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from math import nan, sqrt
from zoneinfo import ZoneInfo

import pandas as pd

from dashboard.heard import REASONS, in_words
from dashboard.words import LABELS, count, percent
from storage.coverage import LedgerRow

Z95 = 1.959964


@dataclass(frozen=True, slots=True)
class Share:
    """A share of n with its 95 % interval; NaN if n is 0.

    Attributes:
        n: read mentions the share is of.
        unread: mentions nobody could read: in no share.
    """

    n: int
    negative: int
    positive: int
    unread: int
    share: float
    low: float
    high: float


def wilson(k: int, n: int) -> tuple[float, float, float]:
    """K of n as a share with its 95 % Wilson score interval; NaN for n = 0.

    Source: Wilson, JASA 22 (1927) 209-212.

    >>> [round(x, 3) for x in wilson(5, 10)]
    [0.5, 0.237, 0.763]
    """
    if n == 0:
        return nan, nan, nan
    p, z2 = k / n, Z95**2
    centre = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = Z95 / (1 + z2 / n) * sqrt(p * (1 - p) / n + z2 / (4 * n * n))
    return p, min(p, max(0.0, centre - half)), max(p, min(1.0, centre + half))


def share_of(counts: dict[str, int]) -> Share:
    """The share of negative ones among those that were read."""
    n = sum(counts.get(label, 0) for label in ("negative", "neutral", "positive"))
    negative = counts.get("negative", 0)
    return Share(n, negative, counts.get("positive", 0), counts.get("unread", 0), *wilson(negative, n))


def by_day(rows: Iterable[tuple[date, str, int]], since: date, until: date) -> dict[date, Share]:
    """A share for each day of [since, until), also for those without a mention: a gap, not a zero."""
    found: dict[date, dict[str, int]] = defaultdict(dict)
    for day, label, n in rows:
        found[day][label] = found[day].get(label, 0) + n
    n_days = (until - since).days
    return {since + timedelta(days=i): share_of(found.get(since + timedelta(days=i), {})) for i in range(n_days)}


def total(rows: Iterable[tuple[str, int]]) -> Share:
    """One share over (label, n) pairs."""
    counts: dict[str, int] = defaultdict(int)
    for label, n in rows:
        counts[label] += n
    return share_of(counts)


def by_topic(rows: Iterable[tuple[str, str, int]]) -> pd.DataFrame:
    """Mentions by topic, most first: columns topic, n, negative."""
    found: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for topic, label, n in rows:
        found[topic][0] += n
        found[topic][1] += n if label == "negative" else 0
    frame = pd.DataFrame([(t, n, negative) for t, (n, negative) in found.items()], columns=["topic", "n", "negative"])
    return frame.sort_values(["n", "topic"], ascending=[False, True], ignore_index=True)


def trend(shares: Mapping[date, Share], missing: Mapping[date, int | None]) -> pd.DataFrame:
    """Columns day, share, low, high, n, unread, gap (not everything was heard), heard (how much, in words)."""
    rows = [
        (day, s.share, s.low, s.high, s.n, s.unread, day in missing, in_words(missing.get(day, 0)))
        for day, s in shares.items()
    ]
    return pd.DataFrame(rows, columns=["day", "share", "low", "high", "n", "unread", "gap", "heard"])


def sentence(found: Share) -> str:
    """The share of negative mentions in words, with what it does not say."""
    unread = f" {found.unread:,} could not be read and are in no share." if found.unread else ""
    if found.n == 0:
        return f"No mention in this span could be read.{unread}"
    return (
        f"{percent(found.share)} of {count(found.n, 'mention')} that could be read are negative towards the agency: "
        f"{percent(found.low)} to {percent(found.high)} allowing for chance (95% interval), not for the model's own "
        f"errors.{unread} Days without a mention are gaps."
    )


def readable(frame: pd.DataFrame) -> pd.DataFrame:
    """The trend as people read it: newest day first, whole percents, a dash where nothing was read."""
    percents = {
        name: frame[name].map(lambda x: "–" if pd.isna(x) else percent(float(x))) for name in ("share", "low", "high")
    }
    shown = frame.assign(**percents, day=frame["day"].map(lambda d: f"{d:%a} {d.day} {d:%b %Y}"))
    shown = shown[["day", "share", "low", "high", "n", "unread", "heard"]].iloc[::-1]
    names = ["Day", "Negative", "at least", "at most", "Mentions read", "Not read", "Heard"]
    return shown.set_axis(names, axis=1)


def wide(frame: pd.DataFrame) -> pd.DataFrame:
    """Columns day, sentiment, n as one row a day, newest first, one column for each sentiment."""
    table = frame.pivot_table(index="day", columns="sentiment", values="n", aggfunc="sum", fill_value=0)
    table = table.reindex(columns=[*LABELS], fill_value=0).iloc[::-1].reset_index()
    return table.set_axis(["Day", "Negative", "Neutral", "Positive", "Not read"], axis=1)


def heard_by_source(rows: Iterable[LedgerRow]) -> dict[str, str]:
    """What each source showed and what is missing, in words."""
    seen: dict[str, int] = defaultdict(int)
    missed: dict[str, int | None] = defaultdict(int)
    for row in rows:
        seen[row.source] += row.seen
        before = missed[row.source]
        missed[row.source] = None if before is None or row.missed is None else before + row.missed
    return {
        name: f"{count(n, 'mention')} seen, {in_words(missed[name]) if missed[name] != 0 else 'no gap open'}"
        for name, n in seen.items()
    }


def ledger_frame(rows: Iterable[LedgerRow], zone: ZoneInfo) -> pd.DataFrame:
    """Columns hour (local), source, state, n: what charts.coverage draws."""
    cells = []
    for row in rows:
        hour = row.hour.astimezone(zone)
        if row.seen:
            cells.append((hour, row.source, "fetched", row.seen))
        if row.missed is None or row.missed:
            state = "missed, number unknown" if row.missed is None else "missed"
            cells.append((hour, row.source, state, row.missed or 0))
    return pd.DataFrame(cells, columns=["hour", "source", "state", "n"])


def ledger_table(rows: Iterable[LedgerRow], zone: ZoneInfo) -> pd.DataFrame:
    """The ledger as people read it, oldest first."""
    names = ["Hour", "Source", "Seen", "New", "Missed", "By back-fill", "Could not be read", "Why"]
    cells = [
        (
            f"{local:%a} {local.day} {local:%b %H:%M}",
            row.source,
            row.seen,
            row.new,
            "unknown" if row.missed is None else str(row.missed),
            row.backfilled,
            row.rejected,
            REASONS.get(row.reason, row.reason) if row.reason else "",
        )
        for row in rows
        for local in (row.hour.astimezone(zone),)
    ]
    return pd.DataFrame(cells, columns=names)
