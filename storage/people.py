"""People who may sign in here: passwords by scrypt, sessions that we can end, roles checked on every write."""

import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from core.actor import Actor, Role
from core.errors import BadInput, Forbidden
from storage import audit
from storage.sql import plain
from storage.tables import person, sign_in

#: scrypt: cost, block size, lanes: about 64 MiB and a tenth of a second.
COST = (2**16, 8, 1)
SHORTEST_PASSWORD = 12
IDLE = timedelta(minutes=15)
LONGEST = timedelta(hours=8)

#: What each role may do. Viewing is for all.
_MAY = {
    Role.AGENT: {Role.AGENT, Role.MANAGER, Role.ADMIN},
    Role.MANAGER: {Role.MANAGER, Role.ADMIN},
    Role.RECORDS: {Role.RECORDS, Role.ADMIN},
    Role.ADMIN: {Role.ADMIN},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who works here."""

    id: int
    name: str
    role: Role
    created_at: datetime
    disabled_at: datetime | None = None

    @property
    def actor(self) -> Actor:
        """Who they are in the audit chain."""
        return Actor(kind="person", issuer="local", subject=self.name)

    def may(self, role: Role) -> bool:
        """True if they may do what that role may."""
        return role == Role.VIEWER or self.role in _MAY[role]


def require(person: Person, role: Role) -> Actor:
    """The person as an actor, if they may do what that role may.

    Raises:
        Forbidden: they may not.
    """
    if person.disabled_at is not None or not person.may(role):
        raise Forbidden(f"{person.name} is a {person.role}: this needs the role {role}")
    return person.actor


def add(tx: Connection, name: str, password: str, role: Role, actor: Actor, now: datetime) -> int:
    """Let somebody in; return their id.

    Raises:
        BadInput: the name is taken or empty, or the password is too short.
    """
    name = plain(name).strip().lower()
    if not name or tx.execute(select(person.c.id).where(person.c.name == name)).scalar() is not None:
        raise BadInput(f"the name {name!r} is empty or taken: choose another")
    new = {"name": name, "role": role.value, "password_hash": _hashed(password), "created_at": now}
    person_id = int(tx.execute(insert(person).values(**new).returning(person.c.id)).scalar_one())
    audit.append(tx, actor, "person.add", f"person:{name}", "", None, {"role": role.value}, now)
    return person_id


def _hashed(password: str) -> str:
    if len(password) < SHORTEST_PASSWORD:
        raise BadInput(f"a password needs at least {SHORTEST_PASSWORD} characters: take four words")
    salt = secrets.token_bytes(16)
    return f"scrypt${COST[0]}${COST[1]}${COST[2]}${salt.hex()}${_scrypt(password, salt, COST).hex()}"


def _scrypt(password: str, salt: bytes, cost: tuple[int, int, int]) -> bytes:
    n, r, p = cost
    return hashlib.scrypt(password.encode(), salt=salt, n=n, r=r, p=p, maxmem=256 * n * r, dklen=32)


#: Compared with when there is no such person, so that the time taken does not say so.
_NOBODY = f"scrypt${COST[0]}${COST[1]}${COST[2]}${'00' * 16}${'00' * 32}"


def check_password(read: Connection, name: str, password: str) -> Person | None:
    """The person, if name and password are right and they are not disabled; takes as long when they are not."""
    row = read.execute(select(person).where(person.c.name == plain(name).strip().lower())).one_or_none()
    _, n, r, p, salt, digest = (row.password_hash if row else _NOBODY).split("$")
    found = _scrypt(password, bytes.fromhex(salt), (int(n), int(r), int(p)))
    right = hmac.compare_digest(found, bytes.fromhex(digest))
    return _person(row) if right and row is not None and row.disabled_at is None else None


def _person(row: Row[Any]) -> Person:
    return Person(id=row.id, name=row.name, role=Role(row.role), created_at=row.created_at, disabled_at=row.disabled_at)


def all(read: Connection) -> list[Person]:
    """Everybody, disabled people too, by name."""
    return [_person(row) for row in read.execute(select(person).order_by(person.c.name))]


def one(read: Connection, name: str) -> Person | None:
    """A person by name."""
    row = read.execute(select(person).where(person.c.name == plain(name).strip().lower())).one_or_none()
    return None if row is None else _person(row)


def set_role(tx: Connection, name: str, role: Role, actor: Actor, now: datetime) -> None:
    """Change what somebody may do."""
    was = _existing(tx, name)
    tx.execute(update(person).where(person.c.id == was.id).values(role=role.value))
    audit.append(tx, actor, "person.role", f"person:{was.name}", "", was.role.value, role.value, now)


def set_password(tx: Connection, name: str, password: str, actor: Actor, now: datetime) -> None:
    """Change a password; every session of theirs ends."""
    was = _existing(tx, name)
    tx.execute(update(person).where(person.c.id == was.id).values(password_hash=_hashed(password)))
    _end_all(tx, was.id, now)
    audit.append(tx, actor, "person.password", f"person:{was.name}", "", None, None, now)


def disable(tx: Connection, name: str, actor: Actor, reason: str, now: datetime) -> None:
    """Let somebody in no more; every session of theirs ends."""
    was = _existing(tx, name)
    tx.execute(update(person).where(person.c.id == was.id).values(disabled_at=now))
    _end_all(tx, was.id, now)
    audit.append(tx, actor, "person.disable", f"person:{was.name}", reason, None, None, now)


def _existing(tx: Connection, name: str) -> Person:
    found = one(tx, name)
    if found is None:
        raise BadInput(f"nobody here is called {name!r}")
    return found


def open_session(
    tx: Connection, who: Person, now: datetime, *, token: Callable[[], str] = secrets.token_urlsafe
) -> str:
    """Sign somebody in; return the token, which only they keep: we know its hash."""
    new = token()
    tx.execute(insert(sign_in).values(token_hash=_token_hash(new), person_id=who.id, opened_at=now, seen_at=now))
    audit.append(tx, who.actor, "person.sign_in", f"person:{who.name}", "", None, None, now)
    return new


def session_person(
    read: Connection, token: str, now: datetime, *, idle: timedelta = IDLE, longest: timedelta = LONGEST
) -> Person | None:
    """Whose session this is, if it was used within `idle`, is younger than `longest`, and was not ended."""
    s = sign_in.c
    alive = (s.ended_at.is_(None), s.seen_at > now - idle, s.opened_at > now - longest, person.c.disabled_at.is_(None))
    wanted = select(person).join(sign_in, s.person_id == person.c.id).where(s.token_hash == _token_hash(token), *alive)
    row = read.execute(wanted).one_or_none()
    return None if row is None else _person(row)


def touch_session(tx: Connection, token: str, now: datetime) -> None:
    """The session was used."""
    tx.execute(update(sign_in).where(sign_in.c.token_hash == _token_hash(token)).values(seen_at=now))


def end_session(tx: Connection, token: str, now: datetime) -> None:
    """Sign out."""
    here = update(sign_in).where(sign_in.c.token_hash == _token_hash(token), sign_in.c.ended_at.is_(None))
    tx.execute(here.values(ended_at=now))


def _end_all(tx: Connection, person_id: int, now: datetime) -> None:
    here = update(sign_in).where(sign_in.c.person_id == person_id, sign_in.c.ended_at.is_(None))
    tx.execute(here.values(ended_at=now))


def _token_hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
