"""GET /metrics: the same numbers in Prometheus' text format (version 0.0.4). No text of residents, no secrets."""

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Response

from api.door import Door, door
from api.state import State, read_state

router = APIRouter()
FORMAT = "text/plain; version=0.0.4; charset=utf-8"

Samples = list[tuple[dict[str, str], float]]


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}}, summary="Numbers")
def metrics(door: Annotated[Door, Depends(door)]) -> Response:
    """For a monitoring system to read."""
    with door.store.read() as read:
        state = read_state(read, door.clock())
    return Response(text(state), media_type=FORMAT)


def text(state: State) -> str:
    """The numbers, one a line."""
    return "".join(
        f"# HELP {name} {about}\n# TYPE {name} gauge\n"
        + "".join(_line(name, labels, value) for labels, value in samples)
        for name, about, samples in _gauges(state)
    )


def _gauges(state: State) -> Iterator[tuple[str, str, Samples]]:
    units: Samples = [
        ({"stage": stage, "state": name}, n)
        for stage, states in sorted(state.units.items())
        for name, n in sorted(states.items())
    ]
    yield "openear_source_oldest_due_seconds", "How late the latest source is.", [({}, state.late.total_seconds())]
    yield (
        "openear_source_last_success_timestamp_seconds",
        "When a source last answered as it should.",
        _moments("source", {row.name: row.ok_at for row in state.sources}),
    )
    yield (
        "openear_source_state",
        "1 for the state a source is in.",
        [({"source": row.name, "state": row.state if row.enabled else "off"}, 1) for row in state.sources],
    )
    yield "openear_work_units", "Units of work by stage and state.", units
    yield "openear_dead_letters", "Units of work that were given up and wait for a person.", [({}, state.dead)]
    yield (
        "openear_score_lag_seconds",
        "How long the oldest unread text has waited.",
        [({}, state.score_lag.total_seconds())],
    )
    yield (
        "openear_calls_newest_timestamp_seconds",
        "Start of the newest interval of a queue.",
        _moments("queue", dict(state.calls_at)),
    )
    yield "openear_alerts_untold", "Alerts that nobody is known to have been told.", [({}, state.untold)]


def _moments(label: str, moments: dict[str, datetime | None] | dict[str, datetime]) -> Samples:
    return [({label: name}, moment.timestamp()) for name, moment in sorted(moments.items()) if moment is not None]


def _line(name: str, labels: dict[str, str], value: float) -> str:
    inside = ",".join(f'{key}="{_escaped(label)}"' for key, label in labels.items())
    return f"{name}{{{inside}}} {value:.15g}\n" if inside else f"{name} {value:.15g}\n"


def _escaped(label: str) -> str:
    return label.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
