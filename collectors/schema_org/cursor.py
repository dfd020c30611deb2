"""What is remembered of review pages, and what follows from a review that is no longer shown. Pure."""

import json
from dataclasses import dataclass, field
from datetime import datetime

from core.errors import SourceChanged

MOST_SEEN = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """The cursor: when it was asked last, and the reviews seen: id to day since 1970 (None: undated)."""

    asked: datetime | None = None
    days: dict[str, int | None] = field(default_factory=dict)

    @classmethod
    def of(cls, source: str, cursor: str | None) -> "Seen":
        """What a cursor says.

        Raises:
            SourceChanged: it is not ours.
        """
        if cursor is None:
            return cls()
        try:
            said = json.loads(cursor)
            days = {str(key): None if day is None else int(day) for key, day in said["seen"].items()}
            return cls(asked=datetime.fromisoformat(said["asked"]), days=days)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise SourceChanged(source, f"its cursor cannot be read: {error!r}") from None

    def cursor(self, now: datetime, more: dict[str, int | None]) -> str:
        """The cursor with `more` seen; the newest are kept."""
        days = sorted({**self.days, **more}.items(), key=lambda item: item[1] or 0, reverse=True)
        return json.dumps({"asked": now.isoformat(), "seen": dict(days[:MOST_SEEN])})


def removed(ids: tuple[str, ...], shown: dict[str, int | None], seen: dict[str, int | None]) -> list[str]:
    """Which of `ids` were taken away, and have not just been pushed off the last page by newer ones.

    Args:
        ids: reviews we know.
        shown: all reviews the pages show now, with their days.
        seen: days of reviews seen before.
    """
    oldest = min((day for day in shown.values() if day is not None), default=None)
    nothing_new = bool(shown) and all(one in seen for one in shown)

    def gone(one: str) -> bool:
        day = seen.get(one)
        return nothing_new or (day is not None and oldest is not None and oldest < day)

    return [one for one in ids if one not in shown and one in seen and gone(one)]
