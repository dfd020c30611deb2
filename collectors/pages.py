"""What a parser makes of one answer, and how it reads a field that may be missing or of another type."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, overload

from core.errors import SourceChanged
from core.mention import Deletion, Mention

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One answer of a source, read.

    Attributes:
        mentions: in the source's order.
        rejected: items that could not be read, each (external id or "", why).
        next: the source's own word for where the rest is; None: there is no rest.
        total: how many there are in all, if the source says.
        listed: how many items the answer held, whatever became of them.
    """

    mentions: tuple[Mention, ...] = ()
    deletions: tuple[Deletion, ...] = ()
    rejected: tuple[tuple[str, str], ...] = ()
    next: str | None = None
    total: int | None = None
    listed: int = 0


class Unreadable(Exception):
    """One item cannot be read. The page may be readable all the same."""


def needed(item: Mapping[str, Any], name: str, kind: type[T]) -> T:
    """The field `name` of an item.

    Raises:
        Unreadable: it is missing or not a `kind`.
    """
    value = item.get(name)
    if not isinstance(value, kind) or isinstance(value, bool) is not (kind is bool):
        raise Unreadable(f"{name} is {_kind(value) if name in item else 'missing'}, not {kind.__name__}")
    return value


@overload
def optional(item: Mapping[str, Any], name: str, kind: type[T]) -> T | None: ...
@overload
def optional(item: Mapping[str, Any], name: str, kind: type[T], default: T) -> T: ...
def optional(item: Mapping[str, Any], name: str, kind: type[T], default: T | None = None) -> T | None:
    """The field `name` of an item; `default` if it is missing, null or not a `kind`."""
    value = item.get(name)
    return value if isinstance(value, kind) else default


def readable(source: str, page: Page, what: str) -> Page:
    """`page`, unless it held items of which none could be read.

    Raises:
        SourceChanged: the source has changed its `what`.
    """
    if page.rejected and not page.mentions and not page.deletions:
        raise SourceChanged(source, f"no {what} can be read any more: {page.rejected[0][1]}")
    return page


def _kind(value: object) -> str:
    return "null" if value is None else type(value).__name__
