"""What counts as a mention: a query is read once, matched here on every mention, and said in a source's own dialect.

    "maple harbor" OR @mapleharbor OR #mapleharbor
    water NEAR/5 bill*
    springfield AND (place:illinois OR place:"sangamon county") AND NOT list:jobs
    pothole lang:es url:example.org source:mastodon

AND may be left out; NOT may be written -; brackets group. Case, accents and width of letters do not matter.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from collectors.queries import dialects
from collectors.queries.matching import Subject, holds, subject_of
from collectors.queries.reading import QueryError, Reader
from collectors.queries.tree import And as _And
from collectors.queries.tree import Named, Node, Not, folded, joined, words_of
from core import settings
from core.mention import Mention

__all__ = ["Query", "QueryError", "from_settings", "matches", "matching", "parse", "terms_for", "unsaid_by"]

DIALECTS = ("mastodon", "bluesky")


@dataclass(frozen=True, slots=True)
class Query:
    """A query that was read. str() prints it so that it reads the same again."""

    root: Node

    def __str__(self) -> str:
        return str(self.root)


def parse(text: str, lists: Mapping[str, Sequence[str]] | None = None) -> Query:
    """Read a query.

    Args:
        text: as the operator wrote it.
        lists: phrases by the name that `list:` uses, lower case.

    Raises:
        QueryError: says what is wrong, and at which character.
    """
    return Query(Reader(text, lists or {}).read())


def from_settings(query: settings.Query, lists: Mapping[str, Sequence[str]] | None = None) -> Query:
    """The query of a settings section; its `exclude` phrases never match.

    Raises:
        QueryError: as for parse.
    """
    root = parse(query.text, lists).root
    phrases = tuple(filter(None, (words_of(folded(phrase)) for phrase in query.exclude)))
    return Query(joined(_And, [root, Not(Named("exclude", phrases))])) if phrases else Query(root)


def matches(
    query: Query, mention: Mention, *, source: str = "", language: str = "", places: Iterable[str] = ()
) -> bool:
    """Whether `mention` is what `query` asks for; for the other arguments see `subject_of`."""
    return holds(query.root, subject_of(mention, source, language, places))


def matching(queries: Mapping[str, Query], subject: Subject) -> list[str]:
    """The names of the queries that `subject` matches; it is prepared once for all of them."""
    return [name for name, query in queries.items() if holds(query.root, subject)]


def terms_for(query: Query, dialect: str) -> tuple[str, ...]:
    """What a source's own search can say of the query: searches that together find all it can find.

    Args:
        query: what is wanted.
        dialect: "mastodon" gives tags without #, "bluesky" gives texts for q.
    """
    return dialects.searches(query.root, dialect)


def unsaid_by(query: Query, dialect: str) -> tuple[str, ...]:
    """The parts of the query that the source's search cannot say; `matches` sees to them afterwards."""
    return dialects.unsaid(query.root, dialect)
