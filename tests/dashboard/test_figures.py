"""What pages compute before they show it: intervals, gaps, bands, accuracy, evidence, charts."""

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.series import Calls, Forecast
from dashboard import accuracy, charts, evidence, heard, phones, stats
from storage.coverage import GapRow, LedgerRow
from storage.views import LinkRow
from storage.waiting import Decision
from tests.dashboard.phoned import QUEUE, STEP, made, usual

ZONE = ZoneInfo("America/New_York")
NOW = datetime(2026, 3, 5, 17, 10, tzinfo=UTC)
DAY = date(2026, 3, 5)
MIDNIGHT = datetime(2026, 3, 5, 5, 0, tzinfo=UTC)


@given(st.integers(0, 500), st.integers(1, 500))
def test_an_interval_holds_its_share(k: int, n: int) -> None:
    k = min(k, n)
    p, low, high = stats.wilson(k, n)
    assert 0 <= low <= p <= high <= 1
    assert high - low > 0


@given(st.integers(1, 100))
def test_more_mentions_make_a_narrower_interval(n: int) -> None:
    def width(times: int) -> float:
        _, low, high = stats.wilson(n * times, 2 * n * times)
        return high - low

    assert width(10) < width(1)


def test_a_day_without_a_mention_is_a_gap_and_no_zero() -> None:
    shares = stats.by_day([(DAY, "negative", 3), (DAY, "unread", 2)], DAY, DAY + timedelta(days=2))
    assert shares[DAY].share == 1.0
    assert (shares[DAY].n, shares[DAY].unread) == (3, 2)
    assert np.isnan(shares[DAY + timedelta(days=1)].share)


def test_a_trend_says_how_much_was_heard_newest_first() -> None:
    shares = stats.by_day([(DAY, "negative", 1), (DAY, "positive", 3)], DAY, DAY + timedelta(days=2))
    frame = stats.trend(shares, {DAY: None})
    assert list(frame["gap"]) == [True, False]
    shown = stats.readable(frame)
    assert list(shown["Day"]) == ["Fri 6 Mar 2026", "Thu 5 Mar 2026"]
    assert list(shown["Negative"]) == ["–", "25%"]
    assert list(shown["Heard"]) == ["all", "some missed, number unknown"]


def test_the_sentence_says_what_was_not_read() -> None:
    found = stats.total([("negative", 1), ("positive", 3), ("unread", 2)])
    assert stats.sentence(found).startswith("25% of 4 mentions")
    assert "2 could not be read" in stats.sentence(found)
    assert "No mention in this span could be read" in stats.sentence(stats.total([("unread", 2)]))


def gap(**changes: Any) -> GapRow:
    """37 missed from 22:00 to 02:00 local time, two hours of each day."""
    start = datetime(2026, 3, 5, 3, 0, tzinfo=UTC)
    values: dict[str, Any] = {
        "id": 1,
        "source": "tag",
        "run": "r",
        "since": start,
        "until": start + timedelta(hours=4),
        "missed_first": 37,
        "missed": 37,
        "reason": "pending",
        "resume": "x",
        "filled": 0,
        "opened_at": NOW,
        "updated_at": NOW,
        "closed_at": None,
        "outcome": None,
    }
    return GapRow(**values | changes)


def missing(*gaps: GapRow) -> dict[date, int | None]:
    return heard.missing_by_day(gaps, DAY - timedelta(days=3), DAY + timedelta(days=2), ZONE)


def test_a_gap_falls_on_the_agencys_days_and_nothing_of_it_is_lost() -> None:
    found = missing(gap())
    assert found == {date(2026, 3, 4): 18, date(2026, 3, 5): 19}


def test_one_gap_of_unknown_size_makes_the_day_unknown() -> None:
    assert missing(gap(), gap(id=2, missed=None)) == {date(2026, 3, 4): None, date(2026, 3, 5): None}


@pytest.mark.parametrize(("outcome", "shown"), [("filled", False), ("covered", False), ("lost", True)])
def test_a_closed_gap_counts_only_if_it_was_lost(outcome: str, shown: bool) -> None:
    assert bool(missing(gap(closed_at=NOW, outcome=outcome))) is shown


@given(st.integers(0, 1000), st.integers(1, 200))
def test_the_shares_of_a_gap_add_up(n: int, hours: int) -> None:
    until = datetime(2026, 3, 5, tzinfo=UTC)
    one = gap(since=until - timedelta(hours=hours), until=until, missed=n)
    found = heard.missing_by_day([one], DAY - timedelta(days=30), DAY + timedelta(days=2), ZONE)
    assert sum(v or 0 for v in found.values()) == n


