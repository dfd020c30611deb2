"""Cases: opened once a key, found by their code, sent to another system where there is one."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select, update

from core.actor import Actor
from core.case import CaseDraft, CaseRef, Status, Verdict
from core.errors import BadInput
from storage import audit
from storage.candidates import CandidateMention, CandidateRow, candidates
from storage.links import link, unlink, unlinked
from storage.sql import plain, upsert
from storage.tables import case_link, cases
from storage.views import LinkRow

__all__ = [
    "CandidateMention",
    "CandidateRow",
    "CaseRow",
    "CaseView",
    "LinkRow",
    "assign",
    "by_code",
    "by_key",
    "candidates",
    "count",
    "link",
    "one",
    "open",
    "page",
    "set_due",
    "set_ref",
    "set_sending",
    "set_status",
    "unlink",
    "unlinked",
    "unsent",
]

OPEN_STATES = (Status.OPEN.value, Status.IN_PROGRESS.value)
#: No letter or digit that is mistaken for another when it is read out on the phone.
ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRow:
    """A case as a list shows it.

    Attributes:
        sending: where its copy in another system stands: local, waiting, sent, unknown (look first) or refused.
        mentions: how many mentions stand at it.
    """

    id: int
    key: str
    code: str
    title: str
    body: str
    topic: str | None
    urgency: float
    safety: float
    url: str
    status: str
    raw_status: str
    owner: str | None
    system: str
    external_id: str | None
    external_url: str
    sending: str
    opened_at: datetime
    updated_at: datetime
    due_at: datetime | None
    answered_at: datetime | None
    merged_into: int | None
    mentions: int = 0

    @property
    def ref(self) -> CaseRef:
        """Where it lives; a case kept here has our own id."""
        return CaseRef(system=self.system, id=self.external_id or str(self.id), url=self.external_url)


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseView:
    """A case with all decisions about it, undone ones too, oldest first, and the mentions that stand at it."""

    case: CaseRow
    links: tuple[LinkRow, ...]
    mention_ids: tuple[int, ...]


def case_code(key: str, attempt: int = 0) -> str:
    """The code of a case, as residents and staff quote it: the same for the same key.

    >>> case_code("mention:mastodon:1")
    'M-BF7WX'
    """
    number = int.from_bytes(hashlib.sha256(f"{key}\n{attempt}".encode()).digest()[:8], "big")
    digits = ""
    for _ in range(5 + attempt // 3):
        number, rest = divmod(number, len(ALPHABET))
        digits += ALPHABET[rest]
    return f"M-{digits}"


def open(
    tx: Connection, key: str, draft: CaseDraft, now: datetime, actor: Actor, *, system: str = "native", reason: str = ""
) -> int:
    """Open a case; the same key gives the same case, unchanged. With another `system`, its copy waits to be sent."""
    found = tx.execute(select(cases.c.id).where(cases.c.key == plain(key))).scalar()
    if found is not None:
        return int(found)
    new = _new(plain(key), _free_code(tx, key), draft, now, system)
    put = upsert(tx, cases).on_conflict_do_nothing(index_elements=["key"]).returning(cases.c.id)
    case_id = tx.execute(put, new).scalar_one_or_none()
    if case_id is None:  # another worker was quicker
        return int(tx.execute(select(cases.c.id).where(cases.c.key == plain(key))).scalar_one())
    after = {"code": new["code"], "topic": new["topic"], "system": system}
    audit.append(tx, actor, "case.open", f"case:{case_id}", reason, None, after, now)
    return int(case_id)


def _free_code(tx: Connection, key: str) -> str:
    attempt = 0
    while tx.execute(select(cases.c.id).where(cases.c.code == case_code(key, attempt))).scalar() is not None:
        attempt += 1
    return case_code(key, attempt)


def _new(key: str, code: str, draft: CaseDraft, now: datetime, system: str) -> dict[str, Any]:
    return {
        "key": key,
        "code": code,
        "title": plain(draft.title),
        "body": plain(draft.body),
        "topic": draft.topic,
        "urgency": draft.urgency,
        "safety": draft.safety,
        "url": plain(draft.url),
        "status": Status.OPEN.value,
        "raw_status": Status.OPEN.value,
        "system": system,
        "external_url": "",
        "sending": "local" if system == "native" else "waiting",
        "opened_at": now,
        "updated_at": now,
    }


def one(read: Connection, case_id: int) -> CaseView | None:
    """A case with its decisions and mentions; None if there is no such case."""
    row = read.execute(_rows().where(cases.c.id == case_id)).one_or_none()
    if row is None:
        return None
    c = case_link.c
    links = [LinkRow(**r._mapping) for r in read.execute(select(case_link).where(c.case_id == case_id).order_by(c.id))]
    at_it = [i.mention_id for i in links if i.undone_at is None and i.verdict in _AT_CASE]
    return CaseView(case=CaseRow(**row._mapping), links=tuple(links), mention_ids=tuple(at_it))


_AT_CASE = (Verdict.JOIN.value, Verdict.OPEN.value)


def _rows() -> Any:
    c = case_link.c
    here = (c.case_id == cases.c.id, c.undone_at.is_(None), c.verdict.in_(_AT_CASE))
    n = select(func.count()).where(*here).correlate(cases).scalar_subquery()
    return select(cases, n.label("mentions"))


def by_key(read: Connection, key: str) -> CaseRow | None:
    """The case of that key."""
    row = read.execute(_rows().where(cases.c.key == plain(key))).one_or_none()
    return None if row is None else CaseRow(**row._mapping)


def by_code(read: Connection, code: str) -> CaseRow | None:
    """The case that somebody quoted, e.g. "M-7F3K2"; upper and lower case are the same."""
    row = read.execute(_rows().where(cases.c.code == plain(code).strip().upper())).one_or_none()
    return None if row is None else CaseRow(**row._mapping)


def page(
    read: Connection, *, status: Status | str | None = None, limit: int = 25, offset: int = 0, owner: str | None = None
) -> list[CaseRow]:
    """Cases, last touched first. `status` "open" is only that; None is every state."""
    rows = _rows().order_by(cases.c.updated_at.desc(), cases.c.id.desc()).limit(limit).offset(offset)
    if status is not None:
        rows = rows.where(cases.c.status == str(status))
    if owner is not None:
        rows = rows.where(cases.c.owner == owner)
    return [CaseRow(**row._mapping) for row in read.execute(rows)]


def count(read: Connection, status: Status | str | None = None) -> int:
    """How many cases there are, in one state or in all."""
    wanted = select(func.count()).select_from(cases)
    if status is not None:
        wanted = wanted.where(cases.c.status == str(status))
    return int(read.execute(wanted).scalar_one())


def _change(tx: Connection, case_id: int, action: str, actor: Actor, reason: str, now: datetime, **values: Any) -> bool:
    row = tx.execute(select(cases).where(cases.c.id == case_id)).one_or_none()
    if row is None:
        raise BadInput(f"there is no case {case_id}")
    before = {name: getattr(row, name) for name in values}
    if before == values:
        return False
    tx.execute(update(cases).where(cases.c.id == case_id).values(**values, updated_at=now))
    audit.append(tx, actor, action, f"case:{case_id}", reason, before, values, now)
    return True


def set_status(
    tx: Connection,
    case_id: int,
    status: Status,
    actor: Actor,
    reason: str,
    now: datetime,
    *,
    raw_status: str | None = None,
    merged_into: int | None = None,
) -> bool:
    """Set the state of a case, with the vendor's own word for it; False if it is so already.

    Raises:
        BadInput: there is no such case.
    """
    values: dict[str, Any] = {"status": status.value, "raw_status": raw_status or status.value}
    if merged_into is not None:
        values["merged_into"] = merged_into
    return _change(tx, case_id, "case.status", actor, reason, now, **values)


def assign(tx: Connection, case_id: int, owner: str | None, actor: Actor, now: datetime, *, reason: str = "") -> bool:
    """Give a case to somebody, or to nobody; False if it is theirs already.

    Raises:
        BadInput: there is no such case.
    """
    return _change(tx, case_id, "case.assign", actor, reason, now, owner=owner)


def set_due(tx: Connection, case_id: int, due_at: datetime | None) -> None:
    """When the first answer is due."""
    tx.execute(update(cases).where(cases.c.id == case_id).values(due_at=due_at))


def set_ref(tx: Connection, case_id: int, ref: CaseRef, actor: Actor, now: datetime) -> bool:
    """Note where a case lives in another system: it was sent."""
    values = {"system": ref.system, "external_id": ref.id, "external_url": ref.url, "sending": "sent"}
    return _change(tx, case_id, "case.sent", actor, "", now, **values)


def set_sending(tx: Connection, case_id: int, sending: str, actor: Actor, reason: str, now: datetime) -> bool:
    """Note how sending went: "waiting", "unknown" (look it up before sending again) or "refused"."""
    return _change(tx, case_id, "case.sending", actor, reason, now, sending=sending)


def unsent(read: Connection, limit: int) -> list[CaseRow]:
    """Cases whose copy must still be sent, or looked up because nobody knows."""
    rows = _rows().where(cases.c.sending.in_(("waiting", "unknown"))).order_by(cases.c.id).limit(limit)
    return [CaseRow(**row._mapping) for row in read.execute(rows)]
