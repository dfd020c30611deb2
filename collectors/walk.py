"""Walking lists from their newest item down, in batches, so that a crash or a spent budget leaves an exact note.

A source that is asked for several things (tags, searches) reads one *lane* for each, a page at a time in turn.
After every page the note (Coverage.resume) says where each lane goes on; a back-fill takes it from there.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from collectors.pages import Page
from core.batch import Backfill, Batch, Budget, Coverage, Missed
from core.errors import SourceBusy, SourceChanged, SourceError, SourceRefused
from core.mention import Mention
from core.protocols import Clock

#: How often a span is walked again because the source said there was more than it showed.
TRIES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """One list, and how far it has been read.

    Attributes:
        key: what is asked for.
        at: the source's own word for where to go on; None: at the newest.
        seen, total: items read, and how many there are if the source says.
    """

    key: str
    at: str | None = None
    done: bool = False
    seen: int = 0
    total: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trail:
    """What a run is about, and how far it came. Written into Coverage.resume.

    Attributes:
        known: the source's own word for where the run before began; read down to there.
        tries: how often the whole span has been walked in vain.
    """

    since: datetime | None
    until: datetime
    lanes: tuple[Lane, ...]
    known: str | None = None
    tries: int = 0

    def note(self) -> str:
        """The trail as Coverage.resume."""
        lanes = [[lane.key, lane.at, lane.done, lane.seen, lane.total] for lane in self.lanes]
        return json.dumps({"lanes": lanes, "known": self.known, "tries": self.tries}, ensure_ascii=False)


def trail_of(source: str, task: Backfill, keys: Sequence[str]) -> Trail:
    """The trail that a back-fill goes on with. Without `resume` all of the span is walked.

    Raises:
        SourceChanged: the note was not written by this version, or for these searches.
    """
    if task.resume is None:
        return Trail(since=task.since, until=task.until, lanes=tuple(Lane(key=key) for key in keys))
    try:
        noted = json.loads(task.resume)
        lanes = tuple(
            Lane(key=str(key), at=at, done=bool(done), seen=int(seen), total=total)
            for key, at, done, seen, total in noted["lanes"]
        )
        return Trail(since=task.since, until=task.until, lanes=lanes, known=noted["known"], tries=int(noted["tries"]))
    except (ValueError, TypeError, KeyError) as error:
        raise SourceChanged(source, f"a gap's resume note cannot be read: {error!r}") from None


class Spent(Exception):
    """The budget allows no further request."""


@dataclass
class Allowance:
    """What is left of a run's budget and time."""

    budget: Budget
    deadline: datetime
    clock: Clock
    requests: int = 0
    mentions: int = 0
    slowest: timedelta = field(default_factory=timedelta)

    def ask(self) -> None:
        """Take one request from the budget.

        Raises:
            Spent: there is none left.
        """
        if self.requests >= self.budget.requests:
            raise Spent
        self.requests += 1

    @property
    def requests_left(self) -> int:
        """Requests that may still be made."""
        return self.budget.requests - self.requests

    @property
    def mentions_left(self) -> int:
        """Mentions that may still be handed over."""
        return self.budget.mentions - self.mentions

    def spent(self) -> bool:
        """Whether another page is one too many, or would come too late."""
        late = self.clock() + self.slowest >= self.deadline
        return late or self.requests_left <= 0 or self.mentions_left <= 0


#: Reads one page of a lane: at most so many items. Page.next None: nothing that we want is below.
Fetch = Callable[[Lane, int], Page]


def walk(
    trail: Trail, fetch: Fetch, allowance: Allowance, *, page_size: int, cursor: Callable[[], str | None]
) -> Iterator[Batch]:
    """Yield a batch a page until all lanes are done or the allowance is spent.

    Args:
        trail: where to begin.
        fetch: one page of one lane.
        allowance: what may be used.
        page_size: most items of a page.
        cursor: the cursor after what was read so far; None: leave it.

    Raises:
        SourceError: after a batch that says why the rest is missing, if any batch came before.
    """
    yielded: set[tuple[str, str]] = set()
    begun = False
    while not all(lane.done for lane in trail.lanes) and not allowance.spent():
        lane = next(lane for lane in trail.lanes if not lane.done)
        asked_at = allowance.clock()
        try:
            page = fetch(lane, min(page_size, allowance.mentions_left))
        except Spent:
            return
        except SourceError as error:
            if begun:
                yield Batch(mentions=(), coverage=coverage(trail, reason=_why(error)))
            raise
        allowance.slowest = max(allowance.slowest, allowance.clock() - asked_at)
        trail = _further(trail, lane, page)
        fresh = tuple(one for one in page.mentions if (one.external_id, one.version) not in yielded)
        yielded.update((one.external_id, one.version) for one in fresh)
        allowance.mentions += len(fresh)
        begun = True
        yield Batch(
            mentions=fresh,
            deletions=page.deletions,
            cursor=cursor(),
            coverage=coverage(trail, rejected=page.rejected),
        )


def coverage(trail: Trail, *, reason: Missed = Missed.PENDING, rejected: tuple[tuple[str, str], ...] = ()) -> Coverage:
    """What is still missing of a trail's span."""
    missing = sum(max(0, lane.total - lane.seen) for lane in trail.lanes if lane.total is not None)
    waiting = [lane for lane in trail.lanes if not lane.done]
    if not waiting and not missing:
        return Coverage(since=trail.since, until=trail.until, complete=True, missed=0, rejected=rejected)
    if not waiting:  # all was walked, yet the source counts more than it showed
        trail = replace(trail, tries=trail.tries + 1, lanes=tuple(Lane(key=lane.key) for lane in trail.lanes))
        if trail.tries >= TRIES:
            reason = Missed.WINDOW
    known = all(lane.total is not None for lane in waiting)
    return Coverage(
        since=trail.since,
        until=trail.until,
        complete=False,
        missed=missing if known and missing else None,
        reason=reason,
        resume=None if reason is Missed.WINDOW else trail.note(),
        rejected=rejected,
    )


def recheck(
    ids: Sequence[str], look: Callable[[Sequence[str]], Page], allowance: Allowance, *, at_once: int
) -> Iterator[Batch]:
    """Yield a batch for every `at_once` ids; what the allowance does not reach is in no batch, for the next run."""
    for start in range(0, len(ids), at_once):
        if allowance.spent():
            return
        now = allowance.clock()
        try:
            page = look(ids[start : start + at_once])
        except Spent:
            return
        allowance.mentions += len(page.mentions)
        whole = Coverage(since=now, until=now, complete=True, missed=0, rejected=page.rejected)
        yield Batch(mentions=page.mentions, deletions=page.deletions, coverage=whole)


def newest(mentions: Sequence[Mention]) -> datetime | None:
    """When the newest of them was posted."""
    return max((one.posted_at for one in mentions if one.posted_at), default=None)


def _further(trail: Trail, lane: Lane, page: Page) -> Trail:
    """The trail after a page of `lane`, which goes to the end of the queue."""
    moved = replace(
        lane,
        at=page.next,
        done=page.next is None,
        seen=lane.seen + page.listed,
        total=page.total if lane.total is None else lane.total,
    )
    return replace(trail, lanes=(*(one for one in trail.lanes if one is not lane), moved))


def _why(error: SourceError) -> Missed:
    if isinstance(error, SourceBusy):
        return Missed.QUOTA
    return Missed.TOKEN if isinstance(error, SourceRefused) else Missed.OUTAGE