def test_gaps_in_words() -> None:
    said = heard.gap_sentence(gap(filled=20, missed=17), ZONE, NOW)
    assert said == (
        "tag: 37 mentions were missed from Wed 4 Mar 2026, 22:00 to Thu 5 Mar 2026, 02:00, because more was there than "
        "one poll may take. Open: a back-fill is under way, 20 fetched, 17 are still missing."
    )
    assert "the beginning" in heard.gap_sentence(gap(since=None), ZONE, NOW)
    assert "lost for ever" in heard.gap_sentence(gap(closed_at=NOW, outcome="lost"), ZONE, NOW)
    assert heard.sentence({}) == "No gap is known in this span."
    assert "(an unknown number missed)" in heard.sentence({DAY: None})
    assert "(5 missed)" in heard.sentence({DAY: 5})


def ledger(missed: int | None) -> LedgerRow:
    return LedgerRow(
        source="tag",
        hour=datetime(2026, 3, 5, 3, tzinfo=UTC),
        expected=None,
        fetched=4,
        seen=3,
        new=2,
        duplicate=2,
        missed=missed,
        rejected=0,
        backfilled=0,
        reason="outage",
    )


def test_the_ledger_is_told_in_local_hours() -> None:
    frame = stats.ledger_frame([ledger(None)], ZONE)
    assert list(frame["state"]) == ["fetched", "missed, number unknown"]
    table = stats.ledger_table([ledger(None)], ZONE)
    assert list(table.iloc[0]) == ["Wed 4 Mar 22:00", "tag", 3, 2, "unknown", 0, 0, "the source did not answer"]
    assert stats.heard_by_source([ledger(None), ledger(5)]) == {"tag": "6 mentions seen, some missed, number unknown"}
    assert stats.heard_by_source([ledger(0)]) == {"tag": "3 mentions seen, no gap open"}


def calls(since: datetime, until: datetime, factor: float = 1.0) -> list[Calls]:
    """What came, exactly as usual times a factor."""
    found = []
    while since < until:
        mean = usual(since, ZONE)
        if not np.isnan(mean):
            found.append(Calls(queue=QUEUE, start=since, step=STEP, offered=mean * factor, recorded_at=since + STEP))
        since += STEP
    return found


def test_a_night_without_calls_is_a_hole_in_the_picture() -> None:
    frame = phones.frame([made(MIDNIGHT, ZONE)], calls(MIDNIGHT, NOW), MIDNIGHT + timedelta(days=2))
    hole = frame[frame["expected"].isna()]
    assert [t.hour for t in hole["start"]] == [22, 22]
    today = phones.on_day(frame, DAY)
    assert set(t.date() for t in today["start"]) == {DAY}
    assert today["came"].notna().sum() == 13


def test_today_is_held_against_the_night() -> None:
    night = made(MIDNIGHT, ZONE)
    came = calls(MIDNIGHT, NOW - STEP, 1.2)
    frame = phones.on_day(phones.frame([night], came, MIDNIGHT + timedelta(days=1)), DAY)
    said = phones.today_sentence(phones.running(night, came, NOW), frame)
    assert "by then: 20% more than expected" in said
    as_usual = calls(MIDNIGHT, NOW - STEP)
    assert "as expected" in phones.today_sentence(phones.running(night, as_usual, NOW), frame)
    assert "None are counted yet today" in phones.today_sentence(phones.running(night, [], NOW), frame)
    assert phones.running(None, came, NOW) is None


def test_old_call_figures_are_said_to_be_old() -> None:
    said = phones.fresh_sentence(timedelta(minutes=40), STEP, NOW, ZONE)
    assert said == "Calls are counted up to Thu 5 Mar 2026, 11:30, 40 minutes ago."
    assert "check the import" in phones.fresh_sentence(timedelta(hours=5), STEP, NOW, ZONE)
    assert "Are the files coming?" in phones.fresh_sentence(None, None, NOW, ZONE)


def test_the_likeliest_spike_is_named() -> None:
    days: Any = (made(MIDNIGHT, ZONE).details or {})["days"]
    assert phones.spike_sentence(days, 1.25).endswith("Most likely: Fri 6 Mar, possible (35%).")
    assert phones.spike_rows(days)[1]["Chance of a spike"] == "possible (35%)"


def nights(n: int) -> list[Forecast]:
    return [made(MIDNIGHT - timedelta(days=back), ZONE) for back in range(1, n + 1)]


