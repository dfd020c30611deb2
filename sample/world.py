"""The city as it stands at a moment: what can be seen, newest first, told a day at a time and only when asked for."""

import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

from sample import identity, mentions
from sample.mentions import Said
from sample.plan import Plan
from sample.story import Story, tell


class World:
    """All that is said in Maple Harbor, ever. Safe to share between threads."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self._plan = Plan(story)
        self._days: dict[date, list[Said]] = {}
        self._lock = threading.Lock()

    def newest(self, platform: str | None, now: datetime, since: datetime | None = None) -> Iterator[Said]:
        """What can be seen at `now`, as it then stands, newest first, down to `since`; None: on all platforms."""
        day = now.astimezone(UTC).date()
        last = max(self._plan.first, since.astimezone(UTC).date()) if since else self._plan.first
        while day >= last:
            for said in reversed(self._day(day)):
                if since and said.at < since:
                    return
                if platform in (None, said.platform) and said.there(now):
                    yield said.shown(now)
            day -= timedelta(days=1)

    def find(self, platform: str, ident: str, now: datetime) -> Said | None:
        """The thing of that id as it stands at `now`; None if there is none, not yet or no more."""
        moment = identity.moment(platform, ident)
        if moment is None or not self.story.first_day <= moment.date() <= now.date():
            return None
        found = (said for said in self._day(moment.date()) if said.platform == platform and said.id == ident)
        said = next(found, None)
        return said.shown(now) if said and said.there(now) else None

    def _day(self, day: date) -> list[Said]:
        with self._lock:
            if day not in self._days:
                self._days[day] = mentions.of_day(self.story, self._plan, day)
            return self._days[day]


def world(anchor: datetime, seed: int = 7) -> World:
    """The city around that moment."""
    return World(tell(anchor, seed))
