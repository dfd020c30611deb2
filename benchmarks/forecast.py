"""Forecast quality and cost: `python -m benchmarks.forecast [quality|cost|all] [--part dev|last] [--days 7]`.

Quality is one table over the series in ../shared/data. The last fifth of each was held back: nothing was chosen on it.
`--part dev` judges the part before it, on which settings may be chosen. Cost is measured on one core.
"""

import argparse
import hashlib
import resource
import time
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import numpy as np

from core.series import Known, Series
from forecast.backtest import Report, backtest, geometric_means
from forecast.files import read
from forecast.output import backtest_text
from forecast.product import Product
from forecast.wall import local_starts

SHARED = Path(__file__).parents[1] / ".." / "shared" / "data"
PARTS = {"dev": (0.5, 0.8), "last": (0.8, 1.0)}


@dataclass(frozen=True)
class Subject:
    """One real series."""

    file: str
    subdivision: str | None = None
    step: timedelta | None = None
    columns: dict[str, str] = field(default_factory=dict)

    def read(self) -> Series:
        """The series itself."""
        return read(SHARED / self.file, step=self.step, columns=self.columns).series[0]

    def digest(self) -> str:
        """The first digits of the file's SHA-256."""
        return hashlib.sha256((SHARED / self.file).read_bytes()).hexdigest()[:12]


SUBJECTS = {
    "seattle": Subject("train/volume_seattle_fire911_hourly.parquet", "WA"),
    "nyc": Subject("train/volume_nyc311_daily_2016_2018.parquet", "NY"),
    "bernalillo_d": Subject(
        "volume/bernalillo_assessor_daily_calls_visits_chatbot.csv.gz", "NM", columns={"ts": "ds", "value": "calls"}
    ),
    "bernalillo_h": Subject(
        "volume/bernalillo_assessor_hourly_calls.csv.gz", "NM", columns={"ts": "ds", "value": "call_count"}
    ),
    "bank": Subject("train/volume_bank_calls_5min_2003.parquet", step=timedelta(minutes=30)),
    "callcenter_daily": Subject("train/volume_callcenter_daily_2013_2016.parquet"),
    "gainesville": Subject("train/volume_gainesville311_daily.parquet", "FL"),
    "brooklyn_noise": Subject("train/volume_nyc311_brooklyn_noise_hourly_2023.parquet", "NY"),
}


def quality(part: str, days: int, origins: int, names: list[str]) -> list[Report]:
    """Judge all models on all subjects and print it."""
    reports = []
    for name in names or SUBJECTS:
        subject = SUBJECTS[name]
        known = Known(country="US", subdivision=subject.subdivision)
        began = time.perf_counter()
        report = backtest(subject.read(), known, horizon=timedelta(days=days), origins=origins, part=PARTS[part])
        reports.append(report)
        print(f"# {name}: {subject.digest()}, {time.perf_counter() - began:.0f} s", flush=True)
        print(backtest_text([report]).split("\nWAPE relative")[0], flush=True)
    print(f"part {part}, {days} days ahead: WAPE relative to seasonal naive, geometric mean of {len(reports)} series")
    for model, mean in geometric_means(reports).items():
        print(f"{model:<18}{mean:.3f}")
    return reports


def hourly(years: int, seed: int = 1) -> Series:
    """An invented hourly series."""
    rng = np.random.default_rng(seed)
    n = years * 365 * 24
    hour = np.arange(n)
    rate = 20 * (0.4 + np.exp(-((hour % 24 - 13) ** 2) / 30)) * (1 + 0.2 * np.sin(2 * np.pi * hour / 8766))
    start = read(SHARED / SUBJECTS["seattle"].file).series[0].start
    values = rng.poisson(rate).astype(float)
    return Series(
        name="invented",
        start=start,
        step=timedelta(hours=1),
        timezone="UTC",
        values=values,
        state=np.zeros(n, dtype=np.int8),
    )


def cost() -> None:
    """Seconds and memory of the nightly work of one hourly series of three years."""
    series = hourly(3)
    origin = local_starts(series, len(series), 1)[0].to_pydatetime()
    for days in (7, 28):
        began = time.perf_counter()
        made = Product().forecast(series, Known(), origin, days * 24)
        print(f"fit, rehearsals and bands, {days} days ahead: {time.perf_counter() - began:.1f} s ({made.model})")
    began = time.perf_counter()
    backtest(series, Known(), origins=12)
    print(f"backtest of all models, 12 origins, 7 days: {time.perf_counter() - began:.1f} s")
    from forecast.intraday import update

    began = time.perf_counter()
    update(made, series, origin + timedelta(hours=10))
    print(f"update between nights: {1000 * (time.perf_counter() - began):.1f} ms")
    print(f"peak memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


def main() -> None:
    """Print what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", nargs="?", default="all", choices=("quality", "cost", "all"))
    parser.add_argument("--part", default="last", choices=sorted(PARTS))
    parser.add_argument("--days", type=int, default=7)
    parser.add_argument("--origins", type=int, default=20)
    parser.add_argument("--series", nargs="*", default=[], choices=sorted(SUBJECTS))
    asked = parser.parse_args()
    if asked.what != "cost":
        quality(asked.part, asked.days, asked.origins, asked.series)
    if asked.what != "quality":
        cost()


if __name__ == "__main__":
    main()
