import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.schema_org.cursor import Seen, removed
from collectors.sources.reviews_page import ReviewsCollector, ReviewsOptions, parse
from core.batch import Backfill, Batch, Budget, Head, Missed, Recheck, Task
from core.errors import SourceBusy, SourceChanged, SourceDown, SourceError, SourceRefused
from core.mention import Kind, Mention, Person
from core.settings import Network
from tests.collectors.sites import Site, Written, page, served
from tests.conftest import NOW

URL = "https://pool.example/reviews"


def read(body: str | bytes, url: str = URL) -> tuple[Mention, ...]:
    return parse(body.encode() if isinstance(body, str) else body, NOW, url=url).mentions


def ld(*things: Any) -> str:
    blocks = "".join(f'<script type="application/ld+json">{json.dumps(thing)}</script>' for thing in things)
    return f"<!doctype html><html lang='en'><head>{blocks}</head><body></body></html>"


def review(**more: Any) -> dict[str, Any]:
    return {"@type": "Review", "author": {"@type": "Person", "name": "Ana"}, "reviewBody": "Cold water", **more}


# --- reading --------------------------------------------------------------------------------------------------------


def test_a_review_with_everything() -> None:
    (found,) = read(
        ld(
            review(
                **{"@id": "#r7"},
                name="Too cold",
                url="/reviews/7",
                datePublished="2026-02-01T10:00:00-05:00",
                dateModified="2026-02-02",
                inLanguage="es",
                reviewRating={"@type": "Rating", "ratingValue": "2,5", "bestRating": "5"},
            )
        )
    )
    assert found == Mention(
        platform="reviews",
        external_id="https://pool.example/reviews#r7",
        version=found.version,
        kind=Kind.REVIEW,
        text="Too cold\n\nCold water",
        seen_at=NOW,
        posted_at=datetime(2026, 2, 1, 15, tzinfo=UTC),
        edited_at=datetime(2026, 2, 2, tzinfo=UTC),
        url="https://pool.example/reviews/7",
        author=Person(id="Ana", handle="Ana"),
        stars=2.5,
        language="es",
    )


@pytest.mark.parametrize(
    "thing",
    [
        review(),
        [review()],
        {"@graph": [{"@type": "WebPage"}, review()]},
        {"@type": "Place", "review": review()},
        {"@type": "Place", "reviews": [review()]},
        {"@type": "Place", "mainEntity": {"@type": "Product", "review": [review()]}},
        {**review(), "@type": ["Review", "CreativeWork"]},
        {**review(), "@type": "http://schema.org/UserReview"},
        {"@graph": [{"@type": "Person", "@id": "#a", "name": "Ana"}, {**review(), "author": {"@id": "#a"}}]},
    ],
)
def test_wherever_it_stands_and_however_it_is_typed(thing: Any) -> None:
    (found,) = read(ld(thing))
    assert (found.text, found.author) == ("Cold water", Person(id="Ana", handle="Ana"))


@pytest.mark.parametrize(
    ("rating", "stars"),
    [
        ({"ratingValue": 4}, 4),
        ({"ratingValue": "4,5"}, 4.5),
        ({"ratingValue": "4", "bestRating": "5", "worstRating": "0"}, 4),
        ({"ratingValue": 10, "bestRating": 10, "worstRating": 1}, 5),
        ({"ratingValue": 5.5, "bestRating": 10, "worstRating": 1}, 3),
        ({"ratingValue": "50", "bestRating": "100"}, 3),
        ({"ratingValue": "100%"}, 5),
        ({"ratingValue": "8/10"}, 4.11),
        ({"ratingValue": "3 out of 5"}, 3),
        ("4", 4),
        (3, 3),
        ({"ratingValue": 0}, 1),
        ({"ratingValue": 8}, None),
        ({"ratingValue": "great"}, None),
        ({"ratingValue": -1}, None),
        (None, None),
        ({"ratingValue": 3, "bestRating": "best"}, 3),
    ],
)
def test_ratings_become_stars_or_nothing(rating: Any, stars: float | None) -> None:
    (found,) = read(ld(review(reviewRating=rating)))
    assert found.stars == stars


