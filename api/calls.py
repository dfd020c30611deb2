"""POST /calls: call counts from the phone system, as they happen or as corrections."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field

from api.door import Door, Refused, Signed, door, signed
from core.errors import BadInput
from forecast.calls import CallsFile, parse_calls
from storage import calls, work

router = APIRouter()
#: The queue of rows that name none.
QUEUE = "main"
SHOWN = 100
KINDS = {"application/json": True, "text/csv": False}

from_phones = signed(lambda settings: settings.phones.calls_secret, "OPENEAR_PHONES__CALLS_SECRET")


class RejectedRow(BaseModel):
    """A row that was not taken."""

    line: int = Field(description="its line; in JSON its number, from 1")
    why: str


class Taken(BaseModel):
    """What became of the rows."""

    event: str
    repeated: bool = Field(description="this event was taken before: nothing was done now")
    new: int = Field(0, description="intervals not known before")
    corrected: int = Field(0, description="intervals whose figures changed")
    same: int = Field(0, description="rows that said nothing new")
    rejected: int = Field(0, description="rows that could not be used")
    why: list[RejectedRow] = Field(default_factory=list, description=f"the first {SHOWN} of them")


_ROW: dict[str, Any] = {
    "type": "object",
    "required": ["start", "calls"],
    "properties": {
        "start": {"type": "string", "description": "2026-03-02T08:30, local to the agency, or with an offset"},
        "calls": {"type": "number", "minimum": 0, "description": "how many came in"},
        "queue": {"type": "string", "description": f"default: {QUEUE}"},
        "step": {"type": "string", "description": "length, such as 30min; default: the spacing of the rows"},
        "answered": {"type": "number", "minimum": 0},
        "abandoned": {"type": "number", "minimum": 0},
        "handle_time": {"type": "number", "minimum": 0, "description": "mean seconds a call needed"},
        "recorded_at": {"type": "string", "description": "when it was counted; the newest counts; default: now"},
    },
}
_BODY: dict[str, Any] = {
    "properties": {
        "queue": _ROW["properties"]["queue"],
        "step": _ROW["properties"]["step"],
        "calls": {"type": "array", "items": _ROW},
    },
    "type": "object",
    "required": ["calls"],
}
_REQUEST = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": {"oneOf": [_BODY, {"type": "array", "items": _ROW}]}},
            "text/csv": {"schema": {"type": "string"}, "example": "start,calls\n2026-03-02 08:30,41\n"},
        },
    }
}


@router.post("/calls", response_model=Taken, openapi_extra=_REQUEST, summary="Send call counts, signed")
def take_calls(
    request: Request, message: Annotated[Signed, Depends(from_phones)], door: Annotated[Door, Depends(door)]
) -> Taken:
    """Store what is new; an event that was taken before changes nothing, so that it may be sent again."""
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind not in KINDS:
        raise Refused(415, "send application/json or text/csv")
    now = door.clock()
    try:
        file = parse_calls(message.body, KINDS[kind], QUEUE, door.settings.agency.zone, now)
    except BadInput as error:
        raise Refused(422, str(error)) from error
    with door.store.write() as tx:
        unit = work.add(tx, "calls", f"post:{message.event}", {"rows": len(file.calls)}, now)
        if unit is None:
            return Taken(event=message.event, repeated=True)
        done = calls.add(tx, file.calls)
        work.finish(tx, unit, now)
    return _taken(message.event, done, file)


def _taken(event: str, done: calls.Imported, file: CallsFile) -> Taken:
    return Taken(
        event=event,
        repeated=False,
        new=done.new,
        corrected=done.corrected,
        same=done.same,
        rejected=len(file.rejected),
        why=[RejectedRow(line=row.line, why=row.why) for row in file.rejected[:SHOWN]],
    )
