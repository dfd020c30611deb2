"""The one place where real things are put together: settings to store, collectors, classifier, case system.

Nothing heavy is imported before it is used: a process that only collects never loads the model.
"""

import random
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING

from core.batch import Batch
from core.errors import SettingsError
from core.protocols import CaseSystem, Classifier, Clock, Collector
from core.settings import Settings, load
from jobs.keys import Keys, epoch_of, open_keys
from jobs.leases import this_process
from jobs.model_cache import model_cache
from jobs.protect import bare, protect
from nlp import pii
from storage import engine
from storage.engine import Store
from storage.work import Unit

if TYPE_CHECKING:
    import httpx

    from collectors.query import Query
    from collectors.registry import Context
    from net.client import Rules


def utc_now() -> datetime:
    """The present moment."""
    return datetime.now(UTC)


def _nothing(unit: Unit) -> None:
    del unit


@dataclass
class Runtime:
    """What a job needs.

    Attributes:
        owner: who holds a lease: this machine and process.
        leased: told of each unit as it is taken up; a progress display listens here.
    """

    settings: Settings
    store: Store
    clock: Clock = utc_now
    rng: random.Random = field(default_factory=random.Random)
    owner: str = field(default_factory=this_process)
    leased: Callable[[Unit], None] = _nothing

    @cached_property
    def classifier(self) -> Classifier:
        """The model; loaded at first use, by the scoring process alone."""
        from nlp.classifier import load as load_classifier

        settings = self.settings
        return load_classifier(
            settings.model.folder,
            threads=settings.model.threads,
            cache=model_cache(settings),
            agency=settings.agency,
        )

    @cached_property
    def model(self) -> str:
        """Name and revision of the weights, read without loading them."""
        from nlp import shipped

        digest = (self.settings.model.folder or shipped.FOLDER) / shipped.DIGEST
        return f"{shipped.NAME}@{digest.read_text('ascii')[:7]}"

    @contextmanager
    def collector(self, name: str) -> Iterator[Collector]:
        """A source of the settings, built; its connections are closed at the end."""
        from collectors import registry

        source = self.settings.sources.get(name)
        if source is None:
            known = ", ".join(sorted(self.settings.sources)) or "none"
            raise SettingsError(f"no source is called {name!r}; the settings name: {known}")
        with ExitStack() as opened:
            context = self._context(source.query, lambda base_url: opened.enter_context(self.client(base_url)))
            yield registry.build(name, source, context)

    def _context(self, query: str | None, client_for: "Callable[[str], httpx.Client]") -> "Context":
        from collectors.registry import Context

        return Context(
            client_for=client_for,
            clock=self.clock,
            query=self.query(query),
            agency=self.settings.agency,
            network=self.settings.network,
        )

    def client(self, base_url: str) -> "httpx.Client":
        """A guarded client, to be closed; all of this process share one budget of each host."""
        from net.client import open_client

        return open_client(self.settings.network, base_url=base_url, rules=self._rules)

    @cached_property
    def _rules(self) -> "Rules":
        from net.client import Rules

        return Rules()

    def query(self, name: str | None) -> "Query | None":
        """A query of the settings, parsed; None for none."""
        if name is None:
            return None
        if name not in self.settings.queries:
            raise SettingsError(f"no query is called {name!r}: add [queries.{name}]")
        from collectors.query import from_settings

        return from_settings(self.settings.queries[name])

    @cached_property
    def case_system(self) -> CaseSystem:
        """Where cases live."""
        from crm import registry
        from jobs.native import StoredCases

        return registry.build(self.settings, StoredCases(self.store, self.clock))

    @cached_property
    def own(self) -> frozenset[str]:
        """The agency's own handles, bare."""
        return frozenset(map(bare, self.settings.agency.handles))

    def keys(self, now: datetime) -> Keys:
        """The keys of the pseudonyms of this epoch."""
        days = self.settings.retention.pseudonym_days
        return self._keys(epoch_of(now, days), now)

    def _keys(self, epoch: str, now: datetime) -> Keys:
        if epoch not in self._key_cache:
            self._key_cache[epoch] = open_keys(self.settings.data_dir, now, self.settings.retention.pseudonym_days)
        return self._key_cache[epoch]

    @cached_property
    def _key_cache(self) -> dict[str, Keys]:
        return {}

    def protect(self, batch: Batch, now: datetime) -> Batch:
        """The batch as it may be stored: masked, pseudonymous, own posts known as such."""
        return protect(batch, own=self.own, mask=self.mask, seal=self.keys(now).author)

    def mask(self, text: str) -> str:
        """The text without personal data; the agency's own numbers and addresses stay."""
        return pii.mask(text, keep=self._contacts).text

    @cached_property
    def _contacts(self) -> frozenset[str]:
        return pii_keep(self.settings.agency.contacts)


def pii_keep(contacts: tuple[str, ...]) -> frozenset[str]:
    """Contacts as nlp.pii.mask compares them: e-mails in lower case, phones as digits with a leading + if given.

    >>> sorted(pii_keep(("Info@Example.org", "(555) 010-0199")))
    ['5550100199', 'info@example.org']
    """
    return frozenset(each.lower() if "@" in each else re.sub(r"[^\d+]", "", each) for each in contacts)


def open_runtime(settings: Settings | None = None, *, migrate: bool = False) -> Runtime:
    """Read the settings and open the database.

    Args:
        settings: default: openear.toml and the environment.
        migrate: bring an older or empty database up to date first.

    Raises:
        SettingsError, BadInput: what is wrong and what to do.
    """
    settings = settings or load()
    if migrate:
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        engine.upgrade(settings.url)
    return Runtime(settings=settings, store=engine.open_store(settings.url))
