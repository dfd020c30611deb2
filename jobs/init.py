"""The settings file of a new agency."""

import re
import tomllib
from typing import Any

from pydantic import ValidationError

from collectors.registry import KINDS
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
        chosen["sources"]["mastodon"] = {"kind": "mastodon", "server": mastodon, "tags": [tag]}
    if feed:
        chosen["sources"]["feed"] = {"kind": "feed", "url": feed, "query": "main"}
    text = toml_text(chosen)
    _check(text)
    return text


def _check(text: str) -> None:
    """Refuse now what would be refused at the start."""
    where: tuple[str, ...] = ()
    try:
        settings = Settings(**tomllib.loads(text))
        for name, source in settings.sources.items():
            where = ("sources", name)
            KINDS[source.kind].options.model_validate(source.options)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise BadInput(f"{'.'.join(map(str, (*where, *first['loc'])))}: {first['msg']}") from None
