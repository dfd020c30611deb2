"""Name -> how to build it. One line a source."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from pydantic import ValidationError

from collectors.kinds import Context, Kind
from collectors.recordings import exchanges
from collectors.sources import bluesky, feed, folder, mastodon, reviews_page
from core.errors import SettingsError, SourceError
from core.mention import Deletion, Mention
from core.protocols import Collector
from core.settings import Source

__all__ = ["KINDS", "Context", "Kind", "build", "parse_recording"]

KINDS: dict[str, Kind] = {
    "bluesky": bluesky.KIND,
    "feed": feed.KIND,
    "folder": folder.KIND,
    "mastodon": mastodon.KIND,
    "reviews_page": reviews_page.KIND,
}


def build(name: str, source: Source, context: Context) -> Collector:
    """The collector of one settings section.

    Raises:
        SettingsError: names the setting, what is wrong with it and what to do.
    """
    kind = _kind(source.kind, f"sources.{name}.kind")
    try:
        options = kind.options.model_validate(source.options)
    except ValidationError as error:
        lines = (
            f"sources.{name}.{'.'.join(map(str, one['loc']))}: {one['msg']}"
            for one in error.errors(include_input=False, include_url=False)
        )
        raise SettingsError("\n".join(lines)) from None
    return kind.build(name, source, options, context)


def parse_recording(kind: str, path: Path, now: datetime) -> Iterator[Mention | Deletion]:
    """What a recorded answer, or a cassette of several, yields: each mention and each deletion once.

    A post that is there several times counts once, as it was read last. No database, no network.

    Raises:
        BadInput: the file is not a recording.
        SettingsError: no source is of that kind.
        SourceError: the error an answer is mapped to, after what the others yielded.
    """
    reader = _kind(kind, "kind")
    found: dict[tuple[type, str], Mention | Deletion] = {}
    failed: SourceError | None = None
    for exchange in exchanges(path):
        try:
            page = reader.parse(exchange, now)
        except SourceError as error:
            failed = failed or error
            continue
        both: tuple[Mention | Deletion, ...] = (*page.mentions, *page.deletions)
        found.update(((type(one), one.external_id), one) for one in both)
    yield from found.values()
    if failed:
        raise failed


def _kind(name: str, where: str) -> Kind:
    if name not in KINDS:
        raise SettingsError(f"{where}: no source is called {name!r}; there are {', '.join(sorted(KINDS))}")
    return KINDS[name]
