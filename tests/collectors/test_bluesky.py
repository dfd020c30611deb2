"""Bluesky: what is sent, with the page that documents it, and what its fields become."""

import json
from typing import Any

import httpx
import pytest

from collectors.answers.bluesky import parse, posts_of
from collectors.kinds import Context
from collectors.query import parse as query_of
from collectors.registry import build
from core.batch import Backfill, Budget, Head, Recheck
from core.errors import SettingsError, SourceChanged, SourceRefused
from core.mention import Kind, Media, Mention, Person
from core.settings import Agency, Source
from tests.collectors.fakes import START, FakeBluesky, Ticker
from tests.collectors.test_contract import collected, ids, mentions


@pytest.fixture
def fake() -> FakeBluesky:
    return FakeBluesky(Ticker())


def view(**changes: Any) -> dict[str, Any]:
    fake = FakeBluesky(Ticker())
    fake.post(1)
    return {**fake.view(fake.items[0]), **changes}


def post(text: str, **fields: Any) -> Mention:
    record = {**view()["record"], "text": text, **fields}
    (mention,) = parse({"posts": [view(record=record)]}, START).mentions
    return mention


# https://docs.bsky.app/docs/api/com-atproto-server-create-session
# https://docs.bsky.app/docs/api/app-bsky-feed-search-posts
def test_a_session_is_made_and_a_search_is_asked(fake: FakeBluesky) -> None:
    fake.post(3)
    collected(fake.collector(), Head())
    login, search = fake.requests
    assert (login.method, str(login.url)) == ("POST", f"{fake.server}/xrpc/com.atproto.server.createSession")
    assert json.loads(login.content) == {"identifier": "city.example", "password": "app-pass-word-here"}
    assert "authorization" not in login.headers
    assert search.method == "GET"
    assert str(search.url) == (
        f"{fake.server}/xrpc/app.bsky.feed.searchPosts"
        "?q=%23mapleharbor&sort=latest&limit=100&since=2026-02-23T15%3A00%3A00.000Z"
    )
    assert search.headers["authorization"] == "Bearer token1"
    assert search.headers["accept"] == "application/json"


def test_the_next_page_is_asked_for_by_cursor(fake: FakeBluesky) -> None:
    fake.post(150)
    collected(fake.collector(), Head())
    assert fake.requests[-1].url.params["cursor"] == "c100"


def test_a_short_page_is_not_the_last(fake: FakeBluesky) -> None:
    fake.post(150)
    fake.mutate = lambda data: {**data, "posts": data["posts"][::3]}  # hidden ones are taken out
    batches = collected(fake.collector(), Head())
    assert len(ids(batches)) == 51
    assert batches[-1].coverage.missed == 99


def test_a_session_is_kept_between_runs(fake: FakeBluesky) -> None:
    collected(fake.collector(), Head())
    collected(fake.collector("second"), Head())
    assert fake.tokens == 1


# https://docs.bsky.app/docs/api/com-atproto-server-refresh-session
def test_a_stale_session_is_refreshed_with_the_refresh_token(fake: FakeBluesky) -> None:
    collected(fake.collector(), Head())
    fake.tokens = 9  # the server knows token9 alone
    fake.post(2)
    assert len(ids(collected(fake.collector(), Head()))) == 2
    refresh = next(request for request in fake.requests if request.url.path.endswith("refreshSession"))
    assert refresh.method == "POST"
    assert refresh.headers["authorization"] == "Bearer rtoken1"
    assert refresh.content == b""


def test_a_session_that_cannot_be_refreshed_is_made_anew(fake: FakeBluesky) -> None:
    collected(fake.collector(), Head())
    fake.tokens = 9

    def stale(request: httpx.Request) -> httpx.Response | None:
        if request.url.path.endswith("refreshSession"):
            return httpx.Response(400, json={"error": "ExpiredToken", "message": "Token has been revoked"})
        return None

    fake.override = stale
    fake.post(2)
    assert len(ids(collected(fake.collector(), Head()))) == 2
    assert [r.url.path.rpartition(".")[2] for r in fake.requests[-3:]] == [
        "refreshSession",
        "createSession",
        "searchPosts",
    ]


