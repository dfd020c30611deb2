import json
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sample import city, routes
from sample.mentions import Said
from sample.reviews import PAGE, PAGES
from sample.server import clock_from, main, serve
from sample.site import Faults, Request, Site
from sample.world import World
from tests.sample.conftest import EVENING

SINCE = EVENING - timedelta(days=3)


class Hands:
    """A clock that tests move."""

    def __init__(self, now: datetime = EVENING) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


@contextmanager
def serving(world: World, hands: Hands, faults: Faults | None = None) -> Iterator[tuple[Site, httpx.Client]]:
    with (
        serve(0, world, hands, faults) as site,
        httpx.Client(base_url=site.base, trust_env=False, timeout=10) as client,
    ):
        yield site, client


def logged_in(client: httpx.Client) -> dict[str, str]:
    payload = {"identifier": city.USERNAME, "password": city.PASSWORD}
    session = client.post("/xrpc/com.atproto.server.createSession", json=payload).json()
    return {"authorization": f"Bearer {session['accessJwt']}"}


def searched(client: httpx.Client, **params: Any) -> tuple[list[str], int]:
    """Ids of all pages of a search, and the number the first one claims."""
    headers, found, cursor, total = logged_in(client), [], None, -1
    while True:
        asked = {"q": '"maple harbor"', "limit": 60, "since": SINCE.isoformat(), "cursor": cursor, **params}
        asked = {name: value for name, value in asked.items() if value is not None}
        answer = client.get("/xrpc/app.bsky.feed.searchPosts", params=asked, headers=headers).json()
        total = answer["hitsTotal"] if total < 0 else total
        found += [post["uri"] for post in answer["posts"]]
        cursor = answer.get("cursor")
        if cursor is None:
            return found, total


def timeline(client: httpx.Client, until: datetime = SINCE) -> list[str]:
    """Ids of all posts of the tag down to `until`, page by page along the Link header."""
    url: str | None = f"/api/v1/timelines/tag/{city.TAG}?limit=40"
    found: list[str] = []
    while url:
        answer = client.get(url)
        posts = [post for post in answer.json() if datetime.fromisoformat(post["created_at"]) >= until]
        found += [post["id"] for post in posts]
        link = re.search(r'<([^>]+)>; rel="next"', answer.headers.get("link", ""))
        url = link[1] if link and posts else None
    return found


def expected(world: World, platform: str, now: datetime) -> list[str]:
    return [said.id for said in world.newest(platform, now, SINCE)]


def test_mastodon_pages_give_every_post_once(city_world: World) -> None:
    with serving(city_world, Hands()) as (_, client):
        found = timeline(client)
    assert found == expected(city_world, "mastodon", EVENING)
    assert len(found) > 100


def test_mastodon_walks_forward_from_an_id(city_world: World) -> None:
    with serving(city_world, Hands()) as (_, client):
        ids = timeline(client)
        path = f"/api/v1/timelines/tag/{city.TAG}"
        above = [post["id"] for post in client.get(path, params={"min_id": ids[50], "limit": 20}).json()]
        newest = [post["id"] for post in client.get(path, params={"since_id": ids[50], "limit": 20}).json()]
    assert above == ids[30:50], "min_id: the ones just above it"
    assert newest == ids[:20], "since_id: the newest page"


def test_bluesky_pages_give_every_post_once(city_world: World) -> None:
    with serving(city_world, Hands()) as (_, client):
        found, total = searched(client)
    assert sorted(found) == sorted(expected(city_world, "bluesky", EVENING))
    assert total == len(found) == len(set(found))


def test_feed_pages_give_every_item_once(city_world: World) -> None:
    with serving(city_world, Hands()) as (site, client):
        found = []
        for number in range(1, 5):
            body = client.get("/feed.xml", params={"paged": number}).text
            found += re.findall(r'<guid isPermaLink="true">([^<]+)</guid>', body)
        last = client.get("/feed.xml", params={"paged": 9999})
    ids = [said.id for said, _ in zip(city_world.newest("feed", EVENING), range(40), strict=False)]
    assert found == [f"{site.base}/news/{ident}" for ident in ids]
    assert last.status_code == 404
    assert "<rss" in last.text, "beyond the last page: 404 with an empty feed, as WordPress does"


def test_review_pages_follow_rel_next(city_world: World) -> None:
    for slug, _, _ in city.REVIEWED:
        with serving(city_world, Hands()) as (_, client):
            url, found = f"/reviews/{slug}", []
            while url:
                page = client.get(url).text
                assert city.NOTICE in page
                found += re.findall(r'<div [^>]*id="review-(\d+-\d+)"', page)
                link = re.search(r'<a rel="next" href="([^"]+)"', page)
                url = link[1] if link else ""
        reviews = (said.id for said in city_world.newest("reviews", EVENING) if said.place == slug)
        assert found == [ident for ident, _ in zip(reviews, range(PAGE * PAGES), strict=False)]


