"""What a query is made of. Printing a tree and reading it again gives the same tree."""

import re
import unicodedata
from dataclasses import dataclass

_WORD = re.compile(r"\w+")
#: Scripts written without spaces: a word of theirs is looked for anywhere in the text.
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")


def folded(text: str) -> str:
    """`text` as it is compared: case, width and accents do not matter.

    >>> folded("Reparación")
    'reparacion'
    """
    spread = unicodedata.normalize("NFKD", text).casefold()
    return unicodedata.normalize("NFKC", "".join(c for c in spread if not unicodedata.combining(c)))


def words_of(text: str) -> tuple[str, ...]:
    """The words of already folded `text`, in order."""
    return tuple(_WORD.findall(text))


def is_unspaced(word: str) -> bool:
    """Whether `word` is of a script written without spaces."""
    return _UNSPACED.search(word) is not None


@dataclass(frozen=True, slots=True)
class Words:
    """These words, next to each other. One word or a phrase; a phrase was quoted."""

    words: tuple[str, ...]
    quoted: bool = False

    def __str__(self) -> str:
        text = " ".join(self.words)
        return f'"{text}"' if self.quoted else text


@dataclass(frozen=True, slots=True)
class Prefix:
    """A word that begins so."""

    start: str

    def __str__(self) -> str:
        return f"{self.start}*"


@dataclass(frozen=True, slots=True)
class Handle:
    """An account that is spoken to: name, or name@server."""

    name: str

    def __str__(self) -> str:
        return f"@{self.name}"


@dataclass(frozen=True, slots=True)
class Tag:
    """A hashtag."""

    name: str

    def __str__(self) -> str:
        return f"#{self.name}"


@dataclass(frozen=True, slots=True)
class Field:
    """Something else that is known of a mention: url, lang, place or source."""

    name: str
    value: str

    def __str__(self) -> str:
        return f'{self.name}:"{self.value}"'


@dataclass(frozen=True, slots=True)
class Named:
    """Any phrase of a named list, e.g. one of job adverts to leave out."""

    name: str
    phrases: tuple[tuple[str, ...], ...]

    def __str__(self) -> str:
        return f'list:"{self.name}"'


@dataclass(frozen=True, slots=True)
class Near:
    """Both, with at most `distance` words between them, in any order."""

    left: Words | Prefix
    right: Words | Prefix
    distance: int

    def __str__(self) -> str:
        return f"{self.left} NEAR/{self.distance} {self.right}"


@dataclass(frozen=True, slots=True)
class Not:
    """Anything but this."""

    part: "Node"

    def __str__(self) -> str:
        return f"NOT {_inside(self.part)}"


@dataclass(frozen=True, slots=True)
class And:
    """All of these: two or more, none of them an And."""

    parts: tuple["Node", ...]

    def __str__(self) -> str:
        return " AND ".join(map(_inside, self.parts))


@dataclass(frozen=True, slots=True)
class Or:
    """Any of these: two or more, none of them an Or."""

    parts: tuple["Node", ...]

    def __str__(self) -> str:
        return " OR ".join(map(_inside, self.parts))


Leaf = Words | Prefix | Handle | Tag | Field | Named | Near
Node = Leaf | Not | And | Or


def _inside(node: Node) -> str:
    return f"({node})" if isinstance(node, And | Or) else str(node)


def joined(kind: type[And] | type[Or], parts: list[Node]) -> Node:
    """One node of `parts`: flat, and no And or Or of a single part."""
    flat: list[Node] = []
    for part in parts:
        flat.extend(part.parts if isinstance(part, kind) else (part,))
    return flat[0] if len(flat) == 1 else kind(tuple(flat))


def says_what(node: Node) -> bool:
    """Whether the query says what is wanted, and not only what is not."""
    if isinstance(node, And):
        return any(map(says_what, node.parts))
    if isinstance(node, Or):
        return all(map(says_what, node.parts))
    return not isinstance(node, Not)
