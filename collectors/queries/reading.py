"""Text to tree. Every error points at its character."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

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
    joined,
    says_what,
    words_of,
)
from core.errors import BadInput

MOST_CHARACTERS = 4_000
MOST_DEPTH = 50
FIELDS = ("url", "lang", "place", "source", "list")
_TOKEN = re.compile(
    r"(?P<space>\s+)|(?P<open>\()|(?P<close>\))"
    r"|(?P<field>(?:url|lang|place|source|list):)(?P<value>\"[^\"]*\"?|[^\s()\"]*)"
    r"|(?P<phrase>\"[^\"]*\"?)"
    r"|(?P<handle>@[^\s()\"]*)|(?P<tag>#[^\s()\"]*)|(?P<minus>-(?=[\w\"(@#]))"
    r"|(?P<word>[^\s()\"]+)"
)
_NEAR = re.compile(r"NEAR(?:/(\d{1,3}))?")
_ENDS = frozenset(("close", "or", "end"))


class QueryError(BadInput):
    """A query that cannot be read. `position` counts characters from 0."""

    def __init__(self, message: str, text: str, position: int) -> None:
        begin = max(0, position - 40)
        line = text[begin : position + 40].replace("\n", " ")
        super().__init__(f"{message} (character {position + 1})\n  {line}\n  {' ' * (position - begin)}^")
        self.position = position


@dataclass(frozen=True, slots=True)
class Token:
    """One piece: kind, its words, its place in the text."""

    kind: str
    text: str
    at: int


@dataclass(slots=True)
class Reader:
    """Reads one query; used once."""

    text: str
    lists: Mapping[str, Sequence[str]]
    tokens: list[Token] = field(default_factory=list)
    next: int = 0

    def read(self) -> Node:
        """The whole tree."""
        if len(self.text) > MOST_CHARACTERS:
            raise QueryError(f"a query has at most {MOST_CHARACTERS} characters", self.text, MOST_CHARACTERS)
        self.tokens = [*tokens_of(self.text), Token("end", "", len(self.text))]
        if self._peek().kind == "end":
            raise QueryError("an empty query matches nothing: write what residents call you", self.text, 0)
        node = self._any_of(0)
        if self._peek().kind != "end":
            raise self._error("a closing bracket without its opening one")
        if not says_what(node):
            raise QueryError("this says only what is not wanted: add what is", self.text, 0)
        return node

    def _peek(self) -> Token:
        return self.tokens[self.next]

    def _take(self) -> Token:
        token = self.tokens[self.next]
        self.next += 1
        return token

    def _error(self, message: str, token: Token | None = None) -> QueryError:
        return QueryError(message, self.text, (token or self._peek()).at)

    def _any_of(self, depth: int) -> Node:
        if depth > MOST_DEPTH:
            raise self._error(f"more than {MOST_DEPTH} brackets or NOTs inside one another")
        parts = [self._all_of(depth)]
        while self._peek().kind == "or":
            self._take()
            parts.append(self._all_of(depth))
        return joined(Or, parts)

    def _all_of(self, depth: int) -> Node:
        parts = [self._maybe_not(depth)]
        while self._peek().kind not in _ENDS:
            if self._peek().kind == "and":
                self._take()
            parts.append(self._maybe_not(depth))
        return joined(And, parts)

    def _maybe_not(self, depth: int) -> Node:
        if self._peek().kind in ("not", "minus"):
            if depth >= MOST_DEPTH:
                raise self._error(f"more than {MOST_DEPTH} brackets or NOTs inside one another")
            self._take()
            return Not(self._maybe_not(depth + 1))
        return self._near(depth)

    def _near(self, depth: int) -> Node:
        left = self._one(depth)
        token = self._peek()
        if token.kind != "near":
            return left
        self._take()
        right = self._one(depth)
        if not isinstance(left, Words | Prefix) or not isinstance(right, Words | Prefix):
            raise self._error("NEAR stands between two words, phrases or prefix*", token)
        if self._peek().kind == "near":
            raise self._error("NEAR joins two things only: write a NEAR/3 b AND b NEAR/3 c")
        return Near(left, right, int(token.text))

    def _one(self, depth: int) -> Node:
        token = self._take()
        if token.kind == "open":
            node = self._any_of(depth + 1)
            if self._take().kind != "close":
                raise self._error("this bracket is never closed", token)
            return node
        if token.kind == "field":
            return self._known(token)
        leaf = _leaf(token)
        if leaf is None:
            self.next -= 1
            raise self._error(_MISSING.get(token.kind, f"nothing to look for in {token.text!r}"))
        return leaf

    def _known(self, token: Token) -> Node:
        name, _, value = token.text.partition(":")
        value = " ".join(folded(value).replace('"', "").split())
        if not value:
            raise self._error(f"{name}: needs a value, such as {_EXAMPLES[name]}", token)
        if name != "list":
            return Field(name, value)
        if value not in self.lists:
            there = ", ".join(sorted(self.lists)) or "none is defined"
            raise self._error(f"no list is called {value!r}; there are: {there}", token)
        return Named(value, tuple(filter(None, (words_of(folded(p)) for p in self.lists[value]))))


_MISSING = {
    "end": "something is missing at the end",
    "close": "nothing stands before this bracket",
    "or": "OR needs something on its left and its right",
    "and": "AND needs something on its left and its right",
    "near": "NEAR needs a word on its left and its right",
    "unclosed": "this quotation mark is never closed",
    "phrase": "these quotation marks hold no word",
    "handle": "@ needs an account's name",
    "tag": "# needs a tag's name",
}
_EXAMPLES = {"url": "url:example.org", "lang": "lang:es", "place": "place:springfield", "source": "source:mastodon"}
_EXAMPLES["list"] = "list:jobs"


def tokens_of(text: str) -> list[Token]:
    """The pieces of `text`. Any text has some: bad ones are refused by the reader, which knows why."""
    found = []
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup or ""
        if kind == "space":
            continue
        kind = "field" if kind == "value" else kind
        found.append(_named(kind, match[0], match.start()))
    return found


def _named(kind: str, text: str, at: int) -> Token:
    if kind == "word":
        if text in ("AND", "OR", "NOT"):
            return Token(text.lower(), text, at)
        if near := _NEAR.fullmatch(text):
            return Token("near", near[1] or "10", at)
    if text.count('"') == 1:
        return Token("unclosed", text, at)
    return Token(kind, text, at)


def _leaf(token: Token) -> Words | Prefix | Handle | Tag | None:
    text = folded(token.text)
    if token.kind == "word":
        words = words_of(text)
        if text.endswith("*") and len(words) == 1 and text == f"{words[0]}*":
            return Prefix(words[0])
        return Words(words, quoted=len(words) > 1) if words else None
    if token.kind == "phrase":
        words = words_of(text)
        return Words(words, quoted=True) if words else None
    if token.kind == "handle":
        name = re.match(r"@([\w.-]*\w(?:@[\w.-]*\w)?)", text)
        return Handle(name[1]) if name and name.end() == len(text) else None
    if token.kind == "tag":
        return Tag(text[1:]) if re.fullmatch(r"#\w+", text) else None
    return None
