"""What a source is asked for, and what it hands over: both in pieces that fit one transaction."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from core.mention import Deletion, Mention


class Missed(StrEnum):
    """Why something was not fetched (the coverage ledger's reasons)."""

    PENDING = "pending"  # more was there than one poll may take: back-fill comes
    BUDGET = "budget"
    QUOTA = "quota"  # rate limit
    TOKEN = "token"
    OUTAGE = "outage"
    WINDOW = "window"  # older than the source shows
    ROBOTS = "robots"
    REJECTED = "rejected"  # an item that could not be read


@dataclass(frozen=True, slots=True)
class Head:
    """The newest first, up to what the cursor knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backfill:
    """One gap of the ledger: what was posted in [since, until), resumed at `resume`."""

    since: datetime | None
    until: datetime
    resume: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recheck:
    """Known mentions, looked at again for edits and deletions."""

    ids: tuple[str, ...]


Task = Head | Backfill | Recheck


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """The most one run may take. What it leaves is written down as a gap, never dropped."""

    requests: int = 100
    mentions: int = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """What is known to be still missing after this batch.

    A run's batches carry it anew each time; the last one stored is the truth, so a crash after any batch
    leaves an exact note of what a back-fill must fetch.

    Attributes:
        since, until: the span this run is about; since None means "from the beginning".
        complete: nothing in the span is missing any more: the gap of this run is closed.
        missed: how many are missing, if the source says; None means "some, number unknown".
        reason: why; required unless complete.
        resume: what Backfill.resume must be to fetch the rest.
        rejected: items of this batch that could not be read, each (external id or "", why).
    """

    since: datetime | None
    until: datetime
    complete: bool
    missed: int | None = None
    reason: Missed | None = None
    resume: str | None = None
    rejected: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        """Raise ValueError for a gap without a reason."""
        if not self.complete and self.reason is None:
            raise ValueError("a gap needs a reason")


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Mentions, deletions, cursor and coverage that are stored in one transaction.

    Attributes:
        mentions: in the source's order (newest first for Head).
        cursor: opaque to everyone but its source; where the next Head starts. None: leave it as it is.
    """

    mentions: tuple[Mention, ...]
    coverage: Coverage
    deletions: tuple[Deletion, ...] = ()
    cursor: str | None = None