@pytest.mark.parametrize(
    ("status", "code", "error", "words"),
    [
        (401, "AuthenticationRequired", SourceRefused, "app password"),
        (401, "AuthFactorTokenRequired", SourceRefused, "AuthFactorTokenRequired"),
        (400, "AccountTakedown", SourceRefused, "AccountTakedown"),
        (400, "BadQueryString", SourceRefused, "query"),
        (400, "InvalidRequest", SourceRefused, "app password"),
        (501, "MethodNotImplemented", SourceChanged, "501"),
    ],
)
def test_an_error_name_says_what_to_do(
    fake: FakeBluesky, status: int, code: str, error: type[Exception], words: str
) -> None:
    fake.override = lambda request: httpx.Response(status, json={"error": code, "message": "no"})
    with pytest.raises(error, match=words):
        collected(fake.collector(), Head())


def test_a_search_that_is_not_understood_is_a_fault_to_fix(fake: FakeBluesky) -> None:
    def unknown(request: httpx.Request) -> httpx.Response | None:
        return httpx.Response(400, json={"error": "InvalidRequest"}) if "searchPosts" in str(request.url) else None

    fake.override = unknown
    with pytest.raises(SourceChanged, match="InvalidRequest"):
        collected(fake.collector(), Head())


def test_an_account_that_is_suspended_is_refused(fake: FakeBluesky) -> None:
    session = {"did": fake.did, "accessJwt": "a", "refreshJwt": "r", "active": False, "status": "suspended"}
    fake.override = lambda request: httpx.Response(200, json=session)
    with pytest.raises(SourceRefused, match="suspended"):
        collected(fake.collector(), Head())


# https://docs.bsky.app/docs/api/app-bsky-feed-get-posts
def test_known_posts_are_looked_up_25_at_once(fake: FakeBluesky) -> None:
    known = fake.post(60)
    collected(fake.collector(), Recheck(ids=tuple(known)))
    asked = [r.url.params.get_list("uris") for r in fake.requests if r.url.path.endswith("app.bsky.feed.getPosts")]
    assert [len(uris) for uris in asked] == [25, 25, 10]
    assert [uri for uris in asked for uri in uris] == known


def test_a_cursor_that_the_server_forgot_starts_the_gap_anew(fake: FakeBluesky) -> None:
    new = fake.post(250)
    collector = fake.collector()
    batches = collected(collector, Head(), None, Budget(requests=2))

    def forgot(request: httpx.Request) -> httpx.Response | None:
        return httpx.Response(502) if request.url.params.get("cursor") == "c100" else None

    fake.override = forgot
    gap = batches[-1].coverage
    task = Backfill(since=gap.since, until=gap.until, resume=gap.resume)
    fake.requests.clear()
    rest = collected(collector, task, None, Budget(mentions=100))
    assert len(ids(rest)) == 100
    assert fake.requests[-1].url.params["until"] == "2026-03-02T15:00:00.000Z"
    assert ids(rest) <= set(new)


def test_several_searches_share_a_run_and_a_post_that_both_find_comes_once(fake: FakeBluesky) -> None:
    fake.post(120)
    section = fake.section().model_copy(update={"searches": ["#mapleharbor", '"maple harbor"']})
    fake.section = lambda: section  # type: ignore[method-assign]
    batches = collected(fake.collector(), Head())
    assert len(mentions(batches)) == len(ids(batches)) == 120
    asked = [(r.url.params["q"], r.url.params.get("cursor")) for r in fake.requests if "q" in r.url.params]
    assert asked == [
        ("#mapleharbor", None),
        ('"maple harbor"', None),
        ("#mapleharbor", "c100"),
        ('"maple harbor"', "c100"),
    ]


def test_the_fields_of_a_post() -> None:
    record = {
        "$type": "app.bsky.feed.post",
        "text": "¿Cuándo? see example.gov/pot… and this",
        "createdAt": "2019-01-01T00:00:00Z",
        "langs": ["es", "en"],
        "reply": {"root": {"uri": "at://did:plc:a/app.bsky.feed.post/1"}, "parent": {"uri": "at://did:plc:b/x.y/2"}},
        "facets": [
            {"index": {"byteStart": 15, "byteEnd": 33}, "features": [{"uri": "https://example.gov/potholes"}]},
            {"index": {"byteStart": 38, "byteEnd": 42}, "features": [{"uri": "https://example.org/more"}]},
        ],
    }
    images = {"images": [{"fullsize": "https://cdn.example/1.jpg", "thumb": "x", "alt": "A hole"}]}
    (mention,) = parse({"posts": [view(record=record, embed=images)]}, START).mentions
    assert mention.text == "¿Cuándo? see https://example.gov/potholes and this (https://example.org/more)"
    assert mention.posted_at == START  # what the network saw, not what the writer's device claims
    assert (mention.parent, mention.root) == ("at://did:plc:b/x.y/2", "at://did:plc:a/app.bsky.feed.post/1")
    assert mention.kind is Kind.REPLY
    assert mention.language == "es"
    assert mention.version == "bafyinvented0v0"
    assert mention.author == Person(id=FakeBluesky.did, handle="wren.example")
    assert mention.url == f"https://bsky.app/profile/{FakeBluesky.did}/post/3k00000000000"
    assert mention.media == (Media(url="https://cdn.example/1.jpg", alt="A hole"),)


