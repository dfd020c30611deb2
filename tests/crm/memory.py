"""Our own case tables in memory, for the tests of the case systems."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from core.actor import Actor
from core.case import CaseDraft, CaseRef, CaseState, Status
from tests.crm.make import NOW


@dataclass
class MemoryTables:
    """Our own case tables, in memory."""

    now: datetime = NOW
    cases: dict[int, CaseState] = field(default_factory=dict)
    notes: list[tuple[int, str, bool, str]] = field(default_factory=list)

    def open(self, draft: CaseDraft) -> int:
        known = self.by_key(draft.key)
        if known is not None:
            return known
        case_id = len(self.cases) + 1
        self.cases[case_id] = CaseState(
            ref=CaseRef(system="native", id=str(case_id)),
            key=draft.key,
            status=Status.OPEN,
            raw_status="open",
            updated_at=self.tick(),
            title=draft.title,
        )
        return case_id

    def by_key(self, key: str) -> int | None:
        return next((case_id for case_id, state in self.cases.items() if state.key == key), None)

    def one(self, case_id: int) -> CaseState | None:
        return self.cases.get(case_id)

    def comment(self, case_id: int, text: str, public: bool, actor: Actor) -> None:
        self.notes.append((case_id, text, public, str(actor)))
        self.cases[case_id] = replace(self.cases[case_id], updated_at=self.tick())

    def set_status(self, case_id: int, status: Status, actor: Actor) -> None:
        self.cases[case_id] = replace(
            self.cases[case_id], status=status, raw_status=status.value, updated_at=self.tick()
        )

    def changed(self, since: datetime | None) -> list[CaseState]:
        found = [state for state in self.cases.values() if since is None or state.updated_at >= since]
        return sorted(found, key=lambda state: state.updated_at)

    def tick(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


def draft(number: int = 1) -> CaseDraft:
    return CaseDraft(
        key=f"mention:mastodon:{number}", title=f"Case {number}", body="<b>x</b>", topic=None, urgency=0.5, safety=0.0
    )
