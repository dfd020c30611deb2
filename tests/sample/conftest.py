"""One city for all tests of a session: telling it takes two seconds."""

from datetime import UTC, datetime

import pytest

from core.series import Calls
from sample import calls, mentions
from sample.mentions import Said
from sample.story import Story, tell
from sample.world import World

#: A Wednesday, early evening in Maple Harbor: the phones have just closed on the day of the break.
EVENING = datetime(2026, 3, 4, 23, 5, tzinfo=UTC)


@pytest.fixture(scope="session")
def story() -> Story:
    return tell(EVENING)


@pytest.fixture(scope="session")
def said(story: Story) -> list[Said]:
    return list(mentions.everything(story))


@pytest.fixture(scope="session")
def phoned(story: Story) -> list[Calls]:
    return calls.records(story, EVENING)


@pytest.fixture(scope="session")
def city_world(story: Story) -> World:
    return World(story)
