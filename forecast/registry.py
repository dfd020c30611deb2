"""Every forecaster by its name. One line more here, and the contract test covers it."""

from collections.abc import Callable

from core.protocols import Forecaster
from forecast.boosted import Trees
from forecast.glm import Glm
from forecast.naive import MEAN_8_WEEKS, NAIVE
from forecast.product import Pipeline, Product

FORECASTERS: dict[str, Callable[[], Forecaster]] = {
    "openear": Product,
    "GLM": lambda: Pipeline("GLM", (Glm(),), carry=False),
    "boosted": lambda: Pipeline("boosted", (Trees(),), carry=False),
    "blend": lambda: Pipeline("blend", (Glm(), Trees()), carry=False),
    "mean of 8 weeks": lambda: Pipeline("mean of 8 weeks", (MEAN_8_WEEKS,), carry=False),
    "seasonal naive": lambda: Pipeline("seasonal naive", (NAIVE,), carry=False),
}


def build(name: str) -> Forecaster:
    """The forecaster of that name; KeyError if there is none."""
    return FORECASTERS[name]()
