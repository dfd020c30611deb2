"""The doors between the stages. One file each behind them; jobs/build.py puts them together."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Protocol

from core.actor import Actor
from core.batch import Batch, Budget, Task
from core.case import CaseDraft, CaseRef, CaseState, Status
from core.scores import Passage, Scores
from core.series import Forecast, Known, Series

#: Gives the present moment, aware, UTC. An argument everywhere, so that tests own the time.
Clock = Callable[[], datetime]


class Collector(Protocol):
    """One configured source."""

    @property
    def name(self) -> str:
        """The name the operator gave it in the settings."""

    @property
    def platform(self) -> str:
        """Where its mentions were said."""

    def collect(self, task: Task, cursor: str | None, budget: Budget, deadline: datetime) -> Iterator[Batch]:
        """Yield batches until the task is done, the budget is spent or the deadline is near.

        Head yields the newest first. Its first batch already carries the new cursor and the coverage that says
        what is still missing below it, so that a crash between two batches loses nothing.

        Raises:
            SourceError: after the batches that did arrive; its class says what to do next.
        """


class Classifier(Protocol):
    """Texts to scores. The same text scores the same alone and in any batch."""

    @property
    def model(self) -> str:
        """Name and revision of the weights, e.g. "openear-minilm@3f2a9c1"."""

    def classify(self, passages: Sequence[Passage]) -> list[Scores]:
        """Score each passage; the answer has the order and length of the question."""


class CaseSystem(Protocol):
    """Where cases live: our own tables, or the agency's CRM."""

    @property
    def name(self) -> str:
        """Its name in the settings."""

    @property
    def capabilities(self) -> frozenset[str]:
        """Of: find_by_key, comment, private_comment, attach, set_status, changes."""

    def open(self, draft: CaseDraft) -> CaseRef:
        """Open a case; the same key gives the same case.

        Raises:
            OutcomeUnknown: it may exist: `find` it before sending again.
        """

    def find(self, key: str) -> CaseRef | None:
        """Look a case up by our key."""

    def read(self, ref: CaseRef) -> CaseState:
        """The case as it is now."""

    def comment(self, ref: CaseRef, text: str, *, public: bool, actor: Actor) -> None:
        """Add a note; public notes may reach the resident."""

    def set_status(self, ref: CaseRef, status: Status, actor: Actor) -> CaseState:
        """Set the status and read it back."""

    def changes(self, since: str | None) -> tuple[list[CaseState], str]:
        """States changed since that cursor, and the next cursor. May repeat, never skips."""


class Forecaster(Protocol):
    """A series to its future."""

    @property
    def name(self) -> str:
        """What the tables call it."""

    def forecast(self, history: Series, known: Known, origin: datetime, steps: int) -> Forecast:
        """Forecast `steps` slots from `origin` on, reading nothing of `history` at or after it."""


class Engine(Protocol):
    """Carries "do unit N"; the database is the truth."""

    def submit(self, stage: str, unit: int) -> None:
        """Have run_unit(stage, unit) called somewhere, at least once, soon."""
