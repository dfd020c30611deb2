"""What the tests of the flow share: databases of both kinds, and one telling of the invented city."""

import pytest

from sample.story import tell
from sample.world import World
from tests.conftest import NOW
from tests.storage.conftest import postgres

__all__ = ["city", "postgres"]


@pytest.fixture(scope="session")
def city() -> World:
    """Maple Harbor around NOW: telling it takes two seconds."""
    return World(tell(NOW))
