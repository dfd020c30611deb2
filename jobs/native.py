"""Our own case tables, as crm/systems/native.py asks for them. Each call is one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from core.actor import Actor, job
from core.case import CaseDraft, CaseState, Status
from core.protocols import Clock
from storage import audit, cases
from storage.cases import CaseRow
from storage.engine import Store

ACTOR = job("cases")
CHANGES_AT_ONCE = 500


@dataclass(frozen=True)
class StoredCases:
    """See crm.systems.native.NativeTables."""

    store: Store
    clock: Clock

    def open(self, draft: CaseDraft) -> int:
        """Open the case of that key, or give the id of the one that has it."""
        with self.store.write() as tx:
            return cases.open(tx, draft.key, draft, self.clock(), ACTOR)

    def by_key(self, key: str) -> int | None:
        """The case of that key."""
        with self.store.read() as read:
            row = cases.by_key(read, key)
        return row.id if row else None

    def one(self, case_id: int) -> CaseState | None:
        """The case as it is, following no merge."""
        with self.store.read() as read:
            view = cases.one(read, case_id)
        return _state(view.case) if view else None

    def comment(self, case_id: int, text: str, public: bool, actor: Actor) -> None:
        """Add a note."""
        with self.store.write() as tx:
            after = {"text": text, "public": public}
            audit.append(tx, actor, "case.note", f"case:{case_id}", "", None, after, self.clock())

    def set_status(self, case_id: int, status: Status, actor: Actor) -> None:
        """Set the status."""
        with self.store.write() as tx:
            cases.set_status(tx, case_id, status, actor, "", self.clock())

    def changed(self, since: datetime | None) -> Sequence[CaseState]:
        """All cases changed at or after that moment, oldest change first."""
        found: list[CaseState] = []
        with self.store.read() as read:
            while True:
                rows = cases.page(read, limit=CHANGES_AT_ONCE, offset=len(found))
                fresh = [row for row in rows if since is None or row.updated_at >= since]
                found += map(_state, fresh)
                if len(fresh) < CHANGES_AT_ONCE:
                    return found[::-1]


def _state(row: CaseRow) -> CaseState:
    return CaseState(
        ref=row.ref,
        key=row.key,
        status=Status(row.status),
        raw_status=row.raw_status,
        updated_at=row.updated_at,
        title=row.title,
        owner=row.owner,
        merged_into=str(row.merged_into) if row.merged_into is not None else None,
    )