@pytest.mark.parametrize(
    "index",
    [
        {"byteStart": -5, "byteEnd": 3},
        {"byteStart": 3, "byteEnd": 3},
        {"byteStart": 0, "byteEnd": 9999},
        {"byteStart": 1, "byteEnd": 2},
        {"byteStart": "0", "byteEnd": 2},
        {},
        None,
    ],
)
def test_a_facet_that_is_wrong_changes_nothing(index: Any) -> None:
    facets = [{"index": index, "features": [{"uri": "https://example.gov"}]}, None, {"index": {}, "features": 3}]
    assert post("¿Agua?", facets=facets).text == "¿Agua?"


def test_words_that_look_like_markup_stay() -> None:
    assert post("3<5 and <b>bold</b> &amp; so").text == "3<5 and <b>bold</b> &amp; so"


def test_a_repost_is_a_pointer_to_its_original() -> None:
    reason = {
        "$type": "app.bsky.feed.defs#reasonRepost",
        "uri": "at://did:plc:other/app.bsky.feed.repost/9",
        "by": {"did": "did:plc:other", "handle": "ana.example"},
        "indexedAt": "2026-03-02T15:00:00Z",
    }
    original, repost = parse({"feed": [{"post": view(), "reason": reason}]}, START).mentions
    assert (original.repost_of, repost.repost_of) == (None, original.external_id)
    assert repost.author == Person(id="did:plc:other", handle="ana.example")


def test_a_notification_of_a_like_is_no_mention() -> None:
    like = view(record={"$type": "app.bsky.feed.like", "subject": {}})
    assert parse({"notifications": [like, view()]}, START).mentions == parse({"posts": [view()]}, START).mentions


@pytest.mark.parametrize("field", ["uri", "cid", "record"])
@pytest.mark.parametrize("value", [None, 7, ["x"]])
def test_a_field_that_is_missing_or_of_another_type_is_named(field: str, value: Any) -> None:
    with pytest.raises(SourceChanged, match=field):
        posts_of("town", {"posts": [view(**{field: value})]}, START)


@pytest.mark.parametrize("data", [[], None, {"posts": None}, {"feed": []}])
def test_a_search_without_posts_is_a_change(data: Any) -> None:
    with pytest.raises(SourceChanged):
        posts_of("town", data, START)


def source(**changes: Any) -> Source:
    return Source.model_validate({"kind": "bluesky", "username": "city.example", "password": "x", **changes})


def context(**changes: Any) -> Context:
    return Context(client_for=lambda base_url: httpx.Client(base_url=base_url), clock=Ticker(), **changes)


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"username": None}, "OPENEAR_SOURCES__TOWN__PASSWORD"),
        ({"password": None}, "OPENEAR_SOURCES__TOWN__PASSWORD"),
        ({"searches": [" "]}, "searches"),
        ({}, "searches"),
        ({"server": "bsky.social"}, "server"),
        ({"query": "x"}, "query"),
    ],
)
def test_settings_that_cannot_work_are_named(changes: dict[str, Any], word: str) -> None:
    with pytest.raises(SettingsError, match=word):
        build("town", source(**changes), context())


def test_what_is_searched_for_comes_from_the_options_the_query_or_the_agency() -> None:
    agency, query = Agency(names=("Maple Harbor",)), query_of('"maple harbor" OR #mhwater')
    built = [
        build("town", source(searches=["bache"]), context(agency=agency, query=query)),
        build("town", source(), context(agency=agency, query=query)),
        build("town", source(), context(agency=agency)),
    ]
    assert [one.searches for one in built] == [  # type: ignore[attr-defined]
        ("bache",),
        ('"maple harbor"', "#mhwater"),
        ('"Maple Harbor"',),
    ]
