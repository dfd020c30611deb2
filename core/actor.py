"""Who does something: a person or a job. Every write names one."""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What a person may do. A manager may what an agent may; an admin may everything but approve for others."""

    VIEWER = "viewer"
    AGENT = "agent"
    MANAGER = "manager"
    RECORDS = "records"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Attributes:
    kind: "person" or "job".
    issuer: who vouches: "local" for people kept here, "openear" for jobs.
    subject: their id there, e.g. "maria" or "link".
    """

    kind: str
    issuer: str
    subject: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.subject}"


def job(name: str) -> Actor:
    """The job of that name, as an actor."""
    return Actor(kind="job", issuer="openear", subject=name)
