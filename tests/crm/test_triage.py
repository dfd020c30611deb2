from dataclasses import fields, replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from core.scores import TOPICS
from crm.triage import SERVICES, Clock, Waiting, clock, order, weight
from tests.crm.make import NOW
from tests.crm.test_linking import LOUD

H = timedelta(hours=1)
PLAIN = Waiting(id=1, harm=False, topics=frozenset({"noise"}), due_at=NOW + 2 * H, since=NOW - H)


def test_safety_then_clock_then_service_then_time() -> None:
    harm = replace(PLAIN, id=2, harm=True, due_at=None)
    late = replace(PLAIN, id=3, due_at=NOW - H)
    water = replace(PLAIN, id=4, topics=frozenset({"noise", "drainage_flooding_water_sewer"}), due_at=NOW + 3 * H)
    longer = replace(PLAIN, id=5, since=NOW - 2 * H)
    assert [one.id for one in order([PLAIN, longer, water, late, harm], NOW)] == [2, 3, 4, 5, 1]


def test_bands_of_the_clock() -> None:
    bands = [clock(NOW + left * H, NOW) for left in (-1, 0, 1, 2, 4, 24, 25)]
    assert [int(band) for band in bands] == [0, 1, 1, 2, 2, 3, 4]
    assert clock(None, NOW) is Clock.NONE


def test_every_weighed_service_is_a_topic() -> None:
    assert set(SERVICES) <= set(TOPICS)
    assert set(TOPICS) - set(SERVICES) == {"other"}
    assert weight(frozenset()) == weight(frozenset({"other"}))


def test_no_order_can_see_influence() -> None:
    names = [field.name for field in fields(Waiting)]
    assert not [name for name in names for word in LOUD if word in name]


items = st.lists(
    st.builds(
        Waiting,
        id=st.integers(1, 50),
        harm=st.booleans(),
        topics=st.frozensets(st.sampled_from(TOPICS), max_size=2),
        due_at=st.none() | st.integers(-90, 90).map(lambda hours: NOW + hours * H),
        since=st.integers(0, 90).map(lambda hours: NOW - hours * H),
    ),
    unique_by=lambda one: one.id,
)


@given(items)
def test_it_is_an_order_of_the_same_items_whatever_came_first(waiting: list[Waiting]) -> None:
    ordered = order(waiting, NOW)
    assert ordered == order(waiting[::-1], NOW) == order(ordered, NOW)
    assert sorted(one.id for one in ordered) == sorted(one.id for one in waiting)
    assert [one.harm for one in ordered] == sorted((one.harm for one in waiting), reverse=True)
