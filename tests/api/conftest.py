"""An app over a fresh database, and a sender who knows the secret."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr

from api.app import create_app
from core.settings import Agency, Phones, Settings
from crm.signing import sign
from storage.engine import Store, open_store, upgrade
from tests.conftest import NOW

SECRET = "the phones' secret"


@dataclass
class Clock:
    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def wait(self, **time: float) -> None:
        self.now += timedelta(**time)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        data_dir=tmp_path,
        phones=Phones(calls_secret=SecretStr(SECRET)),
        agency=Agency(timezone="America/New_York"),
    )


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:
    upgrade(settings.url)
    opened = open_store(settings.url)
    yield opened
    opened.close()


@pytest.fixture
def client(settings: Settings, store: Store, clock: Clock) -> Iterator[TestClient]:
    with TestClient(create_app(settings, store, clock), raise_server_exceptions=False) as opened:
        yield opened


Send = Callable[..., Any]


@pytest.fixture
def send(client: TestClient, clock: Clock) -> Send:
    """Send calls, signed; headers may be overwritten."""

    def sent(body: Any, event: str = "e1", kind: str = "application/json", **headers: str) -> Any:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        signed = {"content-type": kind, **sign(SECRET, event, content, clock())}
        return client.post("/calls", content=content, headers=signed | headers)

    return sent
