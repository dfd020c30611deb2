"""What every test may ask for. A thing named in OPENEAR_REQUIRE must be there; else its tests skip and say why."""

import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
REQUIRED = frozenset(filter(None, os.environ.get("OPENEAR_REQUIRE", "").split(",")))

#: The moment at which tests live.
NOW = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)


def missing(what: str, why: str) -> None:
    """Skip because `what` is missing, or fail if OPENEAR_REQUIRE names it."""
    if what in REQUIRED:
        pytest.fail(f"{what} is required by OPENEAR_REQUIRE but missing: {why}", pytrace=False)
    pytest.skip(f"needs {what}: {why}")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real data and recordings that lies beside a developer's checkout."""
    folder = ROOT.parent / "shared"
    if not folder.is_dir():
        missing("shared", "no folder ../shared beside the checkout (real texts and recordings are not published)")
    return folder


@pytest.fixture
def now() -> datetime:
    """The moment at which tests live."""
    return NOW


@pytest.fixture(autouse=True)
def _own_main() -> Iterator[None]:
    """Streamlit's AppTest leaves its page as `__main__`; a child process started after it would run that page."""
    main = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = main
