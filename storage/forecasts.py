"""Forecasts as they were made: frozen, so that what was shown can be held against what came."""

from datetime import datetime, timedelta
from typing import Any

import numpy as np
from sqlalchemy import Connection, Row, select

from core.series import QUANTILES, Forecast
from storage.sql import upsert
from storage.tables import forecast


def add(tx: Connection, made: Forecast, now: datetime) -> int:
    """Keep a forecast; return its id. The same series, moment and model again changes nothing."""
    c = forecast.c
    put = upsert(tx, forecast).values(**_row(made, now))
    put = put.on_conflict_do_nothing(index_elements=["series", "made_at", "model"]).returning(c.id)
    found = tx.execute(put).scalar_one_or_none()
    if found is None:
        same = (c.series == made.series, c.made_at == made.made_at, c.model == made.model)
        found = tx.execute(select(c.id).where(*same)).scalar_one()
    return int(found)


def _row(made: Forecast, now: datetime) -> dict[str, Any]:
    return {
        "series": made.series,
        "made_at": made.made_at,
        "model": made.model,
        "start": made.start,
        "step_seconds": int(made.step.total_seconds()),
        "timezone": made.timezone,
        "steps": made.quantiles.shape[0],
        "quantiles": np.ascontiguousarray(made.quantiles, dtype="<f8").tobytes(),
        "spike_probability": np.ascontiguousarray(made.spike_probability, dtype="<f8").tobytes(),
        "notes": list(made.notes),
        "details": made.details,
        "stored_at": now,
    }


def _forecast(row: Row[Any]) -> Forecast:
    quantiles = np.frombuffer(row.quantiles, dtype="<f8").reshape(row.steps, len(QUANTILES))
    return Forecast(
        series=row.series,
        start=row.start,
        step=timedelta(seconds=row.step_seconds),
        timezone=row.timezone,
        quantiles=quantiles.astype(np.float64),
        spike_probability=np.frombuffer(row.spike_probability, dtype="<f8").astype(np.float64),
        made_at=row.made_at,
        model=row.model,
        notes=tuple(row.notes),
        details=row.details,
    )


def latest(read: Connection, series: str, made_before: datetime | None = None) -> Forecast | None:
    """The newest forecast of a series, or the newest of those made at or before a moment."""
    c = forecast.c
    wanted = select(forecast).where(c.series == series).order_by(c.made_at.desc(), c.id.desc()).limit(1)
    if made_before is not None:
        wanted = wanted.where(c.made_at <= made_before)
    row = read.execute(wanted).one_or_none()
    return None if row is None else _forecast(row)


def made_between(read: Connection, series: str, since: datetime, until: datetime) -> list[Forecast]:
    """Forecasts made in [since, until), oldest first."""
    c = forecast.c
    wanted = select(forecast).where(c.series == series, c.made_at >= since, c.made_at < until)
    return [_forecast(row) for row in read.execute(wanted.order_by(c.made_at, c.id))]


def names(read: Connection) -> list[str]:
    """The series that have a forecast."""
    return list(read.execute(select(forecast.c.series).distinct().order_by(forecast.c.series)).scalars())