def test_an_average_is_no_review() -> None:
    average = {"@type": "AggregateRating", "ratingValue": 4.4, "reviewCount": 89}
    assert read(ld({"@type": "Place", "aggregateRating": average, "ratingValue": "4"})) == ()


def test_the_same_review_in_both_ways_counts_once() -> None:
    body = page([Written("Ana", "2026-02-01", "Cold water")])
    both = ld(review(datePublished="2026-02-01")).encode() + body
    assert len(read(both)) == 1


def test_one_address_for_all_reviews_names_none_of_them() -> None:
    found = read(ld([review(url="/pool"), review(url="/pool", reviewBody="Warm")]))
    assert len({one.external_id for one in found}) == 2
    assert not any(one.external_id.endswith("/pool") for one in found)


def test_a_hashed_id_does_not_move_with_the_page() -> None:
    first, second = (read(ld(review()), url)[0] for url in (URL, f"{URL}?page=2"))
    assert first.external_id == second.external_id


def test_a_broken_block_does_not_take_the_others_with_it() -> None:
    body = ld(review()).replace("</head>", '<script type="application/ld+json">{"@type": </script></head>')
    assert len(read(body)) == 1
    commented = ld(review()).replace('"reviewBody"', '/* words */ "reviewBody"')
    assert len(read(commented)) == 1


def test_next_page_is_on_the_same_site_only() -> None:
    def following(link: str) -> str | None:
        return parse(f"<html><head>{link}</head><body>x</body></html>".encode(), NOW, url=URL).next

    assert following('<link rel="next" href="?page=2">') == f"{URL}?page=2"
    assert following('<link rel="prev" href="?page=2">') is None
    assert following('<link rel="next" href="https://elsewhere.example/">') is None
    assert following('<link rel="next" href="javascript:alert(1)">') is None
    assert following('<link rel="next" href="http://[">') is None


def test_a_page_that_asks_not_to_be_read_is_refused() -> None:
    with pytest.raises(SourceRefused, match="noindex"):
        read(page([Written("Ana", "2026-02-01", "x")], head='<meta name="robots" content="noindex, nofollow">'))


@pytest.mark.parametrize(
    ("body", "error"), [(b"", SourceDown), (b"{", SourceChanged), (b"x" * 6_000_000, SourceChanged)]
)
def test_what_is_no_page(body: bytes, error: type[SourceError]) -> None:
    with pytest.raises(error):
        read(body)


any_json: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.sampled_from(["@type", "@id", "url", "author", "properties", "name", "review"]), inner)
    ),
)
KEYS = ("@id", "url", "author", "reviewBody", "reviewRating", "datePublished", "inLanguage", "name")
anything = any_json | st.fixed_dictionaries({"@type": st.just("Review")}, optional=dict.fromkeys(KEYS, any_json))


@given(anything)
def test_any_json_is_read_or_raises_ours(thing: Any) -> None:
    for body in (json.dumps(thing).encode(), ld(thing).encode("utf-8", "replace")):
        try:
            parse(body, NOW, url=URL)
        except SourceError:
            continue


@given(st.binary() | st.text().map(lambda text: f'<div itemscope itemtype="schema.org/Review">{text}'.encode()))
def test_any_bytes_are_read_or_raise_ours(body: bytes) -> None:
    try:
        parse(body, NOW, url=URL)
    except SourceError:
        return


def test_deep_and_long_pages_end() -> None:
    deep: Any = review()
    for _ in range(300):
        deep = {"@type": "Place", "review": deep}
    assert read(ld(deep)) == ()
    assert len(read(ld([review(reviewBody=f"{n}") for n in range(3000)]))) == 2000
    assert len(read("<div itemscope itemtype='https://schema.org/Review'>" * 5000)) <= 2000


# --- collecting -----------------------------------------------------------------------------------------------------


@pytest.fixture
def site() -> Iterator[Site]:
    reviews = [Written(f"Person {n}", f"2026-02-{20 - n:02d}", f"words {n}") for n in range(8)]
    with served(Site(reviews=reviews)) as running:
        yield running


