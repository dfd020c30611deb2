"""Mastodon: what is sent, with the page that documents it, and what its fields become."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from collectors.answers.mastodon import parse, parse_exchange, timeline
from collectors.kinds import Context
from collectors.recordings import Exchange
from collectors.registry import build
from core.batch import Budget, Head, Recheck
from core.errors import SettingsError, SourceChanged, SourceRefused
from core.mention import Deletion, Kind, Media, Mention, Person, Visibility
from core.protocols import Collector
from core.settings import Network, Source
from net.client import Rules, open_client
from tests.collectors.fakes import START, FakeMastodon, Ticker
from tests.collectors.test_contract import collected, ids, mentions


def status(**changes: Any) -> dict[str, Any]:
    fake = FakeMastodon(Ticker())
    fake.post(1)
    return {**fake.status(fake.items[0]), **changes}


def only(data: Any) -> Mention:
    (mention,) = parse([data], START).mentions
    return mention


def asking(options: dict[str, Any], answer: Any) -> tuple[Collector, list[httpx.Request]]:
    """A collector with these settings, and what it sends; `answer` is a function of the request, or JSON for all."""
    sent: list[httpx.Request] = []
    clock = Ticker()

    def handler(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return answer(request) if callable(answer) else httpx.Response(200, json=answer)

    def client_for(base_url: str) -> httpx.Client:
        rules = Rules(clock=clock, sleep=lambda seconds: None)
        return open_client(Network(), base_url=base_url, rules=rules, transport=httpx.MockTransport(handler))

    section = {"kind": "mastodon", "server": "https://social.example", "tags": ["mapleharbor"], **options}
    return build("town", Source.model_validate(section), Context(client_for=client_for, clock=clock)), sent


# https://docs.joinmastodon.org/methods/timelines/#tag
def test_a_tag_timeline_is_asked_for() -> None:
    collector, sent = asking({}, [status()])
    collected(collector, Head(), None, Budget(requests=1))
    (request,) = sent
    assert request.method == "GET"
    assert str(request.url) == "https://social.example/api/v1/timelines/tag/mapleharbor?limit=40"
    assert request.headers["accept"] == "application/json"
    assert "authorization" not in request.headers
    assert request.content == b""


def test_more_tags_are_asked_for_four_at_once() -> None:
    tags = ["one", "#two", "three", "four", "Peña"]
    collector, sent = asking({"tags": tags}, [])
    collected(collector, Head())
    timelines = [str(request.url) for request in sent if "/timelines/" in request.url.path]
    assert timelines == [
        "https://social.example/api/v1/timelines/tag/one?any%5B%5D=two&any%5B%5D=three&any%5B%5D=four&limit=40",
        "https://social.example/api/v1/timelines/tag/Pe%C3%B1a?limit=40",
    ]


def test_pages_go_on_below_the_oldest_and_a_token_goes_to_the_server_alone() -> None:
    fake = FakeMastodon(Ticker())
    fake.post(45)
    collector, sent = asking({"token": "hush"}, fake.answer)
    collected(collector, Head())
    assert [request.url.params.get("max_id") for request in sent] == [
        None,
        fake.local_id(fake.items[5]),
        "110000000000000000",
    ]
    assert {request.headers["authorization"] for request in sent} == {"Bearer hush"}


# https://docs.joinmastodon.org/methods/statuses/#get
def test_a_known_post_is_looked_up_where_it_was_written() -> None:
    fake = FakeMastodon(Ticker())
    (known,) = fake.post(1)
    gone = "https://other.example/users/ana/statuses/42"
    strange = "https://bridge.example/convert/ap/at://did:plc:abc/app.bsky.feed.post/3k"
    collector, sent = asking({"token": "hush"}, fake.answer)
    batches = collected(collector, Recheck(ids=(known, gone, strange)))
    assert [str(request.url) for request in sent] == [
        "https://social.example/api/v1/statuses/110000000000000000",
        "https://other.example/api/v1/statuses/42",
    ]
    assert sent[0].headers["authorization"] == "Bearer hush"
    assert "authorization" not in sent[1].headers
    assert ids(batches) == {known}
    assert [gone_.external_id for batch in batches for gone_ in batch.deletions] == [gone]
    assert batches[-1].coverage.rejected[-1][0] == strange


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, json=status(uri="https://other.example/users/x/statuses/1")),
        httpx.Response(404, html="<title>nginx</title>"),
        httpx.Response(503),
        httpx.Response(401, json={"error": "This method requires an authenticated user"}),
    ],
)
def test_another_servers_trouble_deletes_nothing(answer: httpx.Response) -> None:
    collector, _ = asking({}, lambda request: answer)
    batches = collected(collector, Recheck(ids=("https://other.example/users/ana/statuses/42",)))
    assert not any(batch.deletions or batch.mentions for batch in batches)
    assert len(batches[0].coverage.rejected) == 1


def test_a_post_that_is_private_now_is_gone() -> None:
    known = status()
    collector, _ = asking({}, {**known, "visibility": "private"})
    (batch,) = collected(collector, Recheck(ids=(known["uri"],)))
    assert [one.external_id for one in batch.deletions] == [known["uri"]]


# https://docs.joinmastodon.org/methods/statuses/#index (4.3)
def test_what_a_reply_answers_is_asked_for_once_a_page() -> None:
    page = [status(id=str(n), uri=f"https://social.example/s/{n}", in_reply_to_id=str(100 + n % 2)) for n in (5, 4, 3)]
    parents = [{"id": "100", "uri": "https://social.example/s/100"}, {"id": "101", "uri": "https://far.example/9"}]

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/api/v1/statuses":
            return httpx.Response(200, json=parents)
        return httpx.Response(200, json=[] if "max_id" in request.url.params else page)

    collector, sent = asking({}, answer)
    found = mentions(collected(collector, Head()))
    assert [one.parent for one in found] == [
        "https://far.example/9",
        "https://social.example/s/100",
        "https://far.example/9",
    ]
    assert {one.kind for one in found} == {Kind.REPLY}
    asked = [str(request.url) for request in sent if request.url.path == "/api/v1/statuses"]
    assert asked == ["https://social.example/api/v1/statuses?id%5B%5D=101&id%5B%5D=100"]


def test_a_server_that_cannot_say_what_a_reply_answers_is_asked_once() -> None:
    fake = FakeMastodon(Ticker())
    fake.post(90)
    fake.mutate = lambda data: [{**one, "in_reply_to_id": "7"} for one in data] if isinstance(data, list) else data
    collector, sent = asking({}, fake.answer)
    assert len(ids(collected(collector, Head()))) == 90
    assert len([request for request in sent if request.url.path == "/api/v1/statuses"]) == 1


# https://docs.joinmastodon.org/entities/Instance/#timelines_access-hashtag_feeds (4.5)
@pytest.mark.parametrize(
    ("local", "remote", "token", "refused"),
    [
        ("public", "public", None, False),
        ("public", "authenticated", None, False),
        ("authenticated", "authenticated", None, True),
        ("authenticated", "authenticated", "hush", False),
        ("disabled", "disabled", "hush", True),
    ],
)
def test_a_server_that_closed_its_timelines_is_told_from_a_quiet_tag(
    local: str, remote: str, token: str | None, refused: bool
) -> None:
    access = {"configuration": {"timelines_access": {"hashtag_feeds": {"local": local, "remote": remote}}}}

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=[] if "/timelines/" in request.url.path else access)

    collector, _ = asking({"token": token} if token else {}, answer)
    if refused:
        with pytest.raises(SourceRefused, match="closed"):
            collected(collector, Head())
    else:
        assert collected(collector, Head())[-1].coverage.complete


def test_a_tag_that_nobody_has_used_is_an_empty_timeline() -> None:
    collector, _ = asking({}, lambda request: httpx.Response(404, json={"error": "Record not found"}))
    assert collected(collector, Head())[-1].coverage.complete


def test_a_web_server_that_is_no_mastodon_is_named() -> None:
    collector, _ = asking({}, lambda request: httpx.Response(404, text="404 page not found"))
    with pytest.raises(SourceChanged):
        collected(collector, Head())


def test_a_server_that_ignores_max_id_does_not_hold_us() -> None:
    fake = FakeMastodon(Ticker())
    fake.post(45)
    same = [fake.status(item) for item in fake.listed[:40]]
    collector, sent = asking({}, same)
    with pytest.raises(SourceChanged, match="max_id"):
        collected(collector, Head())
    assert len(sent) == 2


def test_a_post_that_arrives_late_is_still_found() -> None:
    """Federation may bring a post hours after it was written: its id is new, its time is old."""
    fake = FakeMastodon(Ticker())
    fake.post(5)
    collector, _ = asking({}, fake.answer)
    collector_clock: Ticker = collector.clock  # type: ignore[attr-defined]
    cursor = collected(collector, Head())[-1].cursor
    fake.clock.advance(hours=5)
    collector_clock.advance(hours=5)
    (late,) = fake.post(1)
    fake.items[-1].at = START - timedelta(hours=3)
    newer = fake.post(2, minutes=1)
    assert ids(collected(collector, Head(), cursor)) >= {late, *newer}


def test_accounts_that_ask_not_to_be_indexed_are_left_out_unless_the_operator_says_otherwise() -> None:
    page = [status(account={"acct": "shy", "noindex": True}), status(id="1", uri="https://social.example/s/1")]
    answer = lambda request: httpx.Response(200, json=[] if "max_id" in request.url.params else page)  # noqa: E731
    assert ids(collected(asking({}, answer)[0], Head())) == {"https://social.example/s/1"}
    assert len(ids(collected(asking({"include_noindex": True}, answer)[0], Head()))) == 2


def test_the_fields_of_a_post() -> None:
    mention = only(
        status(
            content='<p>No water on <a href="https://social.example/tags/oak">#<span>Oak</span></a> St</p><p>Help?</p>',
            spoiler_text="Water &amp; mud",
            visibility="unlisted",
            language="es",
            edited_at="2026-03-02T16:00:00.500Z",
            media_attachments=[
                {"url": "https://cdn.example/1.jpg", "description": "A flooded\x07 street"},
                {"url": None},
            ],
            poll={"options": [{"title": "Yes"}, {"title": "No"}]},
        )
    )
    assert mention.text == "Water & mud\n\nNo water on #Oak St\n\nHelp?\n\n- Yes\n- No"
    assert mention.visibility is Visibility.UNLISTED
    assert mention.language == "es"
    assert mention.posted_at == START
    assert mention.edited_at == datetime(2026, 3, 2, 16, 0, 0, 500_000, tzinfo=UTC)
    assert mention.version == "2026-03-02T16:00:00.500000+00:00"
    assert mention.media == (Media(url="https://cdn.example/1.jpg", alt="A flooded street"),)
    assert mention.author == Person(id="https://social.example/users/wren", handle="wren")
    assert mention.kind is Kind.POST
    assert mention.url == "https://social.example/@wren/110000000000000000"


def test_a_repost_is_a_pointer_to_its_original() -> None:
    mention = only(status(uri="https://social.example/s/2/activity", content="", reblog=status()))
    assert (mention.repost_of, mention.text) == (status()["uri"], "")


@pytest.mark.parametrize("visibility", ["private", "direct", "limited", "new word"])
def test_what_not_everybody_may_read_is_not_read(visibility: str) -> None:
    assert parse([status(visibility=visibility)], START).mentions == ()


@pytest.mark.parametrize("field", ["id", "uri", "created_at", "visibility", "account", "content"])
@pytest.mark.parametrize("value", [None, 7, ["x"], {"x": 1}])
def test_a_field_that_is_missing_or_of_another_type_is_named(field: str, value: Any) -> None:
    broken = status(**{field: value})
    if isinstance(value, dict) and field == "account":
        field = "acct"
    with pytest.raises(SourceChanged, match=field):
        timeline("town", [broken], START)


def test_a_thread_within_a_page_is_joined() -> None:
    reply = status(id="2", uri="https://social.example/s/2", in_reply_to_id=status()["id"])
    first, second = parse({"ancestors": [status()], "descendants": [reply]}, START).mentions
    assert (first.parent, second.parent) == (None, first.external_id)


# https://docs.joinmastodon.org/methods/streaming/#events
def test_an_event_stream_is_read() -> None:
    lines = f":thump\n\nevent: update\ndata: {json.dumps(status())}\n\nevent: delete\ndata: 106\n\n"
    exchange = Exchange(headers={"content-type": "text/event-stream"}, body=lines.encode())
    assert [one.external_id for one in parse_exchange(exchange, START).mentions] == [status()["uri"]]


def test_the_answer_to_a_delete_is_a_deletion() -> None:
    taken = {name: value for name, value in status(text="as typed").items() if name != "content"}
    assert parse(taken, START).deletions == (Deletion(platform="mastodon", external_id=taken["uri"]),)


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"server": "social.example"}, "server"),
        ({"server": "ftp://social.example"}, "server"),
        ({"tags": ["maple harbor"]}, "tags"),
        ({"tags": []}, "tags"),
        ({"hashtags": ["x"]}, "hashtags"),
    ],
)
def test_settings_that_cannot_work_are_named(options: dict[str, Any], word: str) -> None:
    with pytest.raises(SettingsError, match=rf"sources\.town\.{word}"):
        asking(options, [])
