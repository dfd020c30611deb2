"""Maple Harbor: a coastal town that does not exist, and the settings of a sample run.

Every name here is our own invention. Addresses use reserved names (.example, example.org) and loopback only.
"""

from datetime import date, timedelta
from typing import Any

#: What every page says.
NOTICE = "Maple Harbor is an invented city: its people, posts, reviews and calls are made up by a program."

NAME = "Maple Harbor"
TAG = "MapleHarbor"
TIMEZONE = "America/New_York"

#: The city's own accounts, as their platforms name them.
MASTODON_HANDLE = "cityofmapleharbor"
BLUESKY_HANDLE = "cityofmapleharbor.example"

#: Where the sample server listens unless told otherwise; ids of posts hold it, so keep it.
PORT = 8710

#: Words of advertisements that the sample's query leaves out.
EXCLUDED = "use code HARBORDEAL"

#: The sample server's only account: invented, worthless anywhere else.
USERNAME = "listener.example"
PASSWORD = "an-invented-city"
TOKEN = "an-invented-token"

#: Weekday (as datetime.date.weekday) to opening and closing time of the phones, minutes after local midnight.
HOURS = {**dict.fromkeys(range(5), (8 * 60, 18 * 60)), 5: (9 * 60, 13 * 60)}
QUEUES = ("general", "utilities", "sanitation")

DISTRICTS = (
    "Old Wharf",
    "Lantern Hill",
    "Cooper's Reach",
    "North Shingle",
    "Saltgrass",
    "Ferry Row",
    "Quarry Flats",
    "Upper Tern",
    "Dogwood Park",
    "Barnacle Point",
)
STREETS = (
    "Heron Street",
    "Ropewalk Lane",
    "Cannery Road",
    "Tern Avenue",
    "Lighthouse Drive",
    "Kelp Street",
    "Sailmaker Street",
    "Birchgate Avenue",
    "Marsh Elder Way",
    "Capstan Street",
    "Old Quarry Road",
    "Pennant Street",
    "Dory Lane",
    "Mackerel Row",
    "Tollkeeper Road",
    "Foghorn Avenue",
    "Juniper Bend",
    "Halyard Street",
    "Windlass Court",
    "Oyster Shell Road",
    "Beacon Terrace",
    "Plover Street",
    "Chandler Street",
    "Gristmill Road",
    "Sandpiper Avenue",
    "Bowline Street",
    "Thistle Hill Road",
    "Dock Seven Road",
    "Gannet Street",
    "Orchard Slip",
    "Saltbox Lane",
    "Larkspur Avenue",
    "Ferrymans Way",
    "Cormorant Drive",
    "Keel Street",
    "Breakwater Boulevard",
)
LANDMARKS = (
    "the ferry landing",
    "Tidewater Library",
    "the Ropewalk Market",
    "Anchor Green",
    "Quarry Pond",
    "the old cannery",
    "Lantern Hill School",
    "Beacon Middle School",
    "the boat ramp",
    "Saltgrass Playground",
    "Harborview Clinic",
    "the drawbridge",
    "Gull Point Beach",
    "the skate bowl",
    "Tern Avenue fire station",
    "the farmers market lot",
    "Cooper's Reach Community Center",
    "the Dogwood Park pool",
    "the Foghorn Avenue underpass",
    "the lighthouse trail",
    "the transfer station",
    "the Halyard Street garage",
    "the rose garden",
    "the bus depot",
)
LINES = ("2", "4", "7", "11", "15X", "22", "31", "40")
DEPARTMENTS = (
    "Public Works",
    "Harbor Water",
    "Sanitation",
    "Parks and Recreation",
    "Harbor Transit",
    "Code Enforcement",
    "the Clerk's Office",
    "Parking Services",
    "the 311 desk",
    "Streets and Lighting",
)

