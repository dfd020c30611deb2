"""Forecasts as tables for people and machines: CSV, JSON, and a plain text table."""

import csv
import io
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import numpy as np

from core.series import QUANTILE_NAMES, Forecast
from forecast.backtest import Report, geometric_means
from forecast.intraday import empty_like
from forecast.staffing import Staffing
from forecast.wall import local_starts

COLUMNS = ("series", "ts", *QUANTILE_NAMES, "spike_probability")
RISKY = ("=", "+", "-", "@", "\t", "\r")


def stamp(moment: datetime, naive: bool) -> str:
    """A slot's start as the file wrote its times: with an offset from UTC, or without."""
    return (moment.replace(tzinfo=None) if naive else moment).isoformat(sep="T", timespec="seconds")


def safe(cell: str) -> str:
    """A name that no spreadsheet takes for a formula."""
    return "'" + cell if cell.startswith(RISKY) else cell


def slots(forecast: Forecast, naive: bool) -> Iterator[dict[str, Any]]:
    """One record for each open slot."""
    starts = local_starts(empty_like(forecast), 0, len(forecast.quantiles))
    for i, start in enumerate(starts):
        if np.isnan(forecast.quantiles[i, 4]):
            continue
        yield {
            "series": forecast.series,
            "ts": stamp(start.to_pydatetime(), naive),
            **{n: round(float(v), 4) for n, v in zip(QUANTILE_NAMES, forecast.quantiles[i], strict=True)},
            "spike_probability": round(float(forecast.spike_probability[i]), 4),
        }


def as_csv(forecasts: Sequence[Forecast], naive: bool) -> str:
    """All forecasts in one table."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for forecast in forecasts:
        writer.writerows({**slot, "series": safe(slot["series"])} for slot in slots(forecast, naive))
    return text.getvalue()


def as_records(forecasts: Sequence[Forecast], naive: bool) -> list[dict[str, Any]]:
    """All forecasts as one list of records, the columns of the CSV; with a signal also what became of it."""
    records = []
    for forecast in forecasts:
        signals = (forecast.details or {}).get("signals")
        extra = {"signal": signals[0]} if signals else {}
        records += [slot | extra for slot in slots(forecast, naive)]
    return records


def backtest_text(reports: Sequence[Report]) -> str:
    """A table for each series, and the geometric mean over them."""
    lines = []
    head = f"{'model':<18}{'WAPE':>8}{'MASE':>8}{'wQL':>8}{'80 %':>8}{'95 %':>8}{'/naive':>8}"
    for report in reports:
        one = report.rows[0]
        lines += [
            f"{one.series}: {one.origins} origins from {report.first} to {report.last}, {one.horizon_days} days ahead; "
            f"chance alone leaves a WAPE of {report.floor:.3f}",
            head,
        ]
        lines += [
            f"{r.model:<18}{r.wape:>8.4f}{r.mase:>8.3f}{r.wql:>8.4f}{r.cover80:>8.1%}{r.cover95:>8.1%}{r.relative:>8.3f}"
            for r in report.rows
        ]
        lines.append("")
    lines.append("WAPE relative to seasonal naive, geometric mean over series")
    lines += [f"{model:<18}{mean:>8.3f}" for model, mean in geometric_means(list(reports)).items()]
    return "\n".join(lines)


def staffing_text(staffing: Staffing) -> str:
    """A few lines for a person."""
    queue = staffing.queue
    lines = [
        f"agents on the phones   {staffing.agents}",
        f"agents scheduled       {staffing.scheduled}",
        f"service level          {queue.service_level:.3f}",
        f"chance of waiting      {queue.waiting:.3f}",
        f"average wait (ASA)     {queue.mean_wait:.1f} s",
        f"occupancy              {queue.occupancy:.3f}",
    ]
    if staffing.giving_up is not None:
        a = staffing.giving_up
        lines += [
            "with callers who give up (Erlang A), same agents:",
            f"  service level        {a.service_level:.3f}",
            f"  abandoned            {a.abandoned:.3f}",
            f"  chance of waiting    {a.waiting:.3f}",
            f"  average wait         {a.mean_wait:.1f} s",
            f"  agents that would do {staffing.agents_giving_up}",
        ]
    return "\n".join(lines)


def staffing_record(staffing: Staffing) -> dict[str, Any]:
    """The same for a machine; shares 0..1, seconds."""
    queue = staffing.queue
    record: dict[str, Any] = {
        "calls": staffing.calls,
        "agents": staffing.agents,
        "scheduled": staffing.scheduled,
        "service_level": round(queue.service_level, 6),
        "chance_of_waiting": round(queue.waiting, 6),
        "asa_seconds": round(queue.mean_wait, 4),
        "occupancy": round(queue.occupancy, 6),
    }
    if staffing.giving_up is not None:
        a = staffing.giving_up
        record["erlang_a"] = {
            "service_level": round(a.service_level, 6),
            "abandoned": round(a.abandoned, 6),
            "chance_of_waiting": round(a.waiting, 6),
            "asa_seconds": round(a.mean_wait, 4),
            "occupancy": round(a.occupancy, 6),
            "agents": staffing.agents_giving_up,
        }
    return record