def test_what_is_shown_grows_with_the_clock(city_world: World) -> None:
    hands = Hands(EVENING - timedelta(hours=6))
    with serving(city_world, hands) as (_, client):
        before, _ = searched(client)
        early = timeline(client)
        hands.now = EVENING
        after, _ = searched(client)
        late = timeline(client)
    assert len(after) > len(before)
    assert len(late) > len(early)


def test_a_post_taken_back_is_gone_everywhere(city_world: World, said: list[Said]) -> None:
    gone = next(one for one in reversed(said) if one.platform == "mastodon" and one.deleted_at)
    hands = Hands(gone.at)
    with serving(city_world, hands) as (_, client):
        assert client.get(f"/api/v1/statuses/{gone.id}").status_code == 200
        assert gone.deleted_at
        hands.now = gone.deleted_at
        answer = client.get(f"/api/v1/statuses/{gone.id}")
        assert answer.status_code == 404
        assert answer.json() == {"error": "Record not found"}
        assert gone.id not in timeline(client, gone.at)


def test_an_edit_changes_text_and_version(city_world: World, said: list[Said]) -> None:
    toot = next(one for one in said if one.platform == "mastodon" and one.edited_at)
    post = next(one for one in said if one.platform == "bluesky" and one.edited_at)
    hands = Hands()
    with serving(city_world, hands) as (_, client):

        def shown(now: datetime) -> tuple[Any, Any]:
            hands.now = now
            asked: dict[str, Any] = {"params": {"uris": [post.id]}, "headers": logged_in(client)}
            posts = client.get("/xrpc/app.bsky.feed.getPosts", **asked).json()["posts"]
            return client.get(f"/api/v1/statuses/{toot.id}").json(), posts[0] if posts else None

        first, _ = shown(toot.at)
        _, one = shown(post.at)
        second, two = shown(EVENING)
    assert first["edited_at"] is None
    assert second["edited_at"] is not None
    assert first["content"] != second["content"]
    assert one["uri"] == two["uri"]
    assert one["cid"] != two["cid"]


def test_withheld_posts_are_counted_but_not_shown_until_released(city_world: World) -> None:
    with serving(city_world, Hands(), Faults(withhold=37)) as (_, client):
        found, total = searched(client)
        assert total - len(found) == 37
        assert client.post("/_control/release").json() == {"released": 37}
        found, total = searched(client)
        assert total == len(found)


def test_limits_are_told_and_kept(city_world: World) -> None:
    hands = Hands()
    with serving(city_world, hands, Faults(limit=3)) as (_, client):
        path = f"/api/v1/timelines/tag/{city.TAG}"
        answers = [client.get(path, params={"limit": 1}) for _ in range(4)]
        assert [one.status_code for one in answers] == [200, 200, 200, 429]
        assert [one.headers["x-ratelimit-remaining"] for one in answers] == ["2", "1", "0", "0"]
        assert datetime.fromisoformat(answers[3].headers["x-ratelimit-reset"]) == EVENING + timedelta(minutes=5)
        hands.now += timedelta(minutes=5)
        assert client.get(path).status_code == 200


def test_bluesky_limits_log_ins_and_says_how_long_to_wait(city_world: World) -> None:
    with serving(city_world, Hands()) as (_, client):
        payload = {"identifier": city.USERNAME, "password": "wrong"}
        answers = [client.post("/xrpc/com.atproto.server.createSession", json=payload) for _ in range(31)]
    assert {one.status_code for one in answers[:30]} == {401}
    assert answers[30].status_code == 429
    assert answers[30].headers["retry-after"] == "300"
    assert answers[30].json()["error"] == "RateLimitExceeded"


def test_bluesky_sessions(city_world: World) -> None:
    with serving(city_world, Hands()) as (_, client):
        method = "/xrpc/app.bsky.feed.searchPosts"
        assert client.get(method, params={"q": "x"}).json()["error"] == "AuthMissing"
        stale = {"authorization": "Bearer made-up"}
        assert client.get(method, params={"q": "x"}, headers=stale).json()["error"] == "InvalidToken"
        payload = {"identifier": city.USERNAME, "password": city.PASSWORD}
        session = client.post("/xrpc/com.atproto.server.createSession", json=payload).json()
        refresh = "/xrpc/com.atproto.server.refreshSession"
        wrong = client.post(refresh, headers={"authorization": f"Bearer {session['accessJwt']}"})
        assert wrong.json()["error"] == "InvalidToken"
        right = {"authorization": f"Bearer {session['refreshJwt']}"}
        renewed = client.post(refresh, headers=right).json()
        found = client.get(method, params={"q": "zzz"}, headers={"authorization": f"Bearer {renewed['accessJwt']}"})
        assert found.json() == {"posts": [], "hitsTotal": 0}
        assert client.post(refresh, headers=right).json()["error"] == "InvalidToken", "a refresh token works once"