def collector(site: Site, **more: Any) -> ReviewsCollector:
    return ReviewsCollector(
        urls=(site.url,),
        sites=("127.0.0.1",),
        name="pool",
        clock=lambda: NOW,
        network=Network(allow=(site.address,), user_agent="openear-test"),
        delay=timedelta(milliseconds=1),
        **more,
    )


def run(
    source: ReviewsCollector, task: Task | None = None, cursor: str | None = None, budget: Budget | None = None
) -> list[Batch]:
    return list(source.collect(task or Head(), cursor, budget or Budget(), NOW + timedelta(seconds=60)))


def words(batches: list[Batch]) -> list[str]:
    return [one.text for batch in batches for one in batch.mentions]


def test_all_pages_then_only_what_is_new(site: Site) -> None:
    first = run(collector(site))
    assert words(first) == [f"words {n}" for n in range(8)]
    assert [batch.coverage.complete for batch in first] == [False, False, True]
    assert {agent for _, _, agent in site.asked} == {"openear-test"}
    site.asked.clear()
    site.reviews.insert(0, Written("New", "2026-03-01", "brand new"))
    second = run(collector(site), cursor=first[-1].cursor)
    assert words(second) == ["brand new", "words 0", "words 1", "words 2", "words 3", "words 4"]
    assert second[-1].coverage.complete
    assert second[-1].coverage.since == NOW
    assert site.pages == ["/reviews", "/reviews?page=2"]


def test_what_the_budget_leaves_is_back_filled(site: Site) -> None:
    head = run(collector(site), budget=Budget(requests=1))
    gap = head[-1].coverage
    assert (gap.complete, gap.reason) == (False, Missed.PENDING)
    rest = run(collector(site), Backfill(since=gap.since, until=gap.until, resume=gap.resume))
    assert words(head) + words(rest) == [f"words {n}" for n in range(8)]
    assert rest[-1].coverage.complete
    assert all(batch.cursor is None for batch in rest)


def test_a_removed_review_is_a_deletion_and_an_edited_one_is_read_anew(site: Site) -> None:
    first = run(collector(site))
    ids = tuple(one.external_id for batch in first for one in batch.mentions)
    del site.reviews[2]
    site.reviews[4].stars = "1"
    batches = run(collector(site), Recheck(ids=ids), first[-1].cursor)
    assert [gone.external_id for batch in batches for gone in batch.deletions] == [ids[2]]
    again = {one.external_id: one for batch in batches for one in batch.mentions}
    before = {one.external_id: one for batch in first for one in batch.mentions}
    changed = [one for one in again if again[one].version != before[one].version]
    assert changed == [ids[5]]
    assert again[ids[5]].stars == 1


def test_a_review_pushed_off_the_last_page_is_no_deletion() -> None:
    seen: dict[str, int | None] = {"a": 10, "b": 20, "c": 30}
    assert removed(("a", "b", "c"), {"b": 20, "c": 30, "d": 40}, seen) == []
    assert removed(("a", "b", "c"), {"a": 10, "c": 30, "d": 40}, seen) == ["b"]
    assert removed(("a", "b", "c"), {"b": 20, "c": 30}, seen) == ["a"]
    assert removed(("a",), {}, seen) == []
    assert removed(("x",), {"a": 10}, seen) == []


def test_nothing_is_called_removed_before_all_pages_were_read(site: Site) -> None:
    first = run(collector(site))
    ids = tuple(one.external_id for batch in first for one in batch.mentions)
    batches = run(collector(site), Recheck(ids=ids), first[-1].cursor, Budget(requests=2))
    assert not any(batch.deletions for batch in batches)


def test_robots_txt_is_obeyed(site: Site) -> None:
    site.robots = (200, {}, b"User-agent: openear-test\nDisallow: /reviews")
    with pytest.raises(SourceRefused, match=r"robots\.txt forbids /reviews"):
        run(collector(site))
    assert site.pages == []


@pytest.mark.parametrize("status", [500, 429])
def test_a_site_whose_robots_txt_cannot_be_had_is_left_alone(site: Site, status: int) -> None:
    site.robots = (status, {}, b"")
    with pytest.raises(SourceDown, match=r"robots\.txt cannot be had"):
        run(collector(site))
    assert site.pages == []


