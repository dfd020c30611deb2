"""The sample server as a Mastodon server: tag timelines, single posts, edits, deletions, limits.

Shapes: https://docs.joinmastodon.org/entities/Status/ . Unlike most servers it lists boosts in tag timelines, so that
a newcomer sees how a repost becomes a counter on its original.
"""

import html
import re
from datetime import UTC
from itertools import islice
from typing import Any
from urllib.parse import unquote

from sample import city
from sample.mentions import Said
from sample.site import Answer, Request, Site, answer_json, stamp

PLATFORM = "mastodon"
LIMIT = 300
MOST = 40


def timeline(site: Site, request: Request) -> Answer:
    """GET /api/v1/timelines/tag/:tag."""
    if refused := _refused(site, request):
        return refused
    tags = {unquote(request.path.rsplit("/", 1)[1]).lower(), *(tag.lower() for tag in request.query.get("any[]", ()))}
    wanted = (said for said in site.world.newest(PLATFORM, site.clock()) if tags & _tags(said.text))
    page = _page(request, wanted)
    headers = _links(site, request, page) if page else {}
    return answer_json([post(site, said) for said in page], headers={**headers, **_limit_headers(site)})


def _page(request: Request, wanted: Any) -> list[Said]:
    """The page between the ids asked for; min_id asks for the ones just above it, since_id for the newest."""
    limit = request.number("limit", 20, MOST)
    top, bottom, just_above = (_id(request, name) for name in ("max_id", "since_id", "min_id"))
    floor = just_above if just_above is not None else bottom
    found = []
    for said in wanted:
        if floor is not None and int(said.id) <= floor:
            break
        if top is None or int(said.id) < top:
            found.append(said)
        if just_above is None and len(found) == limit:
            break
    return found[-limit:]


def _id(request: Request, name: str) -> int | None:
    value = request.first(name) or ""
    return int(value) if value.isascii() and value.isdecimal() and len(value) < 25 else None


def _links(site: Site, request: Request, page: list[Said]) -> dict[str, str]:
    here, limit = f"{site.base}{request.path}", request.number("limit", 20, MOST)
    older = f'<{here}?limit={limit}&max_id={page[-1].id}>; rel="next"'
    return {"link": f'{older}, <{here}?limit={limit}&min_id={page[0].id}>; rel="prev"'}


def status(site: Site, request: Request) -> Answer:
    """GET /api/v1/statuses/:id, and /api/v1/statuses?id[]= for several."""
    if refused := _refused(site, request):
        return refused
    now, headers = site.clock(), _limit_headers(site)
    if request.path == "/api/v1/statuses":
        found = (site.world.find(PLATFORM, ident, now) for ident in islice(request.query.get("id[]", ()), MOST))
        return answer_json([post(site, said) for said in found if said], headers=headers)
    said = site.world.find(PLATFORM, request.path.removeprefix("/api/v1/statuses/"), now)
    if said is None:
        return answer_json({"error": "Record not found"}, 404, headers)
    return answer_json(post(site, said), headers=headers)


def instance(site: Site, request: Request) -> Answer:
    """GET /api/v2/instance."""
    access = {"hashtag_feeds": {"local": "public", "remote": "public"}}
    about = {"domain": "mapleharbor.example", "title": city.NAME, "version": "4.5.0", "description": city.NOTICE}
    return answer_json({**about, "configuration": {"timelines_access": access}})


def _refused(site: Site, request: Request) -> Answer | None:
    """401 for a wrong token, 429 beyond the limit."""
    token = request.headers.get("authorization")
    if token is not None and token != f"Bearer {city.TOKEN}":
        return answer_json({"error": "The access token is invalid"}, 401)
    left, _ = site.limits.take(PLATFORM, site.faults.limit or LIMIT)
    return answer_json({"error": "Too many requests"}, 429, _limit_headers(site)) if left < 0 else None


def _limit_headers(site: Site) -> dict[str, str]:
    left, reset = site.limits.left(PLATFORM, site.faults.limit or LIMIT)
    return {
        "x-ratelimit-limit": str(site.faults.limit or LIMIT),
        "x-ratelimit-remaining": str(max(left, 0)),
        "x-ratelimit-reset": reset.astimezone(UTC).isoformat().replace("+00:00", "Z"),
    }


def account_uri(base: str, handle: str) -> str:
    """The permanent address of an account, wherever it lives: all of them live on this server."""
    name, _, host = handle.partition("@")
    return f"{base}/{host}/users/{name}" if host else f"{base}/users/{name}"


def uri(base: str, handle: str, ident: str) -> str:
    """The permanent address of a post."""
    return f"{account_uri(base, handle)}/statuses/{ident}"


def post(site: Site, said: Said) -> dict[str, Any]:
    """A post as the API writes it."""
    now = site.clock()
    parent = site.world.find(PLATFORM, said.parent, now) if said.parent else None
    original = site.world.find(PLATFORM, said.repost_of, now) if said.repost_of else None
    return {
        "id": said.id,
        "created_at": stamp(said.at),
        "edited_at": stamp(said.edited_at) if said.edited_at else None,
        "in_reply_to_id": parent.id if parent else None,
        "in_reply_to_account_id": parent.author if parent else None,
        "sensitive": False,
        "spoiler_text": "",
        "visibility": "public",
        "language": said.language,
        "uri": uri(site.base, said.author, said.id),
        "url": f"{site.base}/@{said.author}/{said.id}",
        "content": "" if said.repost_of else content(site.base, said.text),
        "reblog": post(site, original) if original else None,
        "account": _account(site.base, said),
        "media_attachments": [],
        "mentions": [],
        "tags": [{"name": tag, "url": f"{site.base}/tags/{tag}"} for tag in sorted(_tags(said.text))],
        "emojis": [],
        "quote": None,
        "card": None,
        "poll": None,
    }


def _account(base: str, said: Said) -> dict[str, Any]:
    return {
        "id": said.author,
        "username": said.author.partition("@")[0],
        "acct": said.author,
        "display_name": said.name,
        "bot": False,
        "noindex": False,
        "note": f"<p>{html.escape(city.NOTICE)}</p>",
        "url": f"{base}/@{said.author}",
        "uri": account_uri(base, said.author),
    }


def content(base: str, text: str) -> str:
    """The text as HTML: paragraphs, lines, hashtags and accounts linked."""
    safe = html.escape(text, quote=False)
    tagged = re.sub(
        r"(?<![\w/&])#(\w+)",
        lambda m: f'<a href="{base}/tags/{m[1].lower()}" class="mention hashtag" rel="tag">#<span>{m[1]}</span></a>',
        safe,
    )
    linked = re.sub(
        rf"@({city.MASTODON_HANDLE})\b",
        rf'<span class="h-card"><a href="{base}/@\1" class="u-url mention">@<span>\1</span></a></span>',
        tagged,
    )
    return "".join(f"<p>{part.replace(chr(10), '<br />')}</p>" for part in linked.split("\n\n"))


def _tags(text: str) -> set[str]:
    return {tag.lower() for tag in re.findall(r"#(\w+)", text)}
