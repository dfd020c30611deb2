"""GET /healthz: the process answers. GET /readyz: it can work, and the schedule keeps up."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, Field
from sqlalchemy.exc import SQLAlchemyError

from api.door import Door, door
from api.state import read_state
from storage import engine, migrate

router = APIRouter()
#: A source that should have been asked this long ago shows that nobody keeps the schedule.
LATEST = timedelta(minutes=15)


class Alive(BaseModel):
    """The process answers."""

    alive: bool = True


class Ready(BaseModel):
    """Whether the service can do its work."""

    ready: bool
    database: str = Field(description="ok, or what is wrong")
    migrations: str = Field(description="ok, or what is wrong")
    oldest_due_source_seconds: float | None = Field(None, description="how late the latest source is")
    problems: list[str] = Field(default_factory=list, description="what to do")


@router.get("/healthz", summary="Is the process alive?")
def healthz() -> Alive:
    """Touches nothing but the process."""
    return Alive()


@router.get("/readyz", summary="Can it work?", responses={503: {"model": Ready}})
def readyz(door: Annotated[Door, Depends(door)], response: Response) -> Ready:
    """Database, migrations and how late the schedule is; 503 if it cannot work."""
    found = _ready(door)
    response.status_code = 200 if found.ready else 503
    return found


def _ready(door: Door) -> Ready:
    try:
        behind = engine.current(door.settings.url) != migrate.head()
        if behind:
            problem = "the database is not of this version: run 'openear db upgrade'"
            return Ready(ready=False, database="ok", migrations="behind", problems=[problem])
        with door.store.read() as read:
            late = read_state(read, door.clock()).late
    except SQLAlchemyError as error:
        problem = f"the database does not answer ({type(error).__name__}): is it running, is its disk full?"
        return Ready(ready=False, database="down", migrations="unknown", problems=[problem])
    problems = []
    if late > LATEST:
        problems.append(f"a source is {late.total_seconds() / 60:.0f} minutes overdue: does 'openear run' still work?")
    return Ready(
        ready=not problems,
        database="ok",
        migrations="ok",
        oldest_due_source_seconds=round(late.total_seconds(), 1),
        problems=problems,
    )
