"""What a reply may look like on each channel, and what is checked in our own words before a person posts them.

Pure. Today every reply is copied and posted by a person ("copy and open"); limits are told while they write.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

#: Finds personal data in a text: kind, such as "phone", to how often.
FindPersonal = Callable[[str], Mapping[str, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """What one platform takes.

    Attributes:
        limit: most signs of one reply as people count them; None: not known to us, nothing is checked.
        source: where the limit is written down.
    """

    limit: int | None
    source: str = ""


#: By platform. A server may set its own; what is not named here is not limited by us.
CHANNELS: Mapping[str, Channel] = {
    "mastodon": Channel(limit=500, source="https://docs.joinmastodon.org/user/posting/"),
    "bluesky": Channel(limit=300, source="https://github.com/bluesky-social/atproto app.bsky.feed.post"),
}
UNKNOWN = Channel(limit=None)


class Problem(StrEnum):
    """What is wrong with a reply."""

    EMPTY = "empty"
    TOO_LONG = "too_long"
    PERSONAL_DATA = "personal_data"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that must be changed before the reply is posted, said so that a person can change it."""

    problem: Problem
    say: str


def check(text: str, platform: str, find_personal: FindPersonal, *, public: bool = True) -> list[Finding]:
    """What is wrong with our reply; nothing if the list is empty."""
    if not text.strip():
        return [Finding(problem=Problem.EMPTY, say="The reply has no words yet.")]
    found = []
    limit = CHANNELS.get(platform, UNKNOWN).limit
    if limit is not None and (length := signs(text)) > limit:
        say = f"The reply has {length} characters, {length - limit} more than {platform} takes."
        found.append(Finding(problem=Problem.TOO_LONG, say=say))
    personal = find_personal(text) if public else {}
    if personal:
        say = (
            f"Everybody could read personal data here: {', '.join(sorted(personal))}. Take it out, or answer privately."
        )
        found.append(Finding(problem=Problem.PERSONAL_DATA, say=say))
    return found


def signs(text: str) -> int:
    """Characters as people count them: marks, joiners and what they join are one.

    >>> signs("más"), signs("👩‍🚒"), signs("🇺🇸")
    (3, 1, 1)
    """
    return len(_CLUSTER.findall(unicodedata.normalize("NFC", text)))


#: Accents, vowel signs, variation selectors, skin tones and tags: they add to the sign before them.
_EXTENDS = (
    r"[\u0300-\u036f\u0483-\u0489\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u093a-\u094f\u20d0-\u20ff\ufe00-\ufe0f"
    r"\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]*"
)
_CLUSTER = re.compile(rf"[\U0001f1e6-\U0001f1ff]{{2}}|(?:.{_EXTENDS}\u200d)*.{_EXTENDS}", re.DOTALL)
