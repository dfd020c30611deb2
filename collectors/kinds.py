"""What a kind of source is: its options, how to build it, and how to read its answers."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx
from pydantic import BaseModel, ConfigDict

from collectors.pages import Page
from collectors.query import Query
from collectors.recordings import Exchange
from core.protocols import Clock, Collector
from core.settings import Agency, Network, Source


class Options(BaseModel):
    """What only one kind of source knows; an unknown name is an error, not a silence."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What a source is given by whoever builds it.

    Attributes:
        client_for: base address -> guarded client (net.client.open_client); "" for a source of many hosts.
        query: what counts as a mention, for sources that can be searched; None: by the agency's names.
        network: for a source that crawls in a process of its own; the others ask through client_for.
    """

    client_for: Callable[[str], httpx.Client]
    clock: Clock
    query: Query | None = None
    agency: Agency = field(default_factory=Agency)
    network: Network = field(default_factory=Network)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of source.

    Attributes:
        options: what its settings section may hold.
        build: (name, source, checked options, context) -> collector.
        parse: one recorded answer, as its collector would read it, or the error it is mapped to. Pure.
    """

    options: type[Options]
    build: Callable[[str, Source, Any, Context], Collector]
    parse: Callable[[Exchange, datetime], Page]
