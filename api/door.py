"""What every request passes: its body is capped, its sender known. Nothing of it is believed before."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Header, Request
from pydantic import SecretStr

from core.errors import OpenearError
from core.protocols import Clock
from core.settings import Settings
from crm.signing import EVENT_HEADER, SIGNATURE_HEADER, BadSignature, check
from storage.engine import Store

LARGEST_BODY = 2**20  # bytes
SLOWEST_BODY = 30.0  # seconds


@dataclass(frozen=True)
class Door:
    """What the routes need."""

    settings: Settings
    store: Store
    clock: Clock


class Refused(OpenearError):
    """An answer other than yes: `status` is HTTP's number for it."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Signed:
    """A message whose sender is known."""

    event: str
    body: bytes


def door(request: Request) -> Door:
    """The door of the app that answers this request."""
    found: Door = request.app.state.door
    return found


async def capped_body(request: Request) -> bytes:
    """The body as it was sent, if it is not too long and not too slow.

    Raises:
        Refused: it is; or it is compressed, so that its length cannot be trusted.
    """
    if request.headers.get("content-encoding", "identity") != "identity":
        raise Refused(415, "send the body as it is, not compressed")
    length = request.headers.get("content-length", "0")
    if not length.isascii() or not length.isdigit() or int(length[:9]) > LARGEST_BODY:
        raise Refused(413, f"the body may have {LARGEST_BODY} bytes: send it in parts")
    body = bytearray()
    try:
        async with asyncio.timeout(SLOWEST_BODY):
            async for part in request.stream():
                body += part
                if len(body) > LARGEST_BODY:
                    raise Refused(413, f"the body may have {LARGEST_BODY} bytes: send it in parts")
    except TimeoutError:
        raise Refused(408, f"the body did not arrive within {SLOWEST_BODY:.0f} seconds") from None
    return bytes(body)


def signed(secret_of: Callable[[Settings], SecretStr | None], setting: str) -> Callable[..., Signed]:
    """A dependency that lets only signed messages through.

    Args:
        secret_of: where the settings keep the secret.
        setting: how the operator sets it.
    """

    def known(
        body: Annotated[bytes, Depends(capped_body)],
        door: Annotated[Door, Depends(door)],
        event: Annotated[str | None, Header(alias=EVENT_HEADER, description="an id never used twice")] = None,
        signature: Annotated[
            str | None, Header(alias=SIGNATURE_HEADER, description="t=<seconds since 1970>,v1=<HMAC-SHA256, hex>")
        ] = None,
    ) -> Signed:
        secret = secret_of(door.settings)
        if secret is None or not secret.get_secret_value():
            raise Refused(503, f"nothing is taken here yet: the operator must set {setting}")
        try:
            return Signed(check(secret.get_secret_value(), event, signature, body, door.clock()), body)
        except BadSignature as error:
            raise Refused(401, str(error)) from error

    return known
