"""A small grammar of phrases: rules of alternatives, read from a plain text file.

A line `@name` begins a rule; each line after it is one alternative. In an alternative `{name}` stands for a rule,
`[this|that|]` for a choice on the spot (the last one being nothing). A line that begins with `;` is a remark.
"""

import random
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

_TOKENS = re.compile(r"\{([a-z_0-9]+)\}|(\[)|(\|)|(\])")
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
        name, opens, next_one, closes = token.groups()
        if name:
            here.append((name,))
        elif opens:
            stack.append([[]])
        elif len(stack) == 1:
            raise ValueError(f"line {number}: {token.group()!r} stands outside of brackets: {line!r}")
        elif next_one:
            stack[-1].append([])
        elif closes:
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
    return parse("\n".join((_FOLDER / name).read_text("utf-8") for name in ("names.txt", f"{language}.txt")))


class Voice:
    """Says what a grammar allows. `fixed` pins rules, so that a thread keeps to one street."""

    def __init__(self, grammar: Grammar, rng: random.Random, fixed: Mapping[str, str] | None = None) -> None:
        self._grammar = grammar
        self._rng = rng
        self._fixed = dict(fixed or {})

    def knows(self, rule: str) -> bool:
        """Whether there is such a rule."""
        return rule in self._grammar

    def say(self, rule: str) -> str:
        """One alternative of the rule, all choices made; spaces are tidied."""
        return re.sub(r"\s+([,.!?;:])", r"\1", " ".join(self._rule(rule).split()))

    def _rule(self, name: str) -> str:
        if name in self._fixed:
            return self._fixed[name]
        return self._sequence(self._rng.choice(self._grammar[name]))

    def _sequence(self, sequence: Sequence) -> str:
        return "".join(self._piece(piece) for piece in sequence)

    def _piece(self, piece: Piece) -> str:
        if isinstance(piece, str):
            return piece
        if isinstance(piece, tuple):
            return self._rule(piece[0])
        return self._sequence(self._rng.choice(piece))
