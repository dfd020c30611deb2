import json
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.feeds import reader
from collectors.feeds.cursor import Known
from collectors.feeds.entries import NotAFeed
from collectors.recordings import exchanges
from collectors.sources.feed import KIND, FeedCollector, FeedOptions, parse
from core.batch import Backfill, Batch, Budget, Head, Missed, Recheck, Task
from core.errors import SourceChanged, SourceDown, SourceError, SourceRefused, SourceRetired
from core.mention import Deletion, Kind, Media, Mention, Person, Point
from core.settings import Network
from net.client import Rules, open_client
from tests.collectors.feeds import SITE, URL, Blog, Post, rss
from tests.conftest import NOW


def collector(handler: Any, now: datetime = NOW, **more: Any) -> FeedCollector:
    rules = Rules(clock=lambda: now, sleep=lambda seconds: None, attempts=1)
    client = open_client(Network(), base_url=URL, rules=rules, transport=httpx.MockTransport(handler))
    return FeedCollector(client=client, url=URL, name="blog", clock=lambda: now, read=reader.read, **more)


def run(
    source: FeedCollector, task: Task | None = None, cursor: str | None = None, budget: Budget | None = None
) -> list[Batch]:
    return list(source.collect(task or Head(), cursor, budget or Budget(), source.clock() + timedelta(minutes=4)))


def ids(batches: list[Batch]) -> list[str]:
    return [mention.external_id for batch in batches for mention in batch.mentions]


def one(data: bytes | str, **more: Any) -> Mention:
    (mention,) = parse(data.encode() if isinstance(data, str) else data, NOW, **more).mentions
    return mention


def atom(entry: str) -> str:
    return f'<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="es-MX"><id>tag:x</id><entry>{entry}</entry></feed>'


# --- asking ---------------------------------------------------------------------------------------------------------


def test_the_first_run_asks_plainly_and_the_second_with_both_validators() -> None:
    blog = Blog()
    blog.write(3, NOW - timedelta(hours=1))
    first, _ = run(collector(blog))  # the second page is 404: the end
    assert ids([first]) == [f"{SITE}/?p=3", f"{SITE}/?p=2", f"{SITE}/?p=1"]
    (second,) = run(collector(blog), cursor=first.cursor)
    assert second.mentions == ()
    assert second.coverage.complete
    assert Known.of(second.cursor).etag == Known.of(first.cursor).etag

    asked, _, again = blog.asked
    assert (asked.method, str(asked.url), asked.content) == ("GET", URL, b"")
    assert asked.headers["accept"].startswith("application/rss+xml, application/atom+xml, application/feed+json")
    assert "if-none-match" not in asked.headers
    assert "if-modified-since" not in asked.headers
    assert again.headers["if-none-match"].startswith('"')
    assert again.headers["if-modified-since"] == "Mon, 02 Mar 2026 10:00:00 GMT"


def test_250_posts_between_two_polls_are_250_mentions() -> None:
    blog = Blog()
    blog.write(5, NOW - timedelta(days=2))
    before, _ = run(collector(blog))
    blog.write(250, NOW - timedelta(hours=12))
    batches = run(collector(blog), cursor=before.cursor)
    assert len({*ids(batches)} - {*ids([before])}) == 250
    assert batches[-1].coverage.complete
    assert not any(batch.coverage.complete for batch in batches[:-1])
    assert len({batch.cursor for batch in batches}) == 1


def test_what_the_budget_leaves_is_a_gap_that_a_backfill_closes() -> None:
    blog = Blog()
    blog.write(5, NOW - timedelta(days=2))
    before, _ = run(collector(blog))
    blog.write(100, NOW - timedelta(hours=12))
    head = run(collector(blog), cursor=before.cursor, budget=Budget(requests=3))
    gap = head[-1].coverage
    assert not gap.complete
    assert gap.reason is Missed.PENDING
    found = {*ids(head)}
    while not gap.complete:
        rest = run(
            collector(blog),
            Backfill(since=gap.since, until=gap.until, resume=gap.resume),
            budget=Budget(requests=4, mentions=35),
        )
        assert [batch.cursor for batch in rest] == [None] * len(rest)
        found |= {*ids(rest)}
        gap = rest[-1].coverage
    assert len(found - {*ids([before])}) == 100


