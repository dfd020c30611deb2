"""Mastodon's answers: https://docs.joinmastodon.org/entities/Status/ and what else its API sends. Pure.

A post is known by its `uri`, which is the same on every server; `id` is the answering server's own.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from collectors.pages import Page, Unreadable, needed, optional, readable
from collectors.recordings import Exchange
from collectors.text import aware, plain_text, tidy
from core.errors import SourceChanged
from core.mention import Deletion, Kind, Media, Mention, Person, Visibility
from net.fetch import json_of
from net.limits import problem

PLATFORM = "mastodon"
_SHOWN = {"public": Visibility.PUBLIC, "unlisted": Visibility.UNLISTED}
_GONE = frozenset({404, 410})
_STATUS = frozenset({"uri", "content", "visibility", "reblog"})
# What else the API answers with, told by a field or two of its own: none of it is a post.
_OTHERS = (
    {"acct"},  # account
    {"domain", "title"},  # instance, v2
    {"uri", "title", "version"},  # instance, v1
    {"votes_count"},  # poll
    {"name", "history"},  # trending tag
    {"following", "muting"},  # relationship
    {"id", "following"},
    {"text", "spoiler_text"},  # source of a post
    {"content", "spoiler_text", "created_at"},  # one version of a post's history
    {"preview_url"},  # media
    {"access_token"},
    {"client_id"},
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """A post and what only its server understands: its id there, and the id of the post that it answers."""

    id: str
    mention: Mention
    answers: str | None = None
    noindex: bool = False


def timeline(source: str, data: Any, now: datetime) -> tuple[list[Status], tuple[tuple[str, str], ...], list[str]]:
    """A page of a timeline: its posts, what could not be read, and the ids of all that was listed.

    Raises:
        SourceChanged: it is not a list, or nothing in it can be read.
    """
    if not isinstance(data, list):
        raise SourceChanged(source, f"a timeline is a list, not {type(data).__name__}")
    statuses, rejected, ids = [], [], []
    for item in data:
        ident = item.get("id") if isinstance(item, dict) else None
        ids.append(ident if isinstance(ident, str) else "")
        try:
            if not isinstance(item, dict):
                raise Unreadable(f"a post is {type(item).__name__}, not an object")
            if status := status_of(item, now):
                statuses.append(status)
        except Unreadable as error:
            rejected.append((ids[-1], str(error)))
    if data and (len(rejected) == len(data) or not ids[-1]):
        why = rejected[-1][1] if rejected else "the last one has no id"
        raise SourceChanged(source, f"no post can be read any more: {why}")
    return statuses, tuple(rejected), ids


def parse(data: Any, now: datetime) -> Page:
    """Whatever the API answered: the posts in it, and the one that a DELETE took away.

    Raises:
        SourceChanged: it is nothing that this API answers, or no post in it can be read.
    """
    found: list[Status] = []
    deleted: list[Deletion] = []
    rejected: list[tuple[str, str]] = []
    for item in _items(data):
        try:
            if "content" not in item and "text" in item:  # the answer to DELETE holds the text as it was typed
                deleted.append(Deletion(platform=PLATFORM, external_id=needed(item, "uri", str)))
            elif status := status_of(item, now):
                found.append(status)
        except Unreadable as error:
            rejected.append((str(item.get("uri") or item.get("id") or ""), str(error)))
    uris = {status.id: status.mention.external_id for status in found}
    mentions = tuple(replace(one.mention, parent=uris.get(one.answers or "")) for one in found)
    page = Page(mentions=mentions, deletions=tuple(deleted), rejected=tuple(rejected), listed=len(found))
    return readable(PLATFORM, page, "post")


def _items(data: Any) -> list[Mapping[str, Any]]:
    """The posts, as they came, in a list, notification, search, context or single answer."""
    if isinstance(data, list):
        return [item for one in data for item in _items(one)]
    if not isinstance(data, dict):
        raise SourceChanged(PLATFORM, f"an answer holds objects, not {type(data).__name__}")
    if len(_STATUS & data.keys()) >= 2:
        return [data]
    if "type" in data and "created_at" in data:  # a notification, perhaps about a post
        return _items(data["status"]) if data.get("status") else []
    lists = [name for name in ("statuses", "ancestors", "descendants") if isinstance(data.get(name), list)]
    if lists:
        return [item for name in lists for item in _items(data[name])]
    if any(marks <= data.keys() for marks in _OTHERS):
        return []
    raise SourceChanged(PLATFORM, f"an answer with {', '.join(sorted(map(str, data))[:5]) or 'nothing'} is not known")


def status_of(item: Mapping[str, Any], now: datetime) -> Status | None:
    """One post; None if not everybody may read it.

    Raises:
        Unreadable: a field we need is missing or of another type.
    """
    visibility = _SHOWN.get(needed(item, "visibility", str))
    if visibility is None:
        return None
    account = needed(item, "account", dict)
    posted_at = aware(needed(item, "created_at", str))
    if posted_at is None:
        raise Unreadable("created_at is not a time")
    uri = needed(item, "uri", str)
    if not uri:
        raise Unreadable("uri is empty")
    edited_at = aware(optional(item, "edited_at", str))
    reblog = optional(item, "reblog", dict)
    answers = optional(item, "in_reply_to_id", str)
    handle = needed(account, "acct", str)
    mention = Mention(
        platform=PLATFORM,
        external_id=tidy(uri),
        version=(edited_at or posted_at).isoformat(),
        kind=Kind.REPLY if answers else Kind.POST,
        visibility=visibility,
        text="" if reblog else _text(item),
        posted_at=posted_at,
        edited_at=edited_at,
        seen_at=now,
        url=optional(item, "url", str, ""),
        author=Person(id=optional(account, "uri", str) or optional(account, "url", str) or handle, handle=handle),
        repost_of=needed(reblog, "uri", str) if reblog else None,
        language=optional(item, "language", str) or None,
        media=_media(optional(item, "media_attachments", list, [])),
    )
    return Status(id=needed(item, "id", str), mention=mention, answers=answers, noindex=account.get("noindex") is True)


def _text(item: Mapping[str, Any]) -> str:
    """The content warning, a blank line, the words; answers of a poll on lines of their own."""
    poll = optional(item, "poll", dict, {})
    choices = [one.get("title") for one in optional(poll, "options", list, []) if isinstance(one, dict)]
    parts = [
        plain_text(optional(item, "spoiler_text", str, "")),
        plain_text(needed(item, "content", str)),
        "\n".join(f"- {tidy(choice)}" for choice in choices if isinstance(choice, str)),
    ]
    return "\n\n".join(part for part in parts if part)


def _media(items: list[Any]) -> tuple[Media, ...]:
    found = [item for item in items if isinstance(item, dict)]
    addresses = [optional(item, "url", str) or optional(item, "remote_url", str, "") for item in found]
    alts = [tidy(optional(item, "description", str, "")) for item in found]
    return tuple(Media(url=url, alt=alt) for url, alt in zip(addresses, alts, strict=True) if url)


def parse_exchange(exchange: Exchange, now: datetime) -> Page:
    """One recorded answer: a body, an event stream, or a status that says a post is gone."""
    if exchange.status in _GONE and re.search(r"/api/v1/statuses/[^/]+/?$", exchange.path):
        return gone(PLATFORM, exchange.url.split("?")[0], exchange.body)
    if error := problem(PLATFORM, exchange.status, exchange.headers, exchange.body, now):
        raise error
    if "event-stream" in exchange.headers.get("content-type", ""):
        return parse_events(exchange.body, now)
    return parse(json_of(PLATFORM, exchange.body), now)


def parse_events(body: bytes, now: datetime) -> Page:
    """An event stream: https://docs.joinmastodon.org/methods/streaming/ (a deletion there names a local id alone)."""
    mentions: dict[str, Mention] = {}
    for block in re.split(r"\n\s*\n", body.decode("utf-8", "replace").replace("\r\n", "\n")):
        fields = dict(re.findall(r"^(event|data): ?(.*)$", block, re.MULTILINE))
        if fields.get("event") in ("update", "status.update", "notification"):
            page = parse(json_of(PLATFORM, fields.get("data", "").encode()), now)
            mentions.update((one.external_id, one) for one in page.mentions)
    return Page(mentions=tuple(mentions.values()), listed=len(mentions))


def gone(source: str, uri: str, body: bytes) -> Page:
    """What a 404 or 410 of the API says about the post that was asked for."""
    error_words(source, body)
    return Page(deletions=(Deletion(platform=PLATFORM, external_id=uri),))


def error_words(source: str, body: bytes) -> str:
    """What the server's own error says.

    Raises:
        SourceChanged: this is not an error of this API: another web server answers here.
    """
    answer = json_of(source, body)
    if not isinstance(answer, dict) or not isinstance(answer.get("error"), str):
        raise SourceChanged(source, "no Mastodon server answers at this address: check server")
    return str(answer["error"])
