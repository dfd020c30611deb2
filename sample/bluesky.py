"""The sample server as a Bluesky account's server: log-in, search, posts by address.

Lexicons: com.atproto.server.createSession, refreshSession; app.bsky.feed.searchPosts, getPosts.
"""

import hashlib
import json
import re
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from sample import city
from sample.mentions import Said
from sample.people import did
from sample.site import Answer, Request, Site, answer_json, stamp

PLATFORM = "bluesky"
LIMIT = 3000
LOGINS = 30
MOST = 100
MOST_URIS = 25
_TERM = re.compile(r'"([^"]*)"|(\S+)')


def xrpc(site: Site, request: Request) -> Answer:
    """/xrpc/<method>."""
    method = request.path.removeprefix("/xrpc/")
    limit = LOGINS if method.endswith("createSession") else site.faults.limit or LIMIT
    name = "bluesky log-in" if method.endswith("createSession") else PLATFORM
    left, reset = site.limits.take(name, limit)
    headers = {
        "ratelimit-limit": str(limit),
        "ratelimit-remaining": str(max(left, 0)),
        "ratelimit-reset": str(int(reset.timestamp())),
        "ratelimit-policy": f"{limit};w=300",
    }
    if left < 0:
        wait = max(int((reset - site.clock()).total_seconds()), 1)
        return _error(429, "RateLimitExceeded", "Rate Limit Exceeded", {**headers, "retry-after": str(wait)})
    answer = _answered(site, request, method)
    return Answer(status=answer.status, body=answer.body, headers={**answer.headers, **headers})


def _answered(site: Site, request: Request, method: str) -> Answer:
    if method == "com.atproto.server.createSession":
        return _log_in(site, request)
    token = request.headers.get("authorization", "").removeprefix("Bearer ")
    if not token:
        return _error(401, "AuthMissing", "Authentication Required")
    if token not in site.sessions:
        return _error(400, "InvalidToken", "Token could not be verified")
    if method == "com.atproto.server.refreshSession":
        if not token.startswith("refresh-"):
            return _error(400, "InvalidToken", "Invalid token type")
        site.sessions.discard(token)
        return _session(site)
    if method == "app.bsky.feed.searchPosts":
        return _search(site, request)
    if method == "app.bsky.feed.getPosts":
        return _posts(site, request)
    return _error(501, "MethodNotImplemented", "Method Not Implemented")


def _log_in(site: Site, request: Request) -> Answer:
    try:
        asked = json.loads(request.body)
        known = asked["identifier"] == city.USERNAME and asked["password"] == city.PASSWORD
    except (ValueError, TypeError, KeyError, RecursionError):
        return _error(400, "InvalidRequest", "Input must have the property identifier")
    return _session(site) if known else _error(401, "AuthenticationRequired", "Invalid identifier or password")


def _session(site: Site) -> Answer:
    number = len(site.sessions)
    access, refresh = f"access-{number}-{site.clock().timestamp()}", f"refresh-{number}-{site.clock().timestamp()}"
    site.sessions.update((access, refresh))
    about = {"did": did(city.USERNAME), "handle": city.USERNAME, "active": True}
    return answer_json({"accessJwt": access, "refreshJwt": refresh, **about})


def _search(site: Site, request: Request) -> Answer:
    query = request.first("q")
    if query is None:
        return _error(400, "InvalidRequest", 'Invalid app.bsky.feed.searchPosts params: Missing required key "q"')
    try:
        since, until = _moment(request.first("since")), _moment(request.first("until"))
        below = _cursor(request.first("cursor"))
    except ValueError:
        return _error(400, "InvalidRequest", "Invalid app.bsky.feed.searchPosts params: since, until or cursor")
    found = [
        said
        for said in site.world.newest(PLATFORM, site.clock(), since)
        if (until is None or said.at < until) and matches(query, said)
    ]
    shown = [said for said in found if said.id not in site.withheld and (below is None or _place(said) < below)]
    limit = request.number("limit", 25, MOST)
    page = shown[:limit]
    answer = {"posts": [post(site, said) for said in page], "hitsTotal": len(found)}
    if len(shown) > limit:
        milliseconds, tail = _place(page[-1])
        answer["cursor"] = f"{milliseconds}__{tail}"
    return answer_json(answer)


def _moment(value: str | None) -> datetime | None:
    if value is None:
        return None
    moment = datetime.fromisoformat(value.replace("Z", "+00:00"))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _place(said: Said) -> tuple[int, str]:
    return int(said.at.timestamp() * 1000), said.id.rsplit("/", 1)[1]


def _cursor(value: str | None) -> tuple[int, str] | None:
    if value is None:
        return None
    milliseconds, _, tail = value.partition("__")
    return int(milliseconds), tail


def matches(query: str, said: Said) -> bool:
    """Whether a search finds a post: all its words and "phrases" are in it. #MapleHarbor is "maple harbor" too."""
    text = said.text.casefold()
    words, joined = set(re.findall(r"\w+", text)), re.sub(r"\W", "", text)
    for phrase, word in _TERM.findall(query.casefold()):
        if word.startswith("lang:"):
            found = said.language == word[5:]
        elif phrase:
            found = phrase in text or re.sub(r"\W", "", phrase) in joined
        else:
            found = word in text if word[0] in "#@" else word in words
        if not found:
            return False
    return True


def _posts(site: Site, request: Request) -> Answer:
    uris = request.query.get("uris", [])
    if not 1 <= len(uris) <= MOST_URIS:
        return _error(400, "InvalidRequest", "Invalid app.bsky.feed.getPosts params: uris")
    found = (site.world.find(PLATFORM, uri, site.clock()) for uri in islice(uris, MOST_URIS))
    return answer_json({"posts": [post(site, said) for said in found if said]})


def cid(said: Said) -> str:
    """The version of a post: it changes with its text."""
    digest = hashlib.sha256(f"{said.id} {said.text}".encode()).hexdigest()
    return f"bafyrei{digest[:52].translate(str.maketrans('0189', 'wxyz'))}"


def post(site: Site, said: Said) -> dict[str, Any]:
    """A post view."""
    record: dict[str, Any] = {
        "$type": "app.bsky.feed.post",
        "text": said.text,
        "langs": [said.language],
        "createdAt": stamp(said.at),
    }
    if said.parent and said.root:
        record["reply"] = {"root": {"uri": said.root, "cid": ""}, "parent": {"uri": said.parent, "cid": ""}}
    if said.quote_of:
        record["embed"] = {"$type": "app.bsky.embed.record", "record": {"uri": said.quote_of, "cid": ""}}
    view: dict[str, Any] = {
        "uri": said.id,
        "cid": cid(said),
        "author": {"did": did(said.author), "handle": said.author, "displayName": said.name, "labels": []},
        "record": record,
        "indexedAt": stamp(said.at),
        "labels": [],
    }
    original = site.world.find(PLATFORM, said.quote_of, site.clock()) if said.quote_of else None
    if original:
        quoted = {"$type": "app.bsky.embed.record#viewRecord", "uri": original.id, "value": {"text": original.text}}
        view["embed"] = {"$type": "app.bsky.embed.record#view", "record": quoted}
    return view


def _error(status: int, name: str, message: str, headers: dict[str, str] | None = None) -> Answer:
    return answer_json({"error": name, "message": message}, status, headers)
