"""Does a signal - what residents say in public - lead the calls? A gate decides, on the past, and shows its numbers.

Two small models forecast how the next slots will run against the usual: one knows how calls ran so far, the other also
how the signal ran. Both learn only from what was known at the time. The gate opens if knowing the signal lowered the
error with the lower bootstrap bound above zero; else the signal is shown, not used.
"""

from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np

from core.series import Forecast, Series
from forecast.profile import mean_known
from forecast.series import aggregate
from forecast.wall import DAY, Floats, Ints, Wall, positions, slot_number

AHEAD = timedelta(hours=6)
WINDOWS_HOURS = (1, 3, 6, 24, 48)
USUAL_WEEKS = 8
SIGNAL_DAYS = 14
LEAST_DAYS = 90
REFIT_DAYS = 7
RIDGE = 20.0
RESAMPLES = 400
LEAST_GAIN = 0.005
MOST = 1.0
SEED = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether a signal is used, and the numbers that decided.

    Attributes:
        gain: share by which the error fell on past origins; below 0 it rose.
        low, high: 90 % bootstrap bounds of the gain.
        origins: past slots on which both models were judged.
        moves: log factors on the next slots if the signal is used.
    """

    signal: str
    used: bool
    reason: str
    gain: float | None = None
    low: float | None = None
    high: float | None = None
    origins: int = 0
    moves: tuple[float, ...] = ()

    def sentence(self) -> str:
        """What the page says."""
        if self.gain is None:
            return f"{self.signal} is shown, not used: {self.reason}"
        numbers = (
            f"error {-self.gain:+.1%} (90 % bounds {-self.high:+.1%} to {-self.low:+.1%}) on {self.origins} past slots"  # type: ignore[operator]
        )
        return f"{self.signal} is used: {numbers}" if self.used else f"{self.signal} is shown, not used: {numbers}"


def judge(calls: Wall, signal: Floats, name: str) -> Verdict:
    """Judge one signal, aligned with the wall of the calls, on the wall's own past."""
    if np.count_nonzero(~np.isnan(calls.values) & ~np.isnan(signal)) < LEAST_DAYS * calls.per_day * 0.2:
        return Verdict(signal=name, used=False, reason=f"fewer than {LEAST_DAYS} days of both are known")
    base = usual_before(calls, USUAL_WEEKS * 7, 7)
    surprise = np.log((calls.values + 0.5) / (base + 0.5))
    heard = np.log((signal + 1.0) / (usual_before(Wall(signal, calls.per_day, calls.monday), SIGNAL_DAYS, 1) + 1.0))
    both = ~np.isnan(surprise) & ~np.isnan(heard)
    first = int(np.argmax(both))
    if not both.any() or len(both) - first < LEAST_DAYS * calls.per_day:
        return Verdict(signal=name, used=False, reason=f"fewer than {LEAST_DAYS} days of both are known")
    ahead = max(int(AHEAD * calls.per_day / DAY), 1)
    alone = features(surprise, calls.per_day)
    together = np.concatenate([alone, features(heard, calls.per_day)], axis=1)
    errors = np.zeros((2, len(surprise)))
    moves = np.zeros((2, ahead))
    for lead in range(1, ahead + 1):
        for arm, x in enumerate((alone, together)):
            said, moves[arm, lead - 1] = expanding(x, surprise, lead, first, calls.per_day * REFIT_DAYS)
            gap = np.abs(calls.values - ((base + 0.5) * np.exp(np.clip(said, -MOST, MOST)) - 0.5))
            errors[arm] += np.where(np.isnan(gap), 0.0, gap)
    return decide(name, errors, calls.per_day, tuple(float(m) for m in np.clip(moves[1] - moves[0], -MOST, MOST)))


def decide(name: str, errors: Floats, per_day: int, moves: tuple[float, ...]) -> Verdict:
    """Open or shut, by a bootstrap over weeks."""
    judged = errors[0] > 0
    weeks = np.arange(errors.shape[1]) // (7 * per_day)
    sums = np.array([np.bincount(weeks, arm) for arm in errors])
    sums = sums[:, sums[0] > 0]
    if sums.shape[1] < 6:
        return Verdict(signal=name, used=False, reason="fewer than six weeks to judge on")
    rng = np.random.default_rng(SEED)
    draws = rng.integers(0, sums.shape[1], (RESAMPLES, sums.shape[1]))
    gains = 1 - sums[1][draws].sum(axis=1) / sums[0][draws].sum(axis=1)
    gain = float(1 - sums[1].sum() / sums[0].sum())
    low, high = (float(q) for q in np.quantile(gains, [0.05, 0.95]))
    used = low > 0 and gain >= LEAST_GAIN
    reason = "it led the calls" if used else "it has not led the calls so far"
    return Verdict(
        signal=name,
        used=used,
        reason=reason,
        gain=round(gain, 5),
        low=round(low, 5),
        high=round(high, 5),
        origins=int(judged.sum()),
        moves=moves if used else (),
    )


