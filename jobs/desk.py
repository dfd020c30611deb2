"""The cases a linker holds before it: read once, then kept up as it decides, so that a join costs what it adds."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from core.case import Status
from core.mention import Visibility
from crm.desk import Candidate, ScoredMention
from crm.index import CaseIndex
from storage.cases import CandidateRow
from storage.queue import LinkInput

#: So many of a case's newest texts are compared by content; its members and authors count all.
NEWEST = 12
#: (when it was said, mention id, embedding, text): sorts the same however the case was built.
Said = tuple[datetime, int, bytes, str]


class Desk:
    """The index of cases, and what was said at each."""

    def __init__(self, rows: Iterable[CandidateRow]) -> None:
        self.index = CaseIndex()
        self.said: dict[int, list[Said]] = {}
        self._cases: dict[int, Candidate] = {}
        for row in rows:
            self.put(row)

    def put(self, row: CandidateRow) -> None:
        """Add a case as it is stored, or replace what was known of it."""
        self.said[row.case_id] = newest((m.at, m.mention_id, m.vector, m.text) for m in row.mentions if m.vector)
        self._keep(candidate(row))

    def add(self, case_id: int, item: LinkInput, mention: ScoredMention) -> None:
        """A mention joined a case that is here."""
        old = self._cases[case_id]
        if mention.scores.vector:
            fresh = (item.at, item.mention_id, mention.scores.vector, item.text)
            self.said[case_id] = newest([*self.said[case_id], fresh])
        topics = frozenset() if "topics" in mention.scores.unsure else mention.topics
        self._keep(
            replace(
                old,
                public=old.public and mention.visibility is not Visibility.PRIVATE,
                updated_at=max(old.updated_at, item.at),
                topics=old.topics | topics,
                members=old.members | {mention.key},
                authors=old.authors | {mention.author} if mention.author else old.authors,
            )
        )

    def _keep(self, case: Candidate) -> None:
        said = self.said[case.case_id]
        case = replace(case, vectors=tuple(each[2] for each in said), texts=tuple(each[3] for each in said))
        self._cases[case.case_id] = case
        self.index.put(case)


def newest(said: Iterable[Said]) -> list[Said]:
    """The newest NEWEST, newest first."""
    return sorted(said, reverse=True)[:NEWEST]


def candidate(row: CandidateRow) -> Candidate:
    """A stored case as the rules see it: it was last touched when its newest words were said."""
    return Candidate(
        case_id=row.case_id,
        status=Status(row.status),
        code=row.code,
        public=all(m.visibility != Visibility.PRIVATE for m in row.mentions),
        updated_at=max((m.at for m in row.mentions), default=row.opened_at),
        resolved_at=row.ended_at,
        topics=frozenset(topic for m in row.mentions for topic in m.topics) - {"other"},
        members=frozenset((m.platform, m.external_id) for m in row.mentions),
        authors=frozenset((m.author, m.author_epoch) for m in row.mentions if m.author and m.author_epoch),
    )
