"""The cases a mention may belong to, found by member, by author, by code and by content.

A worker that decides many mentions keeps one index and puts each case in again when it changed. The database stays
the truth: an index is built from it and thrown away. Nothing here depends on the order in which cases came in.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from crm.desk import AuthorKey, Candidate, MentionKey

_Vectors = NDArray[np.float32]
#: Products of long sums differ in their last digits with the place of a row; what lies this near is compared again.
_NEAR = 1e-3


class CaseIndex:
    """Candidates by everything the rules ask for."""

    def __init__(self, candidates: Iterable[Candidate] = ()) -> None:
        self._cases: dict[int, Candidate] = {}
        self._by_member: dict[MentionKey, set[int]] = defaultdict(set)
        self._by_author: dict[AuthorKey, set[int]] = defaultdict(set)
        self._by_code: dict[str, int] = {}
        self._rows: _Vectors = np.zeros((0, 0), np.float32)  # (capacity, width)
        self._owners: list[tuple[int, int]] = []  # row -> (case, which of its vectors); case 0: nobody's any more
        self._rows_of: dict[int, list[int]] = {}
        self._free: list[int] = []
        for candidate in candidates:
            self.put(candidate)

    def __len__(self) -> int:
        return len(self._cases)

    def put(self, candidate: Candidate) -> None:
        """Add a case, or replace what was known about it."""
        self.drop(candidate.case_id)
        self._cases[candidate.case_id] = candidate
        for member in candidate.members:
            self._by_member[member].add(candidate.case_id)
        for author in candidate.authors:
            self._by_author[author].add(candidate.case_id)
        if candidate.code:
            self._by_code[candidate.code] = candidate.case_id
        for number, vector in enumerate(candidate.vectors):
            self._append(read_vector(vector), (candidate.case_id, number))

    def drop(self, case_id: int) -> None:
        """Forget a case."""
        old = self._cases.pop(case_id, None)
        if old is None:
            return
        for member in old.members:
            self._by_member[member].discard(case_id)
        for author in old.authors:
            self._by_author[author].discard(case_id)
        self._by_code.pop(old.code, None)
        for row in self._rows_of.pop(case_id, ()):
            self._owners[row] = (0, 0)
            self._free.append(row)

    def with_member(self, key: MentionKey) -> list[Candidate]:
        """Cases that hold this mention, best first."""
        return self._sorted(self._by_member.get(key, ()))

    def with_author(self, author: AuthorKey | None) -> list[Candidate]:
        """Cases this author is a party of, best first."""
        return self._sorted(self._by_author.get(author, ())) if author else []

    def with_code(self, code: str) -> Candidate | None:
        """The case of that code."""
        case_id = self._by_code.get(code)
        return None if case_id is None else self._cases[case_id]

    def alike(self, vector: bytes, least: float) -> Iterator[tuple[float, Candidate, int]]:
        """(cosine, case, which of its vectors) from the most alike on, at least `least`, one a case.

        Cosines are rounded to 4 digits; ties go to the case touched last, then to the older one.
        """
        wanted = read_vector(vector)
        n = len(self._owners)
        if n == 0 or wanted.size != self._rows.shape[1]:
            return
        rough = self._rows[:n] @ wanted
        best: dict[int, tuple[float, int]] = {}
        for row in np.flatnonzero(rough >= least - _NEAR):
            case_id, number = self._owners[row]
            cosine = round(float(self._rows[row].astype(np.float64) @ wanted.astype(np.float64)), 4)
            if case_id and cosine >= least and (cosine, -number) > best.get(case_id, (0.0, 0)):
                best[case_id] = (cosine, -number)
        order = sorted(best, key=lambda one: (-best[one][0], *_rank(self._cases[one])))
        yield from ((best[one][0], self._cases[one], -best[one][1]) for one in order)

    def _append(self, vector: _Vectors, owner: tuple[int, int]) -> None:
        if self._rows.shape[1] == 0 and vector.size:
            self._rows = np.zeros((64, vector.size), np.float32)
        if not vector.size or vector.size != self._rows.shape[1]:
            return  # of another model: not comparable
        row = self._free.pop() if self._free else len(self._owners)
        if row == len(self._owners):
            self._owners.append(owner)
        if row == len(self._rows):
            self._rows = np.concatenate([self._rows, np.zeros_like(self._rows)])
        self._rows[row] = vector
        self._owners[row] = owner
        self._rows_of.setdefault(owner[0], []).append(row)

    def _sorted(self, ids: Iterable[int]) -> list[Candidate]:
        return sorted((self._cases[one] for one in ids), key=_rank)


def read_vector(vector: bytes) -> _Vectors:
    """The float16 bytes of Scores.vector as float32 of unit length, shape (width,); b"" gives shape (0,)."""
    values = np.frombuffer(vector, dtype="<f2").astype(np.float32)
    length = float(np.linalg.norm(values))
    return values / length if length else values[:0]


def _rank(case: Candidate) -> tuple[bool, datetime, int]:
    """Sorts the best first: still open, then touched last, then the older number."""
    return case.ended, _reversed(case.updated_at), case.case_id


def _reversed(moment: datetime) -> datetime:
    """Later moments sort first."""
    return datetime.max.replace(tzinfo=moment.tzinfo) - (moment - datetime.min.replace(tzinfo=moment.tzinfo))