def usual_before(wall: Wall, days: int, every: int) -> Floats:
    """The mean of the same slot on earlier days, back to `days` in steps of `every`; NaN where nothing is known."""
    table = wall.days()
    shifted = [np.full_like(table, np.nan) for _ in range(every, days + 1, every)]
    for block, lag in zip(shifted, range(every, days + 1, every), strict=True):
        block[lag:] = table[:-lag] if lag < len(table) else block[lag:]
    return mean_known(np.array(shifted)).ravel()[: len(wall.values)]


def features(log: Floats, per_day: int) -> Floats:
    """Means over the last hours up to and with each slot, and a constant; unknown counts as usual. Shape (n, k)."""
    known = ~np.isnan(log)
    total = np.concatenate([[0.0], np.cumsum(np.where(known, log, 0.0))])
    count = np.concatenate([[0], np.cumsum(known)])
    spans = sorted({max(round(hours * per_day / 24), 1) for hours in (*WINDOWS_HOURS, 168)})
    columns = [np.ones(len(log))]
    end = np.arange(1, len(log) + 1)
    for slots in spans:
        start = np.maximum(end - slots, 0)
        columns.append((total[end] - total[start]) / np.maximum(count[end] - count[start], 1))
    return np.stack(columns, axis=1)


def expanding(x: Floats, surprise: Floats, lead: int, first: int, refit: int) -> tuple[Floats, float]:
    """What a ridge regression would have said of each slot `lead` before it, refitted weekly on what was known.

    Returns:
        The sayings by slot, NaN before half of the common past; and what it says now for `lead` slots ahead.
    """
    n = len(surprise)
    said = np.full(n, np.nan)
    rows: Ints = np.arange(first, n - lead)
    rows = rows[~np.isnan(surprise[rows + lead])]
    warm = first + (n - first) // 2
    for start in range(warm, n, refit):
        weights = ridge(x, surprise, rows[rows + lead < start], lead)
        slots = np.arange(start, min(start + refit, n))
        said[slots] = x[slots - lead] @ weights
    return said, float(x[n - 1] @ ridge(x, surprise, rows, lead))


def ridge(x: Floats, surprise: Floats, rows: Ints, lead: int) -> Floats:
    """Regression of the surprise `lead` slots after each row on that row's features."""
    inputs, target = x[rows], surprise[rows + lead]
    return np.asarray(np.linalg.solve(inputs.T @ inputs + RIDGE * np.eye(x.shape[1]), inputs.T @ target))


def apply(forecast: Forecast, verdict: Verdict) -> Forecast:
    """The forecast with what the signal says of its next slots, if it is used; the verdict goes with it either way."""
    quantiles = forecast.quantiles.copy()
    moves = np.array(verdict.moves[: len(quantiles)])
    quantiles[: len(moves)] *= np.exp(moves)[:, None]
    details = dict(forecast.details or {})
    details.setdefault("signals", [])
    details["signals"] = [
        *details["signals"],
        {
            "signal": verdict.signal,
            "used": verdict.used,
            "reason": verdict.reason,
            "gain": verdict.gain,
            "low": verdict.low,
            "high": verdict.high,
            "origins": verdict.origins,
        },
    ]
    return replace(forecast, quantiles=quantiles, notes=(*forecast.notes, verdict.sentence()), details=details)


def on_wall(series: Series, values: Floats, size: int) -> Floats:
    """Values aligned with a series, laid on its wall of `size` slots."""
    where = positions(series, 0, len(values))
    out = np.full(size, np.nan)
    inside = where < size
    out[where[inside]] = values[inside]
    return out


def align(calls: Series, signal: Series) -> Floats:
    """The signal on the slots of the calls, NaN where it has none; a finer signal is added up.

    Raises:
        BadInput: the signal's step is no divisor of the calls'.
    """
    signal = aggregate(signal, calls.step)
    shift = slot_number(calls, signal.start)
    out = np.full(len(calls), np.nan)
    low, high = max(shift, 0), min(shift + len(signal), len(calls))
    if low < high:
        out[low:high] = signal.values[low - shift : high - shift]
    return out
