"""What a feed's cursor remembers."""

import json
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """The cursor.

    Attributes:
        etag, modified: the validators of the last answer.
        asked: when it came, on our clock.
        oldest: when its oldest entry was posted, on the feed's clock.
        ids: the entries it held, shortened.
    """

    etag: str = ""
    modified: str = ""
    asked: datetime | None = None
    oldest: datetime | None = None
    ids: frozenset[str] = frozenset()

    @classmethod
    def of(cls, cursor: str | None) -> "Known":
        """What a cursor says.

        Raises:
            ValueError: it is not ours.
        """
        if cursor is None:
            return cls()
        try:
            said = json.loads(cursor)
            asked, oldest = (said[name] and datetime.fromisoformat(said[name]) for name in ("asked", "oldest"))
            etag, modified = str(said["etag"]), str(said["modified"])
            return cls(etag=etag, modified=modified, asked=asked, oldest=oldest, ids=frozenset(map(str, said["ids"])))
        except (TypeError, KeyError, RecursionError) as error:
            raise ValueError(repr(error)) from None

    def cursor(self) -> str:
        """Known as a cursor."""
        moments = {"asked": self.asked, "oldest": self.oldest}
        said = {name: moment and moment.isoformat() for name, moment in moments.items()}
        return json.dumps({"etag": self.etag, "modified": self.modified, **said, "ids": sorted(self.ids)})

    def validators(self) -> dict[str, str]:
        """The headers that ask for news alone: both, as servers look at either."""
        headers = {"if-none-match": self.etag, "if-modified-since": self.modified}
        return {name: value for name, value in headers.items() if value}