def test_a_crash_after_any_batch_loses_nothing() -> None:
    blog = Blog()
    blog.write(5, NOW - timedelta(days=2))
    before, _ = run(collector(blog))
    blog.write(60, NOW - timedelta(hours=12))
    head = run(collector(blog), cursor=before.cursor)
    for kept in range(1, len(head) + 1):
        gap = head[kept - 1].coverage
        found = {*ids(head[:kept])}
        if not gap.complete:
            found |= {*ids(run(collector(blog), Backfill(since=gap.since, until=gap.until, resume=gap.resume)))}
        assert len(found - {*ids([before])}) == 60


def test_posts_written_under_an_earlier_date_are_found_below_known_ones() -> None:
    blog = Blog()
    blog.write(15, NOW - timedelta(days=20), timedelta(days=1))
    blog.write(1, NOW - timedelta(hours=1))
    first = run(collector(blog))
    blog.write(12, NOW - timedelta(days=3), timedelta(minutes=1))
    second = run(collector(blog), cursor=first[-1].cursor)
    assert {f"{SITE}/?p={n}" for n in range(17, 29)} <= {*ids(second)}
    assert second[-1].coverage.complete
    assert len({*ids(second)}) < 28


def test_a_feed_without_older_pages_says_what_it_could_not_show() -> None:
    blog = Blog(generator="")
    blog.write(10, NOW - timedelta(days=2))
    (before,) = run(collector(blog))
    assert before.coverage.complete
    assert before.coverage.since == NOW - timedelta(days=2)
    blog.write(30, NOW - timedelta(hours=12))
    (after,) = run(collector(blog), cursor=before.cursor)
    assert len(after.mentions) == 10
    assert not after.coverage.complete
    assert after.coverage.reason is Missed.WINDOW
    (rest,) = run(collector(blog), Backfill(since=NOW - timedelta(days=1), until=NOW))
    assert (rest.coverage.complete, rest.coverage.reason) == (False, Missed.WINDOW)


def test_the_first_run_goes_back_as_far_as_the_settings_say() -> None:
    blog = Blog()
    blog.write(100, NOW - timedelta(days=100), timedelta(days=1))
    batches = run(collector(blog, history=timedelta(days=15)))
    assert len(ids(batches)) == 20
    assert batches[-1].coverage.complete


def test_a_feed_that_ignores_paging_ends() -> None:
    posts = [Post(n, NOW - timedelta(minutes=n), "x") for n in range(10)]
    asked = []

    def same(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, content=rss(posts))

    batches = run(collector(same))
    assert len(ids(batches)) == 10
    assert len(asked) == 2


def test_large_feeds_come_in_pieces_that_fit_a_transaction() -> None:
    posts = [Post(n, NOW - timedelta(minutes=n), "x") for n in range(1203)]
    source = collector(lambda request: httpx.Response(200, content=rss(posts, generator="")))
    batches = run(source)
    assert [len(batch.mentions) for batch in batches] == [500, 500, 203]
    assert [batch.coverage.complete for batch in batches] == [False, False, True]
    (part,) = run(source, budget=Budget(mentions=300))
    gap = part.coverage
    rest = run(source, Backfill(since=gap.since, until=gap.until, resume=gap.resume))
    assert {*ids([part]), *ids(rest)} == {f"{SITE}/?p={n}" for n in range(1203)}


def test_next_links_are_followed_on_the_same_site_only() -> None:
    def pages(request: httpx.Request) -> httpx.Response:
        page = int(request.url.params.get("page", "1"))
        body = rss([Post(n, NOW - timedelta(minutes=n), "x") for n in range(page * 10 - 10, page * 10)], generator="")
        link = {"link": f'<{URL}&page={page + 1}>; rel="next"'} if page < 3 else {}
        return httpx.Response(200, content=body, headers=link)

    assert len(ids(run(collector(pages)))) == 30
    elsewhere = {"link": '<https://elsewhere.example/>; rel="next"'}
    (batch,) = run(collector(lambda r: httpx.Response(200, content=rss([Post(1, NOW, "x")]), headers=elsewhere)))
    assert batch.coverage.complete