def test_a_site_without_robots_txt_is_read(site: Site) -> None:
    site.robots = (404, {}, b"Disallow: /")
    assert len(words(run(collector(site)))) == 8


def test_crawl_delay_is_kept(site: Site) -> None:
    site.robots = (200, {}, b"User-agent: *\nCrawl-delay: 0.7")
    run(collector(site))
    moments = [moment for moment, path, _ in site.asked if path != "/robots.txt"]
    assert min(late - early for early, late in pairwise(moments)) > 0.6


def test_an_absurd_crawl_delay_is_refused(site: Site) -> None:
    site.robots = (200, {}, b"User-agent: *\nCrawl-delay: 3600")
    with pytest.raises(SourceRefused, match="3600 s between pages"):
        run(collector(site))


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        ((403, {}, b""), SourceRefused),
        ((404, {}, b""), SourceChanged),
        ((429, {"retry-after": "30"}, b""), SourceBusy),
        ((500, {}, b""), SourceDown),
        ((200, {"x-robots-tag": "noindex"}, b"<html></html>"), SourceRefused),
        ((200, {}, b" "), SourceChanged),
        ((302, {"location": "http://169.254.169.254/latest"}, b""), SourceRefused),
        ((302, {"location": "file:///etc/passwd"}, b""), SourceError),
        ((200, {"content-length": "40000000"}, b"x"), SourceDown),
    ],
)
def test_what_an_answer_without_reviews_means(site: Site, reply: Any, error: type[SourceError]) -> None:
    site.override = lambda path: reply if path.startswith("/reviews") else None
    with pytest.raises(error) as caught:
        run(collector(site))
    if isinstance(caught.value, SourceBusy):
        assert caught.value.retry_after == timedelta(seconds=30)


def test_what_came_before_an_error_is_kept(site: Site) -> None:
    site.override = lambda path: (500, {}, b"") if "page=2" in path else None
    found: list[Batch] = []
    with pytest.raises(SourceDown):
        found.extend(collector(site).collect(Head(), None, Budget(), NOW + timedelta(seconds=60)))
    assert words(found) == ["words 0", "words 1", "words 2"]
    assert not found[-1].coverage.complete


def test_an_address_inside_is_refused_unless_allowed(site: Site) -> None:
    closed = ReviewsCollector(
        urls=(site.url,), sites=("127.0.0.1",), name="pool", clock=lambda: NOW, network=Network(), platform="reviews"
    )
    with pytest.raises(SourceRefused, match="loopback"):
        run(closed)
    assert site.asked == []


def test_a_cursor_that_is_not_ours_is_said() -> None:
    for cursor in ("", "x", "[]", "{}", '{"asked": 1, "seen": {}}', '{"asked": "2026-03-02", "seen": 1}'):
        with pytest.raises(SourceChanged):
            Seen.of("pool", cursor)


def test_only_sites_the_operator_names_are_read() -> None:
    with pytest.raises(ValueError, match=r"add 'shop\.example' to sites"):
        ReviewsOptions(urls=("https://shop.example/pool",), sites=("other.example",))
    with pytest.raises(ValueError, match="whole address"):
        ReviewsOptions(urls=("file:///etc/passwd",), sites=("x",))


# --- real pages -----------------------------------------------------------------------------------------------------


def test_real_pages_give_what_a_reader_of_them_sees(shared: Path) -> None:
    folder = shared / "recordings" / "schema-org" / "adbar+trafilatura"
    found = read((folder / "travanto.de.ferienhaus-feinen.html").read_bytes())
    assert [one.stars for one in found[1:2]] == [5.0]
    assert [str(one.posted_at)[:10] for one in found[:2]] == ["2018-05-23", "2017-10-17"]
    (fish,) = read((folder / "tofugu.com.dezuka-suisan.html").read_bytes())
    assert fish.stars == 4.07  # 7.9 of 10, on a scale from 1
    assert fish.author == Person(id="Kanae Nakamine", handle="Kanae Nakamine")
