"""Cases in our own tables: the default, and complete.

The tables themselves are another stage's; jobs/build.py lends their functions. Each of them is one transaction.
Cursor of `changes`: the moment of the newest change seen, ISO 8601, less an overlap: what was committed late under
an earlier moment is read again rather than skipped.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from core.actor import Actor
from core.case import CaseDraft, CaseRef, CaseState, Status
from core.errors import CaseRefused

NAME = "native"
OVERLAP = timedelta(minutes=2)


class NativeTables(Protocol):
    """What is lent by jobs/build.py. Ids are those of our own case table."""

    def open(self, draft: CaseDraft) -> int:
        """Open the case of that key, or give the id of the one that has it."""

    def by_key(self, key: str) -> int | None:
        """The case of that key."""

    def one(self, case_id: int) -> CaseState | None:
        """The case as it is, following no merge; its ref's id is `str(case_id)`."""

    def comment(self, case_id: int, text: str, public: bool, actor: Actor) -> None:
        """Add a note."""

    def set_status(self, case_id: int, status: Status, actor: Actor) -> None:
        """Set the status."""

    def changed(self, since: datetime | None) -> Sequence[CaseState]:
        """All cases changed at or after that moment (None: all cases), oldest change first."""


@dataclass(frozen=True)
class NativeCases:
    """The case system that is always there."""

    tables: NativeTables
    name: str = NAME
    capabilities: frozenset[str] = frozenset({"find_by_key", "comment", "private_comment", "set_status", "changes"})

    def open(self, draft: CaseDraft) -> CaseRef:
        """Open a case; one transaction, so that its outcome is never unknown."""
        return _ref(self.tables.open(draft))

    def find(self, key: str) -> CaseRef | None:
        """Look a case up by our key."""
        case_id = self.tables.by_key(key)
        return None if case_id is None else _ref(case_id)

    def read(self, ref: CaseRef) -> CaseState:
        """The case as it is now; of a merged case the survivor."""
        state, seen = self._one(ref), {ref.id}
        while state.merged_into is not None and state.merged_into not in seen:
            seen.add(state.merged_into)
            state = self._one(CaseRef(system=self.name, id=state.merged_into))
        return state

    def comment(self, ref: CaseRef, text: str, *, public: bool, actor: Actor) -> None:
        """Add a note to the case, or to the one it was merged into."""
        if not text.strip():
            raise CaseRefused(f"case {ref.id}: a note needs words")
        self.tables.comment(_number(self.read(ref).ref), text, public, actor)

    def set_status(self, ref: CaseRef, status: Status, actor: Actor) -> CaseState:
        """Set the status and read it back."""
        case_id = _number(self.read(ref).ref)
        self.tables.set_status(case_id, status, actor)
        state = self._one(_ref(case_id))
        if state.status is not status:
            raise CaseRefused(f"case {ref.id}: it was set to {status.value} but is {state.status.value}")
        return state

    def changes(self, since: str | None) -> tuple[list[CaseState], str]:
        """What changed since that cursor, oldest first."""
        start = _moment(since) if since else None
        states = list(self.tables.changed(start))
        newest = max((state.updated_at - OVERLAP for state in states), default=start)
        if newest is None or (start is not None and newest < start):
            newest = start
        return states, newest.isoformat() if newest else ""

    def _one(self, ref: CaseRef) -> CaseState:
        state = self.tables.one(_number(ref))
        if state is None:
            raise CaseRefused(f"case {ref.id}: there is no such case here")
        return state


def _ref(case_id: int) -> CaseRef:
    return CaseRef(system=NAME, id=str(case_id))


def _number(ref: CaseRef) -> int:
    if ref.system != NAME or not ref.id.isascii() or not ref.id.isdigit():
        raise CaseRefused(f"case {ref.id!r} of {ref.system!r} is not one of ours")
    return int(ref.id)


def _moment(cursor: str) -> datetime:
    try:
        moment = datetime.fromisoformat(cursor)
    except ValueError as error:
        raise CaseRefused(f"cursor {cursor!r} is not one of ours: start without one") from error
    if moment.tzinfo is None:
        raise CaseRefused(f"cursor {cursor!r} names no time zone: start without one")
    return moment