def test_an_edit_is_a_new_version_of_the_same_mention() -> None:
    blog = Blog()
    blog.write(1, NOW - timedelta(hours=1))
    before, _ = run(collector(blog))
    blog.posts[0] = replace(blog.posts[0], text="the pothole is filled")
    (after, *_) = run(collector(blog), cursor=before.cursor)
    assert ids([before]) == ids([after])
    assert before.mentions[0].version != after.mentions[0].version


def test_a_page_that_is_gone_is_a_deletion() -> None:
    blog = Blog()
    blog.write(3, NOW - timedelta(hours=1))
    del blog.posts[1]
    asked = (f"{SITE}/?p=1", f"{SITE}/?p=2", f"{SITE}/?p=2#comment-9", "tag:elsewhere", "https://elsewhere.example/")
    batches = run(collector(blog), Recheck(ids=asked))
    assert ids(batches) == [asked[0]]
    assert [gone for batch in batches for gone in batch.deletions] == list(
        Deletion(platform="web", external_id=one) for one in asked[1:3]
    )
    assert {request.url.host for request in blog.asked} == {"blog.example"}


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (404, b"", SourceChanged),
        (410, b"", SourceRetired),
        (403, b"", SourceRefused),
        (500, b"", SourceDown),
        (200, b"", SourceDown),
        (200, b"<html><title>Maintenance</title></html>", SourceDown),
    ],
)
def test_what_an_answer_without_a_feed_means(status: int, body: bytes, error: type[SourceError]) -> None:
    with pytest.raises(error):
        run(collector(lambda request: httpx.Response(status, content=body)))


def test_an_error_on_a_later_page_leaves_a_gap_with_its_reason() -> None:
    blog = Blog()
    blog.write(40, NOW - timedelta(hours=12))
    blog.failing = 500
    found: list[Batch] = []
    with pytest.raises(SourceDown):
        found.extend(collector(blog).collect(Head(), None, Budget(), NOW + timedelta(minutes=4)))
    assert found == [] or found[-1].coverage.reason is Missed.OUTAGE


def test_a_web_page_names_its_feeds() -> None:
    page = b'<!doctype html><link rel="alternate" type="application/rss+xml" href="/feed/">'
    with pytest.raises(SourceChanged, match=r"its feeds are https://blog\.example/feed/"):
        parse(page, NOW, url=f"{SITE}/news")


# --- reading --------------------------------------------------------------------------------------------------------


def test_an_atom_entry_with_everything() -> None:
    mention = one(
        atom(
            "<id>tag:blog.example,2026:7</id><title type='html'>No &lt;b&gt;water&lt;/b&gt;</title>"
            "<link href='https://blog.example/7'/><link rel='enclosure' type='image/png' href='https://blog.example/7.png'"
            " title='a broken main'/><published>2026-03-01T10:00:00-05:00</published>"
            "<updated>2026-03-01T16:00:00Z</updated>"
            "<author><name>Ana</name><uri>https://blog.example/ana</uri></author>"
            "<content type='html'>&lt;p&gt;Since &amp;amp; after noon&lt;/p&gt;</content>"
            "<georss:point xmlns:georss='http://www.georss.org/georss'>35.5 -80.25</georss:point>"
            "<thr:in-reply-to xmlns:thr='http://purl.org/syndication/thread/1.0' ref='tag:blog.example,2026:6'/>"
        )
    )
    assert mention == Mention(
        platform="web",
        external_id="tag:blog.example,2026:7",
        version=mention.version,
        kind=Kind.REPLY,
        text="No water\n\nSince & after noon",
        seen_at=NOW,
        posted_at=datetime(2026, 3, 1, 15, tzinfo=UTC),
        edited_at=datetime(2026, 3, 1, 16, tzinfo=UTC),
        url="https://blog.example/7",
        parent="tag:blog.example,2026:6",
        author=Person(id="https://blog.example/ana", handle="Ana"),
        language="es-MX",
        point=Point(latitude=35.5, longitude=-80.25),
        media=(Media(url="https://blog.example/7.png", alt="a broken main"),),
    )


