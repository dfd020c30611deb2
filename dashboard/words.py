"""Text on a page: what came from outside stays text, numbers and times read as people say them. Pure."""

import re
from datetime import datetime, timedelta
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from crm.cases import plain, web_address

_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~$&^=\"'/])")
_LINES = re.compile(r"\s+")
#: Signs that Streamlit reads as an icon, a colour or an address even where a backslash stands before them.
_LIVE = re.compile(r"([:@])|(?<=www)(?=\.)", re.IGNORECASE)
#: Takes no room, is never broken at, and no icon name or address goes across it.
JOINER = "\u2060"

TOPIC_NAMES = {
    "air_health_hazard": "Air and health hazards",
    "animals_pests": "Animals and pests",
    "building_code_property": "Buildings and property",
    "drainage_flooding_water_sewer": "Water, sewers and flooding",
    "electricity": "Electricity",
    "graffiti_posters": "Graffiti and posters",
    "homelessness": "Homelessness",
    "noise": "Noise",
    "other": "Other",
    "parking_vehicles": "Parking and vehicles",
    "parks_recreation": "Parks and recreation",
    "police_safety": "Police and safety",
    "praise": "Praise",
    "roads_potholes": "Roads and potholes",
    "sidewalks_curbs": "Sidewalks and curbs",
    "snow_ice": "Snow and ice",
    "streetlights": "Streetlights",
    "traffic_signs_signals": "Traffic signs and signals",
    "transit_taxi": "Buses, trains and taxis",
    "trash_dumping_cleaning": "Trash and cleaning",
    "trees_vegetation": "Trees and plants",
}
LABELS = {
    "negative": "negative",
    "neutral": "neutral",
    "positive": "positive",
    "unread": "not read: the model is unsure",
}


def text(said: str) -> str:
    r"""What somebody wrote, for st.text: signs that steer a screen or turn the writing round are taken out.

    >>> text("Refund \u202egnp.exe")
    'Refund gnp.exe'
    """
    return plain(said)


def escaped(said: str, longest: int = 200) -> str:
    r"""Text for a place that reads Markdown (a table cell, a label): one line, nothing in it is markup.

    >>> escaped("![x](y)")
    '\\!\\[x\\]\\(y\\)'
    """
    line = _LINES.sub(" ", plain(said).replace(JOINER, "")).strip()
    line = line if len(line) <= longest else line[: longest - 1] + "…"
    return _LIVE.sub(lambda m: (f"\\{m[1]}" if m[1] else "") + JOINER, _MARKDOWN.sub(r"\\\1", line))


def shortened(said: str, longest: int) -> tuple[str, bool]:
    """The beginning of a text, and whether it was cut."""
    shown = text(said)
    return (shown, False) if len(shown) <= longest else (shown[:longest].rstrip() + " …", True)


def address(url: str) -> tuple[str, str] | None:
    """A web address and its host; None for anything else."""
    checked = web_address(url)
    try:
        host = urlsplit(checked).hostname if checked else None
    except ValueError:
        return None
    return (checked, host) if host else None


def local(moment: datetime | None, zone: ZoneInfo) -> str:
    """A moment in the agency's time: "Mon 2 Mar 2026, 10:00"; "no time given" for None."""
    if moment is None:
        return "no time given"
    here = moment.astimezone(zone)
    return f"{here:%a} {here.day} {here:%b %Y, %H:%M}"


def span(length: timedelta) -> str:
    """A length of time in one unit: "3 hours"; "less than a minute"."""
    seconds = abs(length.total_seconds())
    for unit, size in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds >= size:
            n = int(seconds // size)
            return f"{n:,} {unit}{'s' if n > 1 else ''}"
    return "less than a minute"


def ago(moment: datetime, now: datetime) -> str:
    """How long ago, in one unit: "3 hours ago"."""
    return "just now" if now - moment < timedelta(minutes=1) else f"{span(now - moment)} ago"


def due(due_at: datetime | None, now: datetime, zone: ZoneInfo) -> str:
    """How the clock stands: "answer due in 3 hours (Mon 2 Mar 2026, 10:00)"."""
    if due_at is None:
        return "no clock runs for it"
    if due_at < now:
        return f"ANSWER OVERDUE by {span(now - due_at)} (it was due {local(due_at, zone)})"
    return f"answer due in {span(due_at - now)} ({local(due_at, zone)})"


def percent(share: float) -> str:
    """0.174 as "17%"; what is not quite nothing or not quite all is not called so."""
    whole = round(100 * share)
    if whole == 0 and share > 0:
        return "under 1%"
    return "over 99%" if whole == 100 and share < 1 else f"{whole}%"


def count(n: int, thing: str, things: str = "") -> str:
    """A number with its thing: "1 mention", "1,204 mentions"."""
    return f"{n:,} {thing if n == 1 else things or thing + 's'}"


def topic(name: str) -> str:
    """A topic's name as people read it."""
    return TOPIC_NAMES.get(name) or name.replace("_", " ").capitalize() or "All topics"


def chance(probability: float) -> str:
    """A probability in words with its number: "possible (35%)"."""
    steps = ((0.05, "very unlikely"), (0.2, "unlikely"), (0.5, "possible"), (0.8, "likely"))
    word = next((word for most, word in steps if probability < most), "very likely")
    return f"{word} ({percent(probability)})"