def test_a_forecast_that_is_right_beats_a_mean_that_is_not() -> None:
    history = calls(MIDNIGHT - timedelta(weeks=14), MIDNIGHT - timedelta(days=10), 1.5)
    found = accuracy.judge(nights(10), [*history, *calls(MIDNIGHT - timedelta(days=10), MIDNIGHT)])
    assert found is not None
    assert found.nights == 10
    assert found.error == pytest.approx(0)
    assert found.usual_error > 0.3
    assert found.within == 1.0
    assert "100% less" in accuracy.sentence(found)


def test_a_forecast_no_better_than_the_mean_is_said_to_be_so() -> None:
    history = calls(MIDNIGHT - timedelta(weeks=14), MIDNIGHT, 1.5)
    found = accuracy.judge(nights(10), history)
    assert found is not None
    assert found.error == pytest.approx(1 / 3)
    assert found.usual_error == pytest.approx(0)


def test_six_nights_are_not_enough() -> None:
    found = accuracy.judge(nights(6), calls(MIDNIGHT - timedelta(weeks=14), MIDNIGHT))
    assert found is None
    assert accuracy.sentence(found).startswith("Not enough nights yet")


def test_nothing_is_judged_without_weeks_before_it() -> None:
    assert accuracy.judge(nights(10), calls(MIDNIGHT - timedelta(days=20), MIDNIGHT)) is None
    assert accuracy.judge([], []) is None


def decision(verdict: str, rule: str, found: dict[str, Any], code: str | None = "M-7F3K2") -> Decision:
    link = LinkRow(
        id=1,
        mention_id=2,
        case_id=3,
        verdict=verdict,
        rule=rule,
        score=0.6,
        evidence=found,
        decided_by="job:link",
        decided_at=NOW,
        undone_at=None,
        undone_by=None,
        undone_reason=None,
    )
    return Decision(link=link, code=code, title="x", also_code=None)


def test_evidence_is_said_in_words() -> None:
    alike = decision("suggest", "similar", {"cosine": 0.93, "words": ["main", "burst"], "hours": 1.5, "metres": 120.0})
    assert evidence.standing(alike) == (
        "May belong to case M-7F3K2: it is alike in content and time (likeness of the texts: 93%; both say: main, "
        "burst; 1.5 hours apart; 120 m apart; about 6 of 10 such suggestions are right)."
    )
    unsure = decision("suggest", "new", {"unsure": ["about_us"]}, None)
    assert evidence.standing(unsure) == (
        "May need a case: the model is not sure enough to decide (the model is unsure whether: the agency is meant)."
    )
    assert (
        evidence.standing(decision("open", "new", {"needs_answer": 0.9})) == "Opened case M-7F3K2: no open case fits."
    )


@given(
    st.dictionaries(
        st.text(max_size=9), st.one_of(st.text(), st.integers(), st.floats(), st.none(), st.lists(st.text()))
    )
)
def test_any_evidence_can_be_said(found: dict[str, Any]) -> None:
    assert isinstance(evidence.standing(decision("join", "person", found)), str)


def starts(chart: charts.Picture) -> list[str]:
    """Every time that a chart holds."""
    spec = json.loads(chart.to_json())
    rows = [row for rows in spec["datasets"].values() for row in rows]
    return [str(row[name]) for row in rows for name in ("start", "day", "hour") if name in row]


def test_charts_hold_the_wall_clock_without_a_zone() -> None:
    frame = phones.frame([made(MIDNIGHT, ZONE)], calls(MIDNIGHT, NOW), MIDNIGHT + timedelta(days=1))
    trend = stats.trend(stats.by_day([(DAY, "negative", 1)], DAY, DAY + timedelta(days=1)), {DAY: 3})
    volume = pd.DataFrame([(DAY, "unread", 2)], columns=["day", "sentiment", "n"])
    pictures = [charts.phones(frame), charts.sentiment_trend(trend), charts.volume(volume)]
    pictures.append(charts.coverage(stats.ledger_frame([ledger(None)], ZONE)))
    for picture in pictures:
        times = starts(picture)
        assert times
        assert not any(t.endswith("Z") or "+" in t or "-05:00" in t for t in times)
    assert "2026-03-05T06:00:00" in starts(pictures[0])
    assert "2026-03-04T22:00:00" in starts(pictures[3])


def test_lines_are_told_apart_by_more_than_colour() -> None:
    frame = phones.frame([made(MIDNIGHT, ZONE)], calls(MIDNIGHT, NOW), MIDNIGHT + timedelta(days=1))
    assert "strokeDash" in charts.phones(frame).to_json()


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


@pytest.mark.parametrize("colour", [*charts.COLOURS.values(), charts.BLUE, charts.GREY, charts.RED, charts.INK])
def test_each_colour_has_contrast_with_white(colour: str) -> None:
    assert 1.05 / (luminance(colour) + 0.05) >= 4.5
