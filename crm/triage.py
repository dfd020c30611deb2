"""What needs a person, in what order.

By safety, then the service-level clock, then how much harm a missing service does to those who depend on it, then
who has waited longest. Nothing else: how loud somebody is, or how many listen, is not known here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum

#: 0..1: how hard it is to do without the service for those who have no other way. Our own judgement, in steps of a
#: fifth; a topic left out counts UNNAMED.
SERVICES: dict[str, float] = {
    "police_safety": 1.0,
    "air_health_hazard": 1.0,
    "drainage_flooding_water_sewer": 1.0,
    "electricity": 1.0,
    "homelessness": 1.0,
    "snow_ice": 0.8,
    "traffic_signs_signals": 0.8,
    "building_code_property": 0.6,
    "sidewalks_curbs": 0.6,  # wheelchairs
    "streetlights": 0.6,
    "transit_taxi": 0.6,
    "animals_pests": 0.4,
    "roads_potholes": 0.4,
    "trash_dumping_cleaning": 0.4,
    "trees_vegetation": 0.4,
    "noise": 0.2,
    "parking_vehicles": 0.2,
    "parks_recreation": 0.2,
    "graffiti_posters": 0.2,
    "praise": 0.0,
}
UNNAMED = 0.4


class Clock(IntEnum):
    """How the service-level clock stands. Bands, so that a minute does not outweigh a water main."""

    OVERDUE = 0
    WITHIN_AN_HOUR = 1
    WITHIN_FOUR_HOURS = 2
    WITHIN_A_DAY = 3
    LATER = 4
    NONE = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A mention or case that waits for a person.

    Attributes:
        id: its row.
        harm: somebody may come to harm.
        topics: the services it is about.
        due_at: when the first answer is due; None: no clock runs.
        since: when it began to wait.
    """

    id: int
    harm: bool
    topics: frozenset[str]
    due_at: datetime | None
    since: datetime


def order(items: Sequence[Waiting], now: datetime) -> list[Waiting]:
    """The same items, the one to take next first."""

    def rank(item: Waiting) -> tuple[bool, Clock, float, datetime, int]:
        return not item.harm, clock(item.due_at, now), -weight(item.topics), item.since, item.id

    return sorted(items, key=rank)


def clock(due_at: datetime | None, now: datetime) -> Clock:
    """The band in which an answer is due."""
    if due_at is None:
        return Clock.NONE
    left = due_at - now
    if left < timedelta():
        return Clock.OVERDUE
    limits = (timedelta(hours=1), timedelta(hours=4), timedelta(days=1))
    return Clock(1 + sum(left > limit for limit in limits))


def weight(topics: frozenset[str]) -> float:
    """0..1: how hard it is to do without the most needed of these services."""
    return max((SERVICES.get(topic, UNNAMED) for topic in topics), default=UNNAMED)
