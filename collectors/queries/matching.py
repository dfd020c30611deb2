"""Tree and mention to yes or no. Words are looked up, never searched for: the cost is the query's, not the text's."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from collectors.queries.tree import (
    And,
    Field,
    Handle,
    Named,
    Near,
    Node,
    Not,
    Or,
    Prefix,
    Tag,
    Words,
    folded,
    is_unspaced,
    words_of,
)
from core.mention import Mention

_HANDLE = re.compile(r"(?<![\w@])@([\w.-]*\w)(?:@([\w.-]*\w))?")
_TAG = re.compile(r"(?<!\w)#(\w+)")
_URL = re.compile(r"https?://[^\s<>\"]+")

Span = tuple[int, int]  # first and last word, by position


@dataclass(frozen=True, slots=True)
class Subject:
    """A mention as queries look at it; made once for all queries."""

    text: str
    words: tuple[str, ...]
    positions: dict[str, list[int]]
    handles: frozenset[str]
    tags: frozenset[str]
    urls: tuple[str, ...]
    language: str
    places: tuple[tuple[str, ...], ...]
    sources: frozenset[str]


def subject_of(mention: Mention, source: str = "", language: str = "", places: Iterable[str] = ()) -> Subject:
    """What queries may ask of `mention`.

    Args:
        mention: as stored or as parsed.
        source: name of the source that saw it.
        language: our own reading of it; without one, the source's claim counts.
        places: places it is known to be about, beside those its text names.
    """
    text = folded(mention.text)
    words = words_of(text)
    positions: dict[str, list[int]] = {}
    for at, word in enumerate(words):
        positions.setdefault(word, []).append(at)
    handles = {name for m in _HANDLE.finditer(text) for name in (m[1], f"{m[1]}@{m[2]}" if m[2] else m[1])}
    return Subject(
        text=text,
        words=words,
        positions=positions,
        handles=frozenset(handles),
        tags=frozenset(m[1] for m in _TAG.finditer(text)),
        urls=tuple(map(folded, (mention.url, *_URL.findall(mention.text), *(m.url for m in mention.media)))),
        language=folded(language or mention.language or ""),
        places=tuple(words_of(folded(p)) for p in places),
        sources=frozenset(map(folded, (source, mention.platform))) - {""},
    )


def holds(node: Node, subject: Subject) -> bool:
    """Whether `subject` is what `node` asks for."""
    if isinstance(node, And):
        return all(holds(part, subject) for part in node.parts)
    if isinstance(node, Or):
        return any(holds(part, subject) for part in node.parts)
    if isinstance(node, Not):
        return not holds(node.part, subject)
    if isinstance(node, Words | Prefix):
        return bool(_spans(node, subject))
    if isinstance(node, Near):
        return _near(node, subject)
    return _known(node, subject)


def _known(node: Handle | Tag | Field | Named, subject: Subject) -> bool:
    if isinstance(node, Handle):
        return node.name in subject.handles
    if isinstance(node, Tag):
        return node.name in subject.tags
    if isinstance(node, Named):
        return any(_phrase(phrase, subject) for phrase in node.phrases)
    return _FIELDS[node.name](node.value, subject)


def _spans(node: Words | Prefix, subject: Subject) -> list[Span]:
    if isinstance(node, Words):
        return _phrase(node.words, subject)
    return [(at, at) for word, all_at in subject.positions.items() if word.startswith(node.start) for at in all_at]


def _phrase(words: tuple[str, ...], subject: Subject) -> list[Span]:
    length = len(words)
    found = [
        (at, at + length - 1)
        for at in subject.positions.get(words[0], ())
        if length == 1 or subject.words[at : at + length] == words
    ]
    if not found and length == 1 and is_unspaced(words[0]):
        return [(at, at) for at, word in enumerate(subject.words) if words[0] in word]
    return found


def _near(node: Near, subject: Subject) -> bool:
    left, right = sorted(_spans(node.left, subject)), sorted(_spans(node.right, subject))
    return _within(left, right, node.distance) or _within(right, left, node.distance)


def _within(first: Sequence[Span], second: Sequence[Span], distance: int) -> bool:
    """Whether one of `second` begins after one of `first`, with at most `distance` words between. Both are sorted."""
    at = 0
    for begin, _ in second:
        while at < len(first) and first[at][1] < begin:
            at += 1
        if at and begin - first[at - 1][1] - 1 <= distance:
            return True
    return False


def _in_place(value: str, subject: Subject) -> bool:
    words = words_of(value)
    return bool(words) and (words in subject.places or bool(_phrase(words, subject)))


def _in_language(value: str, subject: Subject) -> bool:
    return subject.language == value or subject.language.startswith(f"{value}-")


_FIELDS: dict[str, Callable[[str, Subject], bool]] = {
    "url": lambda value, subject: any(value in url for url in subject.urls),
    "lang": _in_language,
    "place": _in_place,
    "source": lambda value, subject: value in subject.sources,
}
