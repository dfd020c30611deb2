"""Why two texts look like one matter, in words a person can check."""

import re
from datetime import datetime
from math import asin, cos, radians, sin, sqrt

from core.mention import Point

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
#: Words that two texts share without being about the same.
_COMMON = frozenset(
    re.findall(
        r"\w+",
        """
        a an and are as at be been but by can do does for from get has have he her his i if in is it its just me my no
        not of on or our out please she so that the their them there they this to up was we were what when who why
        will with you your
        el la los las un una unos unas y o de del al a en por para con que se lo su sus mi es son está esta este hay
        ha han no si sí me nos ya muy más mas como pero
        """,
    )
)


def words(text: str) -> list[str]:
    """The words of a text, small letters, in order.

    >>> words("Main burst at 5th & Oak!")
    ['main', 'burst', 'at', '5th', 'oak']
    """
    return _WORD.findall(text.lower())


def shared_words(a: str, b: str, most: int = 8) -> list[str]:
    """Telling words that both texts hold, longest first, then by alphabet.

    >>> shared_words("The water main burst on Oak", "water everywhere, main burst")
    ['burst', 'water', 'main']
    """
    both = (set(words(a)) & set(words(b))) - _COMMON
    return sorted(both, key=lambda word: (-len(word), word))[:most]


def hours_apart(a: datetime, b: datetime) -> float:
    """Hours between two moments, never negative, one digit."""
    return round(abs((a - b).total_seconds()) / 3600, 1)


def metres_apart(a: Point | None, b: Point | None) -> float | None:
    """Metres between two points along the earth's surface; None if one is not known.

    >>> metres_apart(Point(latitude=0, longitude=0), Point(latitude=0, longitude=0.001))
    111.0
    """
    if a is None or b is None:
        return None
    north, east = radians(b.latitude - a.latitude), radians(b.longitude - a.longitude)
    half = sin(north / 2) ** 2 + cos(radians(a.latitude)) * cos(radians(b.latitude)) * sin(east / 2) ** 2
    return round(2 * 6_371_009 * asin(sqrt(min(1.0, half))), 0)
