"""What the city said before the newcomer came, as one import: the same mentions that the collectors would have made.

Ids and versions are those that the sources give, so that what is fetched again later is known.
"""

import hashlib
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import islice

from core.batch import Batch, Coverage
from core.mention import Kind, Mention, Person
from sample import bluesky, city, feeds, mastodon, reviews
from sample.mentions import Said
from sample.people import did
from sample.world import World

BASE = f"http://127.0.0.1:{city.PORT}"
NEWEST = timedelta(days=2)  # younger things are fetched over HTTP
SIZE = 500


def batches(
    world: World, now: datetime, *, base: str = BASE, newest: timedelta = NEWEST, size: int = SIZE
) -> Iterator[Batch]:
    """Everything older than `newest`, newest first, in batches of at most `size` mentions.

    Args:
        world: the city.
        now: until when edits and deletions have happened.
        base: address of the sample server, which ids hold.
        newest: what is left to the collectors.
        size: most mentions of a batch.
    """
    until = world.story.anchor - newest
    old = (said for said in world.newest(None, now) if said.at < until)
    while part := list(islice(old, size)):
        found = tuple(mention(said, world, now, base) for said in part if not excluded(said))
        yield Batch(mentions=found, coverage=Coverage(since=part[-1].at, until=until, complete=True, missed=0))
        until = part[-1].at


def excluded(said: Said) -> bool:
    """Whether the sample's query leaves it out (city.settings)."""
    return city.EXCLUDED.casefold() in said.text.casefold()


def mention(said: Said, world: World, now: datetime, base: str) -> Mention:
    """As the platform's collector reads it."""
    return _MAKERS[said.platform](said, world, now, base)


def _mastodon(said: Said, world: World, now: datetime, base: str) -> Mention:
    parent = world.find("mastodon", said.parent, now) if said.parent else None
    original = world.find("mastodon", said.repost_of, now) if said.repost_of else None
    return Mention(
        platform="mastodon",
        external_id=mastodon.uri(base, said.author, said.id),
        version=(said.edited_at or said.at).isoformat(),
        kind=Kind.REPLY if parent else Kind.POST,
        text="" if original else said.text,
        posted_at=said.at,
        edited_at=said.edited_at,
        seen_at=now,
        url=f"{base}/@{said.author}/{said.id}",
        parent=mastodon.uri(base, parent.author, parent.id) if parent else None,
        author=Person(id=mastodon.account_uri(base, said.author), handle=said.author),
        own=said.own,
        repost_of=mastodon.uri(base, original.author, original.id) if original else None,
        language=said.language,
    )


def _bluesky(said: Said, world: World, now: datetime, base: str) -> Mention:
    person = did(said.author)
    return Mention(
        platform="bluesky",
        external_id=said.id,
        version=bluesky.cid(said),
        kind=Kind.REPLY if said.parent else Kind.POST,
        text=said.text,
        posted_at=said.at,
        seen_at=now,
        url=f"https://bsky.app/profile/{person}/post/{said.id.rsplit('/', 1)[1]}",
        parent=said.parent,
        root=said.root,
        author=Person(id=person, handle=said.author),
        own=said.own,
        language=said.language,
    )


def _feed(said: Said, world: World, now: datetime, base: str) -> Mention:
    text = f"{said.title}\n\n{said.text}"
    return Mention(
        platform="web",
        external_id=feeds.address(base, said),
        version=hashlib.sha256(text.encode()).hexdigest()[:16],
        kind=Kind.ARTICLE,
        text=text,
        posted_at=said.at,
        seen_at=now,
        url=feeds.address(base, said),
        author=Person(id=said.author, handle=said.author),
        language="en",
    )


def _review(said: Said, world: World, now: datetime, base: str) -> Mention:
    text = f"{said.title}\n\n{said.text}" if said.title else said.text
    stars = float(said.stars) if said.stars else None
    return Mention(
        platform="reviews",
        external_id=reviews.address(base, said),
        version=hashlib.sha256(f"{stars} {text}".encode()).hexdigest()[:16],
        kind=Kind.REVIEW,
        text=text,
        posted_at=said.at,
        edited_at=said.edited_at,
        seen_at=now,
        url=reviews.address(base, said),
        author=Person(id=said.author, handle=said.author),
        stars=stars,
        language=said.language,
    )


_MAKERS: dict[str, Callable[[Said, World, datetime, str], Mention]] = {
    "mastodon": _mastodon,
    "bluesky": _bluesky,
    "feed": _feed,
    "reviews": _review,
}
