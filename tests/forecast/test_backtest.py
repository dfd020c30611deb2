from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from core.errors import BadInput
from core.series import Known
from forecast.backtest import PIPELINES, Report, backtest, geometric_means
from forecast.files import read
from forecast.measures import tally
from tests.forecast.invented import daily

CHEAP = tuple(p for p in PIPELINES if p.name in ("GLM", "mean of 8 weeks", "seasonal naive"))
JUDGED = tuple(p for p in PIPELINES if p.name in ("openear", "mean of 8 weeks", "seasonal naive"))


def test_measures_by_hand() -> None:
    came = np.array([10.0, 20.0, np.nan])
    quantiles = np.tile(np.linspace(6, 15, 10), (3, 1))
    found = tally(came, quantiles)
    assert found.wape() == pytest.approx((0 + 10) / 30)
    assert found.cover80() == 0.5
    assert found.slots == 2


def test_a_backtest_judges_every_model_on_the_last_fifth() -> None:
    report = backtest(daily(300), Known(), origins=5, pipelines=CHEAP)
    assert [r.model for r in report.rows] == ["GLM", "mean of 8 weeks", "seasonal naive"]
    assert report.first >= "2025-09-01"
    assert all(r.origins == 5 and 0 < r.wape < 0.5 and 0 <= r.cover80 <= r.cover95 <= 1 for r in report.rows)
    assert report.rows[-1].relative == 1.0
    assert geometric_means([report])["GLM"] < 1.0


def test_too_short_a_series_cannot_be_judged() -> None:
    with pytest.raises(BadInput, match="desk: 60 days are too short for a backtest"):
        backtest(daily(60), Known(), pipelines=CHEAP)


@pytest.fixture(scope="module")
def city(shared: Path) -> Report:
    series = read(shared / "data" / "train" / "volume_nyc311_daily_2016_2018.parquet").series[0]
    return backtest(
        series, Known(subdivision="NY"), horizon=timedelta(days=7), origins=8, part=(0.5, 0.8), pipelines=JUDGED
    )


def test_the_product_beats_both_yardsticks_on_a_real_city(city: Report) -> None:
    wape = {r.model: r.wape for r in city.rows}
    assert wape["openear"] < 0.92 * wape["mean of 8 weeks"]
    assert wape["openear"] < 0.80 * wape["seasonal naive"]


def test_the_bands_cover_on_a_real_city(city: Report) -> None:
    product = city.rows[0]
    assert 0.70 <= product.cover80 <= 0.92
    assert product.cover95 >= 0.90
