"""The settings file of a new agency."""

import re
import tomllib
from typing import Any

from pydantic import ValidationError

from core.errors import BadInput
from core.settings import Settings
from jobs.settings_text import toml_text


def settings_file(*, name: str, handle: str, place: str, timezone: str, mastodon: str, feed: str) -> str:
    """A commented openear.toml for these answers.

    Raises:
        BadInput: an answer cannot be used; says which and why.
    """
    bare = handle.removeprefix("@")
    words = [f'"{name}"'] + ([f"@{bare}"] if bare else [])
    chosen: dict[str, Any] = {
        "agency": {
            "names": [name],
            "handles": [f"@{bare}"] if bare else [],
            "places": [place] if place else [],
            "timezone": timezone,
        },
        "queries": {"main": {"text": " OR ".join(words)}},
        "sources": {},
    }
    if mastodon:
        tag = re.sub(r"\W", "", bare or name).lower()
        chosen["sources"]["mastodon"] = {"kind": "mastodon", "url": mastodon, "tags": [tag]}
    if feed:
        chosen["sources"]["feed"] = {"kind": "feed", "url": feed, "query": "main"}
    text = toml_text(chosen)
    try:
        Settings(**tomllib.loads(text))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise BadInput(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None
    return text
