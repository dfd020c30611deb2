"""What a page asked for, done by a job: ask a source again, retry a dead letter."""

from collections.abc import Callable
from typing import Any

from core.actor import Actor
from core.errors import BadInput
from jobs.build import Runtime
from storage import requests, sources, work
from storage.work import Unit


def act(runtime: Runtime, unit: Unit) -> None:
    """The stage: do one request, note how it ended."""
    now = runtime.clock()
    number = int(unit.payload["request"])
    with runtime.store.write() as tx:
        request = requests.one(tx, number)
        if request is None or request.state != "waiting":
            return
        deed = DEEDS.get(request.kind)
        try:
            if deed is None:
                raise BadInput(f"no job knows how to {request.kind!r}")
            answer = deed(runtime, tx, request.payload, request.actor)
        except BadInput as error:
            requests.fail(tx, number, str(error), now)
        else:
            requests.finish(tx, number, answer, now)


def _ask_source(runtime: Runtime, tx: Any, payload: dict[str, Any], actor: Actor) -> str:
    del actor
    name = str(payload["source"])
    if not sources.ask_now(tx, name, runtime.clock()):
        raise BadInput(f"no source is called {name!r}")
    return f"{name} is asked within seconds"


def _retry(runtime: Runtime, tx: Any, payload: dict[str, Any], actor: Actor) -> str:
    work.retry(tx, int(payload["unit"]), actor, runtime.clock())
    return "it is tried again"


Deed = Callable[[Runtime, Any, dict[str, Any], Actor], str]
DEEDS: dict[str, Deed] = {"source.ask": _ask_source, "work.retry": _retry}
