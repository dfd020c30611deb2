"""The people of Maple Harbor: handles, home servers, habits of writing. None of them exists."""

import base64
import hashlib
import random
from dataclasses import dataclass
from functools import cache

from sample.grammar import words

PEOPLE = 3_000  # on each platform
SERVERS = ("tides.example", "lanternhill.example", "smallboats.example", "harborfolk.example")


@dataclass(frozen=True, slots=True, kw_only=True)
class Resident:
    """One invented writer.

    Attributes:
        handle: as the platform names it.
        name: what stands above a review.
        spanish: writes Spanish most of the time; `bilingual` mixes.
        lower, bare, loud, smiles, sloppy, slangy, tags: habits, each a chance 0..1.
    """

    handle: str
    name: str
    spanish: bool
    bilingual: bool
    lower: float
    bare: float
    loud: float
    smiles: float
    sloppy: float
    slangy: float
    tags: float


@cache
def resident(platform: str, number: int) -> Resident:
    """The number-th writer of a platform, always the same."""
    rng = random.Random(f"{platform} {number}")
    spanish = rng.random() < 0.23
    first, given = rng.choice(words("spanish" if spanish else "first")), rng.choice(words("given"))
    second = rng.choice(words("spanish" if spanish else "second"))
    stem = f"{first}{rng.choice(('_', '', '_'))}{second}{number}"
    shy = rng.random()
    return Resident(
        handle=_handle(platform, stem, rng),
        name=f"{given} {rng.choice('ABCDEFGHJKLMNOPRSTVWZ')}.",
        spanish=spanish,
        bilingual=rng.random() < (0.35 if spanish else 0.04),
        lower=rng.choice((0.0, 0.0, 0.1, 0.9)),
        bare=rng.choice((0.0, 0.1, 0.6)),
        loud=rng.choice((0.0, 0.0, 0.05, 0.35)),
        smiles=rng.choice((0.0, 0.1, 0.3, 0.8)),
        sloppy=rng.choice((0.0, 0.05, 0.15, 0.5)),
        slangy=rng.choice((0.0, 0.1, 0.5)),
        tags=0.15 if shy < 0.6 else 0.7,
    )


def pick(platform: str, rng: random.Random) -> Resident:
    """Someone who writes now: a few write often, most hardly ever."""
    return resident(platform, int(PEOPLE * rng.random() ** 2.4))


def _handle(platform: str, stem: str, rng: random.Random) -> str:
    if platform == "mastodon":
        return stem if rng.random() < 0.3 else f"{stem}@{rng.choice(SERVERS)}"
    if platform == "bluesky":
        return f"{stem.replace('_', '-')}.example"
    return stem


def did(handle: str) -> str:
    """The permanent id that an invented network gave that handle."""
    digest = hashlib.sha256(handle.encode()).digest()
    return "did:plc:" + base64.b32encode(digest)[:24].decode().lower()
