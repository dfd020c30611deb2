"""`openear check`: what works, what does not, and what to do about it."""

import shutil
import smtplib
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from core.batch import Budget, Head
from core.errors import OpenearError
from core.settings import Settings, load
from jobs.build import Runtime, open_runtime

WORKS, WARNS, FAILS = "works", "warns", "fails"
#: A source that answers its first page within this time works.
PROBE = timedelta(seconds=20)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: its state is works, warns or fails; `do` says what to do about it."""

    what: str
    state: str
    found: str
    do: str = ""

    def to_dict(self) -> dict[str, Any]:
        """For a table or a machine."""
        return asdict(self)


def findings(config: Path) -> Iterator[Finding]:
    """Look at everything; a part that fails hides no other."""
    try:
        settings = load()
    except OpenearError as error:
        yield Finding("settings", FAILS, str(error), "mend the setting named, or write a new file: openear init")
        return
    where = str(config) if config.exists() else "no file: defaults and environment"
    yield Finding("settings", WORKS if config.exists() else WARNS, where, "" if config.exists() else "openear init")
    yield _clock(settings)
    yield _disk(settings)
    try:
        runtime = open_runtime(settings, migrate=True)
    except OpenearError as error:
        yield Finding("database", FAILS, str(error), "see database_url in the settings")
        return
    yield Finding("database", WORKS, repr(runtime.store))
    yield _guarded("model", lambda: _model(runtime), "make clean, make run: the weights are checked by SHA-256")
    for name, source in settings.sources.items():
        if not source.enabled:
            yield Finding(f"source {name}", WARNS, "switched off", f"sources.{name}.enabled = true")
        else:
            yield _guarded(f"source {name}", partial(_source, runtime, name), "see docs/sources")
    if not settings.sources:
        yield Finding("sources", WARNS, "none", "add [sources.NAME] to the settings, or openear import FILE")
    yield _guarded("case system", lambda: _cases(runtime), "see [cases] in the settings")
    yield _alerts(settings)


def _guarded(what: str, look: Callable[[], Finding], do: str) -> Finding:
    try:
        return look()
    except OpenearError as error:
        return Finding(what, FAILS, str(error), do)


def _clock(settings: Settings) -> Finding:
    now = datetime.now(UTC)
    if now.year < 2025:
        return Finding("clock", FAILS, now.isoformat(), "set this machine's clock: forecasts and signatures need it")
    return Finding("clock", WORKS, f"{now.astimezone(settings.agency.zone):%Y-%m-%d %H:%M %Z}")


def _disk(settings: Settings) -> Finding:
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    free = shutil.disk_usage(settings.data_dir).free / 1e9
    state = WORKS if free > 2 else WARNS
    return Finding("disk", state, f"{free:.1f} GB free in {settings.data_dir}", "" if free > 2 else "make room")


def _model(runtime: Runtime) -> Finding:
    from core.scores import Passage

    scores = runtime.classifier.classify([Passage(text="The street light on our corner is broken again.")])[0]
    return Finding("model", WORKS, f"{runtime.classifier.model}: reads a complaint as {scores.sentiment.label}")


def _source(runtime: Runtime, name: str) -> Finding:
    """Ask for one page; nothing is stored."""
    deadline = runtime.clock() + PROBE
    with runtime.collector(name) as collector:
        first = next(iter(collector.collect(Head(), None, Budget(requests=2, mentions=50), deadline)), None)
    n = len(first.mentions) if first else 0
    return Finding(
        f"source {name}",
        WORKS if n else WARNS,
        f"answers; {n} on its first page",
        "" if n else "wait, or widen the query",
    )


def _cases(runtime: Runtime) -> Finding:
    system = runtime.case_system
    return Finding("case system", WORKS, f"{system.name}: {', '.join(sorted(system.capabilities))}")


def _alerts(settings: Settings) -> Finding:
    alerts = settings.alerts
    if not alerts.smtp_host and not alerts.webhook_url:
        return Finding(
            "alerts",
            WARNS,
            "nobody is told at night",
            "set alerts.smtp_host and alerts.email_to, or alerts.webhook_url",
        )
    if alerts.smtp_host:
        try:
            with smtplib.SMTP(alerts.smtp_host, alerts.smtp_port, timeout=10) as server:
                server.noop()
        except (OSError, smtplib.SMTPException) as error:
            return Finding("alerts", FAILS, f"{alerts.smtp_host}: {error}", "see alerts.smtp_host and alerts.smtp_port")
    return Finding("alerts", WORKS, "mail" if alerts.smtp_host else "webhook")
