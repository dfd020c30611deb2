"""The product's own forecaster: calendar model and trees, blended, with carry-over, bands and chance of spikes.

Every pipeline here is the same machine with other models in it, so each yardstick gets bands and backtests too.
"""

from dataclasses import asdict, dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import lightgbm as lgb
import numpy as np

from core.errors import BadInput
from core.series import Forecast, Known, Series
from forecast import intraday, leading, plan, spikes
from forecast.boosted import Trees
from forecast.calendar import Calendar, calendar_for
from forecast.glm import Glm
from forecast.models import Model
from forecast.naive import MEAN_8_WEEKS, NAIVE
from forecast.plan import Plan
from forecast.profile import opening
from forecast.rehearsal import Rehearsal
from forecast.wall import DAY, Bools, Ints, Wall, lay, local_starts, positions, slot_number

LEAST_DAYS = 14
SHORT_DAYS = 56
TREES_DAYS = 112
YEAR_DAYS = 364
LEAST_HORIZON = 7
FAILURES = (np.linalg.LinAlgError, ArithmeticError, lgb.basic.LightGBMError)


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A forecaster made of some models.

    Attributes:
        models: blended by past error; the first ones of the fallback chain follow if they fail.
        spike_ratio: how many times the usual makes a spike.
        carry: whether yesterday's surprise is carried to the next two days.
    """

    name: str
    models: tuple[Model, ...]
    spike_ratio: float = 1.25
    carry: bool = True

    def forecast(self, history: Series, known: Known, origin: datetime, steps: int) -> Forecast:
        """See core.protocols.Forecaster.

        Raises:
            BadInput: fewer than two weeks of history before the origin, or no slot to forecast.
        """
        if steps < 1:
            raise BadInput(f"{history.name}: a forecast needs at least one step, got {steps}")
        night = midnight(history, origin)
        elapsed = slot_number(history, origin) - slot_number(history, night)
        frozen = self._night(history, known, night, steps + elapsed)
        moved = intraday.update(frozen, history, origin) if night < origin else frozen
        return listen(cut(moved, origin, steps), history, known, origin)

    def _night(self, history: Series, known: Known, origin: datetime, steps: int) -> Forecast:
        """The forecast from a local midnight on."""
        wall, number = lay(history, origin)
        day = len(wall.values) // wall.per_day
        where = positions(history, number, steps)
        lead = np.clip(where - day * wall.per_day, 0, None)
        horizon = max(int(lead.max()) // wall.per_day + 1, LEAST_HORIZON)
        calendar = calendar_for(wall.monday, day + horizon + 8, known)
        rehearsal = Rehearsal(wall, calendar, self.models, horizon)
        models, notes = self._fitting(history.name, wall, day)
        made, models, more = attempt(rehearsal, models, day, self.carry)
        quantiles = made.quantiles()[lead]
        chance = spikes.by_slot(made, wall, self.spike_ratio)[lead]
        resting = closed_slots(rehearsal.view(day)[1], wall, known, where, lead)
        quantiles[resting], chance[resting] = np.nan, np.nan
        return Forecast(
            series=history.name,
            start=local_starts(history, number, 1)[0].to_pydatetime(),
            step=history.step,
            timezone=history.timezone,
            quantiles=quantiles,
            spike_probability=chance,
            made_at=origin,
            model=self.name if models == self.models else f"{self.name} ({' + '.join(m.name for m in models)})",
            notes=(*notes, *more),
            details=details(made, models, wall, self.spike_ratio),
        )

    def _fitting(self, name: str, wall: Wall, day: int) -> tuple[tuple[Model, ...], tuple[str, ...]]:
        """The models this history is long enough for, and what must be said about it."""
        days = day - wall.first() // wall.per_day
        if days < LEAST_DAYS or np.isnan(wall.values).all():
            found = 0 if np.isnan(wall.values).all() else days
            raise BadInput(f"{name}: {found} days of history are too short: at least {LEAST_DAYS} days are needed")
        if days < SHORT_DAYS and any(m.name in ("GLM", "boosted") for m in self.models):
            return (MEAN_8_WEEKS,), (f"only {days} days of history: mean of the last weeks alone",)
        if days < TREES_DAYS and len(self.models) > 1:
            return (Glm(),), (f"only {days // 7} weeks of history: calendar model alone",)
        if days < YEAR_DAYS and len(self.models) > 1:
            return self.models, ("less than a year of history: the calendar model leads",)
        return self.models, ()


def attempt(
    rehearsal: Rehearsal, models: tuple[Model, ...], day: int, carry: bool
) -> tuple[Plan, tuple[Model, ...], tuple[str, ...]]:
    """Plan with the models; if they fail, with simpler ones, and say so."""
    chain = [models, *[(m,) for m in (Glm(), MEAN_8_WEEKS) if len(models) > 1 or models[0].name == "GLM"]]
    notes: tuple[str, ...] = ()
    for tried in chain:
        try:
            return plan.make(rehearsal, tried, day, carry=carry), tried, notes
        except FAILURES as error:
            names = " + ".join(m.name for m in tried)
            notes = (*notes, f"{names} failed ({error}); a simpler model was used")
    return plan.make(rehearsal, (NAIVE,), day, carry=False), (NAIVE,), notes


def listen(forecast: Forecast, history: Series, known: Known, origin: datetime) -> Forecast:
    """Let each signal that has led the calls so far speak; the others are named as not used."""
    if not known.signals:
        return forecast
    wall, number = lay(history, origin)
    for name, values in known.signals:
        heard = leading.on_wall(history, values[:number], len(wall.values))
        forecast = leading.apply(forecast, leading.judge(wall, heard, name))
    return forecast


def midnight(history: Series, origin: datetime) -> datetime:
    """The start of the origin's local day; the origin itself for daily series."""
    if history.step >= DAY:
        return origin
    zone = ZoneInfo(history.timezone)
    return datetime.combine(origin.astimezone(zone).date(), datetime.min.time(), tzinfo=zone).astimezone(zone)


