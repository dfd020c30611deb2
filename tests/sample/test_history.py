from itertools import pairwise

from sample import city, history
from sample.world import World
from tests.sample.conftest import EVENING


def test_history_is_everything_but_the_newest_days_newest_first(city_world: World) -> None:
    batches = list(history.batches(city_world, EVENING))
    found = [one for batch in batches for one in batch.mentions]
    moments = [one.posted_at for one in found if one.posted_at]
    assert 18_500 < len(found) < 20_000
    assert len({(one.platform, one.external_id) for one in found}) == len(found)
    assert all(newer >= older for newer, older in pairwise(moments))
    assert moments[0] < EVENING - history.NEWEST
    assert all(len(batch.mentions) <= history.SIZE for batch in batches)
    assert sum(one.own for one in found) > 500


def test_history_and_server_meet_without_a_gap(city_world: World) -> None:
    newest = next(iter(history.batches(city_world, EVENING))).mentions[0]
    until = EVENING - history.NEWEST
    older = [said for said in city_world.newest(None, EVENING) if said.at < until and not history.excluded(said)]
    assert newest.posted_at == older[0].at


def test_every_batch_covers_its_span(city_world: World) -> None:
    spans = [batch.coverage for batch in history.batches(city_world, EVENING, size=5000)]
    assert all(span.complete for span in spans)
    assert all(newer.since == older.until for newer, older in pairwise(spans))


def test_what_the_query_leaves_out_is_left_out(city_world: World) -> None:
    text = " ".join(one.text for batch in history.batches(city_world, EVENING) for one in batch.mentions)
    assert city.EXCLUDED.casefold() not in text.casefold()
