"""Text on a page: what came from outside stays text, numbers and times read as people say them."""

import re
from datetime import datetime
from zoneinfo import ZoneInfo

_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~:$&^=\"'/@])")
_LINES = re.compile(r"\s+")


def escaped(text: str, longest: int = 200) -> str:
    r"""Text for a place that reads Markdown (a table cell, a label): one line, nothing in it is markup.

    >>> escaped("![x](https://evil.example/p.png)")
    '\\!\\[x\\]\\(https\\:\\/\\/evil\\.example\\/p\\.png\\)'
    """
    line = _LINES.sub(" ", text).strip()
    line = line if len(line) <= longest else line[: longest - 1] + "…"
    return _MARKDOWN.sub(r"\\\1", line)


def local(moment: datetime | None, zone: ZoneInfo) -> str:
    """A moment in the agency's time: "Mon 2 Mar 2026, 10:00"; "no time given" for None."""
    if moment is None:
        return "no time given"
    return f"{moment.astimezone(zone):%a} {moment.astimezone(zone).day} {moment.astimezone(zone):%b %Y, %H:%M}"


def ago(moment: datetime, now: datetime) -> str:
    """How long ago, in one unit: "3 hours ago"."""
    seconds = max((now - moment).total_seconds(), 0.0)
    for unit, length in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds >= length:
            n = int(seconds // length)
            return f"{n} {unit}{'s' if n > 1 else ''} ago"
    return "just now"


def percent(share: float) -> str:
    """0.174 as "17 %"."""
    return f"{round(100 * share)} %"


def topic(name: str) -> str:
    """A topic's name as people read it: "drainage_flooding_water_sewer" as "Drainage flooding water sewer"."""
    return name.replace("_", " ").capitalize() or "All topics"