def test_feed_answers_304_until_something_changes(city_world: World) -> None:
    hands = Hands()
    with serving(city_world, hands) as (_, client):
        for path in ("/feed.xml", "/feed.atom"):
            hands.now = EVENING
            first = client.get(path)
            validators = {"if-none-match": first.headers["etag"], "if-modified-since": first.headers["last-modified"]}
            same = client.get(path, headers=validators)
            assert same.status_code == 304
            assert same.content == b""
            by_date = client.get(path, headers={"if-modified-since": first.headers["last-modified"]})
            assert by_date.status_code == 304
            hands.now = EVENING + timedelta(days=1)
            assert client.get(path, headers=validators).status_code == 200


def test_an_article_has_its_page(city_world: World) -> None:
    said = next(iter(city_world.newest("feed", EVENING)))
    with serving(city_world, Hands()) as (_, client):
        page = client.get(f"/news/{said.id}")
        assert said.title.split("'")[0] in page.text
        assert city.NOTICE in page.text
        assert client.get("/news/1-1").status_code == 404


def test_robots_allow_the_reviews_only(city_world: World) -> None:
    with serving(city_world, Hands()) as (_, client):
        rules = client.get("/robots.txt").text
    assert "Allow: /reviews/" in rules
    assert "Disallow: /private/" in rules


def test_every_answer_says_that_the_city_is_invented(city_world: World) -> None:
    with serving(city_world, Hands()) as (_, client):
        for path in ("/", "/nowhere", "/feed.xml", "/feed.atom", "/reviews/city-hall", "/api/v2/instance"):
            answer = client.get(path)
            assert answer.headers["x-notice"] == city.NOTICE
            assert city.NOTICE in answer.text


def test_only_this_machine_can_ask(city_world: World) -> None:
    with serving(city_world, Hands()) as (site, _):
        assert site.base.startswith("http://127.0.0.1:")
        port = int(site.base.rsplit(":", 1)[1])
        with socket.socket() as other:  # bound to loopback alone, so another address of this port is free
            other.bind(("127.0.0.2", port))


def test_large_bodies_are_refused(city_world: World) -> None:
    with serving(city_world, Hands()) as (_, client):
        answer = client.post("/xrpc/com.atproto.server.createSession", content=b"x" * 70_000)
    assert answer.status_code == 413


paths = st.sampled_from(
    [
        "/",
        "/api/v1/timelines/tag/x",
        f"/api/v1/timelines/tag/{city.TAG}",
        "/api/v1/statuses",
        "/api/v1/statuses/7",
        "/xrpc/com.atproto.server.createSession",
        "/xrpc/app.bsky.feed.searchPosts",
        "/xrpc/app.bsky.feed.getPosts",
        "/feed.xml",
        "/feed.atom",
        "/news/9",
        "/reviews/city-hall",
        "/_control/x",
    ]
)
names = st.sampled_from(
    ["limit", "max_id", "min_id", "since_id", "id[]", "any[]", "q", "cursor", "since", "until", "uris", "paged", "page"]
)


@given(
    path=paths,
    query=st.dictionaries(names, st.lists(st.text(max_size=30), min_size=1, max_size=2)),
    body=st.binary(max_size=60)
    | st.builds(lambda value: json.dumps(value).encode(), st.none() | st.text() | st.integers()),
    method=st.sampled_from(["GET", "POST"]),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_request_gets_an_answer(
    city_world: World, path: str, query: dict[str, list[str]], body: bytes, method: str
) -> None:
    site = Site(city_world, Hands(), "http://127.0.0.1:1")
    site.sessions.add("known")
    query = {**query, "since": [SINCE.isoformat()], "since_id": [str(int(SINCE.timestamp() * 1000) << 16)]}
    headers = {"authorization": "Bearer known"} if path.startswith("/xrpc/") else {}
    answer = routes.answer(site, Request(method=method, path=path, query=query, headers=headers, body=body))
    assert answer.status in {200, 304, 400, 401, 404, 405, 501}


def test_a_clock_can_begin_elsewhere() -> None:
    first = clock_from(EVENING)()
    assert timedelta() <= first - EVENING < timedelta(seconds=5)


def test_the_program_says_where_it_listens_and_ends_when_told() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "sample.server", "--port", str(port), "--now", EVENING.isoformat(), "--limit", "9"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout
        line = running.stdout.readline()
        answer = httpx.get(f"http://127.0.0.1:{port}/api/v1/timelines/tag/{city.TAG}", trust_env=False)
        running.send_signal(signal.SIGTERM)
        assert running.wait(10) == 0
    assert line == f"http://127.0.0.1:{port} {city.NOTICE}\n"
    assert answer.headers["x-ratelimit-limit"] == "9"
    newest = datetime.fromisoformat(answer.json()[0]["created_at"])
    assert timedelta() <= EVENING + timedelta(minutes=1) - newest < timedelta(hours=2)


def test_a_port_in_use_is_said_plainly(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert main(["--port", str(taken.getsockname()[1])]) == 1
    assert "choose another --port" in capsys.readouterr().err
