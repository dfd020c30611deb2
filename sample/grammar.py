"""A small grammar of phrases: rules of alternatives, read from a plain text file.

A line `@name` begins a rule; each line after it is one alternative. In an alternative `{name}` stands for a rule,
`[this|that|]` for a choice on the spot (the last one being nothing). A line that begins with `;` is a remark.
"""

import random
import re
from functools import cache
from pathlib import Path

from sample import city

_TOKENS = re.compile(r"\{([a-z_0-9]+)\}|\[|\||\]")
_FOLDER = Path(__file__).parent / "words"

#: A piece of an alternative: plain text, the name of a rule, or alternatives on the spot.
Piece = str | tuple[str] | list["Sequence"]
Sequence = list[Piece]
Grammar = dict[str, list[Sequence]]


def parse(text: str) -> Grammar:
    """Read a grammar.

    Raises:
        ValueError: a line stands outside a rule, a rule is unknown, or a bracket is not closed.
    """
    rules: Grammar = {}
    current: list[Sequence] | None = None
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith(";"):
            continue
        if line.startswith("@"):
            current = rules.setdefault(line[1:].strip(), [])
        elif current is None:
            raise ValueError(f"line {number} stands outside a rule: {line!r}")
        else:
            current.append(_alternative(line.strip(), number))
    for name in {name for alternatives in rules.values() for name in _names(alternatives)}:
        if not rules.get(name):
            raise ValueError(f"no rule is called {name!r}")
    return rules


def _alternative(line: str, number: int) -> Sequence:
    """One line as a sequence of pieces."""
    stack: list[list[Sequence]] = [[[]]]
    position = 0
    for token in _TOKENS.finditer(line):
        here = stack[-1][-1]
        if token.start() > position:
            here.append(line[position : token.start()])
        position = token.end()
        if token[1]:
            here.append((token[1],))
        elif token[0] == "[":
            stack.append([[]])
        elif len(stack) == 1:
            raise ValueError(f"line {number}: {token[0]!r} stands outside of brackets: {line!r}")
        elif token[0] == "|":
            stack[-1].append([])
        else:
            choice = stack.pop()
            stack[-1][-1].append(choice)
    if len(stack) != 1:
        raise ValueError(f"line {number}: a bracket is not closed: {line!r}")
    stack[0][-1].append(line[position:])
    return stack[0][0]


def _names(alternatives: list[Sequence]) -> set[str]:
    names: set[str] = set()
    for sequence in alternatives:
        for piece in sequence:
            if isinstance(piece, tuple):
                names.add(piece[0])
            elif isinstance(piece, list):
                names |= _names(piece)
    return names


@cache
def load(language: str) -> Grammar:
    """The grammar of a language, names of the city included."""
    names = {
        "street": city.STREETS,
        "district": city.DISTRICTS,
        "landmark": city.LANDMARKS,
        "bus": city.LINES,
        "department": city.DEPARTMENTS,
    }
    words = (_FOLDER / f"{language}.txt").read_text("utf-8")
    lines = [line for rule, values in names.items() if f"\n@{rule}\n" not in words for line in (f"@{rule}", *values)]
    return parse("\n".join((*lines, words)))


@cache
def words(rule: str) -> tuple[str, ...]:
    """The plain words under a heading of names.txt."""
    rules = parse((_FOLDER / "names.txt").read_text("utf-8"))
    return tuple("".join(piece for piece in line if isinstance(piece, str)) for line in rules[rule])


_NEVER_TWICE = frozenset({"street", "landmark", "district", "weekday", "lugar", "bus"})
_TIDY = (
    (re.compile(r"\s+([,.!?])"), r"\1"),
    (re.compile(r"(?<!\.)\.\.(?!\.)"), "."),
    (re.compile(r",(?=[.!?,])"), ""),
    (re.compile(r"([!?])\."), r"\1"),
    (re.compile(r"\bde el\b"), "del"),
    (re.compile(r"\ba el\b"), "al"),
)


def tidy(text: str) -> str:
    """Spaces and marks as a careful writer would set them, Spanish contractions made."""
    text = " ".join(text.split())
    for pattern, better in _TIDY:
        text = pattern.sub(better, text)
    return text.rstrip(",")


class Voice:
    """Says what a grammar allows; no street crosses itself."""

    def __init__(self, grammar: Grammar, rng: random.Random) -> None:
        self._grammar = grammar
        self._rng = rng
        self._last: dict[str, str] = {}

    def knows(self, rule: str) -> bool:
        """Whether there is such a rule."""
        return rule in self._grammar

    def say(self, rule: str) -> str:
        """One alternative of the rule, all choices made, tidied."""
        return tidy(self._rule(rule))

    def _rule(self, name: str) -> str:
        said = self._sequence(self._rng.choice(self._grammar[name]))
        if name in _NEVER_TWICE and self._last.get(name) == said:
            return self._rule(name)
        self._last[name] = said
        return said

    def _sequence(self, sequence: Sequence) -> str:
        return "".join(self._piece(piece) for piece in sequence)

    def _piece(self, piece: Piece) -> str:
        if isinstance(piece, str):
            return piece
        if isinstance(piece, tuple):
            return self._rule(piece[0])
        return self._sequence(self._rng.choice(piece))