#: Places that have a page of reviews: slug, name, how its page is marked up.
REVIEWED = (
    ("city-hall", "Maple Harbor City Hall counter", "json-ld"),
    ("harbor-water", "Harbor Water billing office", "json-ld"),
    ("transfer-station", "Maple Harbor transfer station", "microdata"),
    ("harbor-transit", "Harbor Transit", "microdata"),
)


def agency() -> dict[str, Any]:
    """The values of core.settings.Agency."""
    days = ("mon", "tue", "wed", "thu", "fri", "sat")
    return {
        "names": ("City of Maple Harbor", "Maple Harbor City Hall", *DEPARTMENTS[1:5], "Maple Harbor 311"),
        "handles": (MASTODON_HANDLE, BLUESKY_HANDLE),
        "places": (*DISTRICTS, *STREETS, *(place.removeprefix("the ") for place in LANDMARKS)),
        "languages": ("en", "es"),
        "timezone": TIMEZONE,
        "country": "US",
        "hours": {day: _span(*HOURS[number]) for number, day in enumerate(days)},
    }


def settings(port: int) -> dict[str, Any]:
    """The values of core.settings.Settings for a sample run; all sources ask the sample server on `port`."""
    server = f"http://127.0.0.1:{port}"
    every = "1min"
    return {
        "sample": True,
        "agency": agency(),
        "queries": {
            "city": {
                "text": '"maple harbor" OR #mapleharbor OR @cityofmapleharbor',
                "exclude": (EXCLUDED,),
            }
        },
        "sources": {
            "mastodon": {"kind": "mastodon", "server": server, "tags": (TAG,), "history": "3d", "every": every},
            "bluesky": {
                "kind": "bluesky",
                "server": server,
                "username": USERNAME,
                "password": PASSWORD,
                "searches": (f'"{NAME.lower()}"',),
                "history": "3d",
                "every": every,
            },
            "lantern": {"kind": "feed", "url": f"{server}/feed.xml", "history": "3d", "every": every},
            "reviews_offices": _reviews(server, "json-ld"),
            "reviews_services": _reviews(server, "microdata"),
        },
        "phones": {"handle_time": "260s", "target_share": 0.8, "target_wait": "20s", "shrinkage": 0.3},
        "network": {"allow": ("127.0.0.1",)},
    }


def _reviews(server: str, markup: str) -> dict[str, Any]:
    """The source of all places whose pages are marked up so."""
    urls = tuple(f"{server}/reviews/{slug}" for slug, _, how in REVIEWED if how == markup)
    return {"kind": "reviews_page", "urls": urls, "sites": ("127.0.0.1",), "delay": "0.1s", "every": "5min"}


def _span(opens: int, closes: int) -> str:
    return f"{opens // 60:02}:{opens % 60:02}-{closes // 60:02}:{closes % 60:02}"


def closed_days(year: int) -> frozenset[date]:
    """The days of `year` on which nobody answers: public holidays, and the weekday they are kept on."""
    thanksgiving = _nth(year, 11, 3, 4)
    fixed = [date(year, 1, 1), date(year, 6, 19), date(year, 7, 4), date(year, 11, 11), date(year, 12, 25)]
    moving = [
        _nth(year, 1, 0, 3),
        _nth(year, 2, 0, 3),
        _nth(year, 6, 0, 1) - timedelta(days=7),
        _nth(year, 9, 0, 1),
        thanksgiving,
        thanksgiving + timedelta(days=1),
    ]
    return frozenset(fixed + moving + [_kept(day) for day in fixed])


def _nth(year: int, month: int, weekday: int, n: int) -> date:
    """The nth such weekday of a month."""
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (n - 1))


def _kept(day: date) -> date:
    """The weekday on which a holiday is kept."""
    return day + timedelta(days={5: -1, 6: 1}.get(day.weekday(), 0))


def is_open(day: date) -> bool:
    """Whether the phones are answered on that local day."""
    return day.weekday() in HOURS and day not in closed_days(day.year)
