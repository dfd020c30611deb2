"""How each platform numbers what is said. The number holds the moment, so that a post can be found by it."""

import re
from datetime import UTC, datetime, timedelta

from sample import city
from sample.people import did

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SORTED = "234567abcdefghijklmnopqrstuvwxyz"  # the digits of a Bluesky record key, in order
_RKEY = re.compile(r"/app\.bsky\.feed\.post/([2-7a-z]{13})$")


def of(platform: str, at: datetime, count: int, handle: str) -> str:
    """The id of the count-th thing said on its day, by `handle`."""
    milliseconds = (at - _EPOCH) // timedelta(milliseconds=1)
    if platform == "mastodon":
        return str((milliseconds << 16) + count)
    if platform == "bluesky":
        return f"at://{did(handle)}/app.bsky.feed.post/{_tid(milliseconds * 1000, count % 1024)}"
    return f"{milliseconds}-{count}"


def moment(platform: str, ident: str) -> datetime | None:
    """When the thing of that id was said; None if no such id can be."""
    try:
        if platform == "mastodon":
            milliseconds = int(ident) >> 16
        elif platform == "bluesky":
            found = _RKEY.search(ident)
            milliseconds = _number(found[1]) // 1000 if found else -1
        else:
            milliseconds = int(ident.split("-")[0])
        return _EPOCH + timedelta(milliseconds=milliseconds) if milliseconds >= 0 else None
    except (ValueError, OverflowError):
        return None


def own_handle(platform: str) -> str:
    """The city's account there."""
    return city.BLUESKY_HANDLE if platform == "bluesky" else city.MASTODON_HANDLE


def _tid(microseconds: int, clock: int) -> str:
    number = (microseconds << 10) | clock
    digits = []
    for _ in range(13):
        number, digit = divmod(number, 32)
        digits.append(_SORTED[digit])
    return "".join(reversed(digits))


def _number(tid: str) -> int:
    """Microseconds in a record key."""
    number = 0
    for letter in tid:
        number = number * 32 + _SORTED.index(letter)
    return number >> 10