def test_a_comment_of_a_blog_knows_its_post_and_what_it_answers() -> None:
    def comment(words: str, title: str) -> Mention:
        post = f"<item><title>{title}</title><guid isPermaLink='false'>{SITE}/?p=17#comment-5</guid>"
        body = f"<description><![CDATA[{words}]]></description></item>"
        return one(f"<rss version='2.0'><channel>{post}{body}</channel></rss>")

    answer = comment(f'<p>In reply to <a href="{SITE}/2026/x/#comment-3">Bob</a>.</p><p>Sorry!</p>', "By: City")
    assert (answer.parent, answer.root) == (f"{SITE}/?p=17#comment-3", f"{SITE}/?p=17")
    assert answer.text == "Sorry!"
    first = comment("<p>Streetlight is out</p>", "Comment on Lights by Ana")
    assert (first.parent, first.text) == (f"{SITE}/?p=17", "Streetlight is out")


def test_identity_is_guid_else_link_else_hash() -> None:
    def item(inside: str, home: str = "https://a.example/") -> str:
        return one(f"<rss version='2.0'><channel><link>{home}</link><item>{inside}</item></channel></rss>").external_id

    assert item("<guid isPermaLink='false'>urn:7</guid><link>https://a.example/7</link>") == "urn:7"
    assert item("<link>/7</link>") == "https://a.example/7"
    assert item("<guid isPermaLink='false'>7</guid>") == "https://a.example/#7"
    assert item("<guid isPermaLink='false'>7</guid>", "https://b.example/") == "https://b.example/#7"
    assert item("<title>a</title>") == item("<title>a</title>") != item("<title>b</title>")


def test_json_feeds_are_read_too() -> None:
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "home_page_url": "https://a.example/",
        "items": [
            {
                "id": 7,
                "url": "https://a.example/7",
                "content_html": "<p>No water</p>",
                "date_published": "2026-03-01T10:00:00Z",
                "authors": [{"name": "Ana"}],
            }
        ],
    }
    mention = one(json.dumps(feed))
    assert (mention.external_id, mention.text, mention.author) == (
        "https://a.example/#7",
        "No water",
        Person(id="Ana", handle="Ana"),
    )


@pytest.mark.parametrize(
    "entity",
    [
        '<!ENTITY a "aaaaaaaaaaaaaaaaaaaaaaa">',
        '<!ENTITY a "b"><!ENTITY c "&a;&a;">',
        '<!ENTITY a SYSTEM "file:///etc/passwd">',
        '<!ENTITY % a "x">',
    ],
)
def test_entities_that_could_do_harm_are_refused(entity: str) -> None:
    feed = f"<?xml version='1.0'?><!DOCTYPE rss [{entity}]><rss version='2.0'><channel><item><title>&a;</title></item>"
    with pytest.raises(SourceChanged, match="entity"):
        parse((feed + "</channel></rss>").encode(), NOW)


@pytest.mark.parametrize(
    "doctype",
    [
        '<!DOCTYPE rss PUBLIC "-//Netscape Communications//DTD RSS 0.91//EN" "http://my.netscape.com/rss-0.91.dtd">',
        '<!DOCTYPE rss [<!ENTITY nbsp "&#160;">]>',
        '<!DOCTYPE rss [<!ENTITY % chars PUBLIC "x" "http://www.w3.org/chars.ent"> %chars;]>',
    ],
)
def test_a_harmless_doctype_is_no_reason_to_refuse_posts(doctype: str) -> None:
    feed = f"<?xml version='1.0'?>{doctype}<rss version='2.0'><channel><item><title>a</title></item></channel></rss>"
    assert one(feed).text == "a"


def bomb() -> bytes:
    names = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    head = f'<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY l0 "lol">{names}]>'
    return f"{head}<rss><channel><item>&l9;</item></channel></rss>".encode()


@pytest.mark.parametrize(
    "body",
    [
        bomb(),
        b"<rss version='2.0'><channel>" + b"<item><title>x</title></item>" * 200_000,
        b"<rss version='2.0'><channel>" + b"<item/>" * 500_000,
        b"<rss><channel>" + b"<a>" * 1_000_000,
        b"<rss><channel><item><title>" + b"<![CDATA[" * 500_000,
        b"[" * 2_000_000,
        "<rss><channel>".encode("utf-16") + b"<\0i\0t\0e\0m\0/\0>\0" * 300_000,
    ],
)
def test_what_could_exhaust_a_reader_is_refused_in_bounded_time(body: bytes) -> None:
    begin = perf_counter()
    try:
        reader.read_apart(body, "", "", seconds=3)
    except NotAFeed as why:
        assert len(str(why)) < 300  # noqa: PT017 (some of these may be read after all: only time counts)
    assert perf_counter() - begin < 6