def closed_slots(calendar: Calendar, wall: Wall, known: Known, where: Ints, lead: Ints) -> Bools:
    """Which slots have no forecast: never open at that hour, or a day of rest that leaves no records."""
    closed = ~np.resize(opening(wall), int(lead.max()) + 1)[lead]
    table = wall.days()
    resting = calendar.closed[: len(table)] & (np.arange(len(table)) * wall.per_day >= wall.first())
    leaves_none = bool(np.isnan(table[resting]).all(axis=1).mean() >= 0.5) if resting.any() else True
    told = calendar_for(calendar.monday, len(calendar), known).closed
    shut = calendar.closed if leaves_none else told
    return np.asarray(closed | shut[where // wall.per_day])


def cut(forecast: Forecast, origin: datetime, steps: int) -> Forecast:
    """The first `steps` slots from the origin on."""
    skip = max(intraday.slots_between(forecast, origin), 0)
    return Forecast(
        series=forecast.series,
        start=intraday.start_of(forecast, skip),
        step=forecast.step,
        timezone=forecast.timezone,
        quantiles=forecast.quantiles[skip : skip + steps],
        spike_probability=forecast.spike_probability[skip : skip + steps],
        made_at=origin,
        model=forecast.model,
        notes=forecast.notes,
        details=forecast.details,
    )


def details(made: Plan, models: tuple[Model, ...], wall: Wall, ratio: float) -> dict[str, object]:
    """What pages and the intraday update need beside the numbers; plain JSON values."""
    return {
        "weights": {m.name: round(float(w), 3) for m, w in zip(models, made.weights, strict=True)},
        "carry": [round(float(s), 3) for s in made.slopes],
        "eve": round(made.eve, 4),
        "rehearsals": made.rehearsals,
        "intraday": [round(float(s), 3) for s in intraday.slopes(wall)],
        "spike_ratio": ratio,
        "days": [asdict(day) for day in spikes.by_day(made, wall, ratio)],
    }


def Product(spike_ratio: float = 1.25) -> Pipeline:  # noqa: N802 (a constructor with its own defaults)
    """The product's own choice: what jobs call every night."""
    return Pipeline("openear", (Glm(), Trees()), spike_ratio=spike_ratio)
