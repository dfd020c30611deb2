"""The app: routes, what they answer to trouble, and headers that every answer carries."""

import logging
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import SQLAlchemyError
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import calls, health, metrics
from api.door import Door, Refused
from core.protocols import Clock
from core.settings import Settings
from storage.engine import Store

log = logging.getLogger("openear.api")
HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


def create_app(settings: Settings, store: Store, clock: Clock) -> FastAPI:
    """The app over an open database. Its documentation is /openapi.json; no page loads scripts from elsewhere."""
    app = FastAPI(
        title="openear",
        description="Calls in, health and metrics out.",
        docs_url=None,
        redoc_url=None,
        responses={code: {"model": None, "description": why} for code, why in _TROUBLE.items()},
    )
    app.state.door = Door(settings=settings, store=store, clock=clock)
    for part in (calls, health, metrics):
        app.include_router(part.router)
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _unreadable)
    app.add_exception_handler(SQLAlchemyError, _database)
    app.add_middleware(Headed)
    return app


_TROUBLE = {503: "the database does not answer, or something is not set up"}


class Headed:
    """Adds HEADERS to every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and the answer back."""

        async def headed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, headed)


def _refused(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Refused)
    if error.status == 401:
        log.warning("refused %s %s: %s", request.method, request.url.path[:100].encode("unicode_escape"), error)
    return _said(error.status, str(error))


def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    return _said(error.status_code, str(error.detail))


def _unreadable(request: Request, error: Exception) -> JSONResponse:
    return _said(422, "the request cannot be read: see /openapi.json")


def _database(request: Request, error: Exception) -> JSONResponse:
    log.error("the database does not answer: %s", type(error).__name__)
    return _said(503, "the database does not answer: try again soon", {"retry-after": "10"})


def _said(status: int, message: str, headers: dict[str, str] | None = None) -> JSONResponse:
    answer: dict[str, Any] = {"error": message}
    return JSONResponse(answer, status_code=status, headers=headers)