def test_the_child_reads_what_we_read() -> None:
    feed = rss([Post(1, NOW, "<p>no water</p>", "Ñandú")])
    assert reader.read_apart(feed, URL, "text/xml; charset=utf-8") == reader.read(feed, URL, "text/xml; charset=utf-8")


def test_the_child_is_stopped_in_time_and_from_several_threads() -> None:
    def slow() -> None:
        with pytest.raises(NotAFeed, match="not read within"):
            reader.read_apart(b"<rss/>", "", "", seconds=0.001)

    threads = [threading.Thread(target=slow) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


PIECES = """<rss version='2.0'> | <channel> | <item> | </item> | <title> | <guid> | <pubDate> | </ | &amp; | <![CDATA[
| <feed xmlns='http://www.w3.org/2005/Atom'> | <entry> | <link href='x'/> | <?xml encoding='utf-7'?> | é | \x00 | [ | {
| <!DOCTYPE x [ | <!ENTITY a 'b'> | ]> | <georss:point> | 1 2 | <content type='xhtml'> | "items" | : | &a; | <link>"""
markup = st.sampled_from([piece.strip() for piece in PIECES.split("|")])


@given(st.binary() | st.lists(markup).map(lambda parts: "".join(parts).encode()))
def test_any_bytes_are_read_or_raise_ours(body: bytes) -> None:
    try:
        page = parse(body, NOW, url=URL)
    except SourceError:
        return
    assert len(page.mentions) == page.listed


any_json: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.text() | st.sampled_from(["id", "url", "authors", "title"]), inner)
    ),
)
KEYS = ("id", "url", "title", "content_html", "date_published", "authors", "attachments", "language")
items = st.lists(st.fixed_dictionaries({}, optional=dict.fromkeys(KEYS, any_json)))
posts = st.lists(
    st.fixed_dictionaries({"date_gmt": any_json}, optional={k: any_json for k in ("guid", "link", "post", "title")})
)


@given(any_json | posts | items.map(lambda found: {"version": "jsonfeed.org", "items": found}))
def test_any_json_is_read_or_raises_ours(value: Any) -> None:
    try:
        parse(json.dumps(value).encode(), NOW)
    except SourceError:
        return


@given(st.text())
def test_a_cursor_that_is_not_ours_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        Known.of(text)


def test_settings_name_a_whole_address() -> None:
    with pytest.raises(ValueError, match="whole address"):
        FeedOptions(url="blog.example/feed")


# --- real feeds -----------------------------------------------------------------------------------------------------


def recorded(shared: Path, name: str) -> tuple[Mention, ...]:
    (exchange,) = exchanges(shared / "recordings" / "rss-atom" / name)
    return KIND.parse(exchange, NOW).mentions


def test_the_same_post_is_the_same_mention_in_every_format(shared: Path) -> None:
    folder = "local-wordpress"
    by_format = {name: recorded(shared, f"{folder}/{name}.json") for name in ("feed_rss2", "feed_atom", "rest_posts")}
    said = [{m.external_id: (m.version, m.posted_at) for m in found} for found in by_format.values()]
    common = said[0].keys() & said[1].keys() & said[2].keys()
    assert len(common) == 5
    for ident in common:
        assert len({versions[ident] for versions in said}) == 1


def test_the_same_comment_is_the_same_mention_in_every_feed(shared: Path) -> None:
    names = ("feed_comments_rss2", "feed_post_comments", "rest_comments")
    said = [
        {m.external_id: (m.version, m.parent, m.root) for m in recorded(shared, f"local-wordpress/{n}.json")}
        for n in names
    ]
    assert len(said[1]) == 4
    assert said[1] == said[2]
    assert said[1].items() <= said[0].items()


def test_an_edited_post_has_a_new_version(shared: Path) -> None:
    before = {m.external_id: m.version for m in recorded(shared, "local-wordpress/feed_rss2.json")}
    after = {m.external_id: m.version for m in recorded(shared, "local-wordpress/after_edit_feed_rss2.json")}
    assert [one for one in before if one in after and before[one] != after[one]] == ["http://127.0.0.1:8088/?p=16"]
    assert [one for one in before if one not in after] == [
        "http://127.0.0.1:8088/?p=15"
    ]  # trashed: a feed says nothing
