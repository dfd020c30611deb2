"""Why people write, how often, and what they answer."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

#: What is written on an ordinary day, relative.
USUAL = {
    "complaint": 37,
    "question": 12,
    "praise": 9,
    "chatter": 9,
    "sarcasm": 4,
    "namesake": 3.5,
    "ad": 1.5,
    "news": 3,
    "safety": 1.4,
    "not_safety": 1.2,
    "agree": 6,
    "answer": 6,
    "after": 3.5,
    "quote": 2,
    "repost": 2.5,
}
AT_NIGHT = {**USUAL, "safety": 9.0, "praise": 4, "news": 0, "answer": 0, "ad": 0.5}
OF_BURST = {
    "complaint": 62,
    "agree": 14,
    "news": 4,
    "answer": 6,
    "after": 3,
    "quote": 4,
    "repost": 5,
    "not_safety": 0.3,
}
OWN = frozenset({"news", "answer"})
REPLIES = frozenset({"agree", "answer", "after"})


class Heard(Protocol):
    """What an act needs to know of the thing it answers."""

    @property
    def own(self) -> bool:
        """The city said it."""

    @property
    def act(self) -> str:
        """Why it was said."""

    @property
    def language(self) -> str:
        """In which language."""

    @property
    def topic(self) -> str | None:
        """About what."""


def _residents(one: Heard) -> bool:
    return not one.own and one.act not in ("repost", "ad", "namesake", "chatter")


#: Acts that need something to answer, and what can be answered so.
ANSWERS: Mapping[str, Callable[[Heard], bool]] = {
    "agree": lambda one: _residents(one) and one.act not in ("praise", "agree"),
    "answer": lambda one: _residents(one) and one.act in ("complaint", "question", "safety", "sarcasm"),
    "after": lambda one: one.own and one.act == "answer",
    "quote": lambda one: one.act in ("complaint", "news", "sarcasm", "safety"),
    "repost": lambda one: one.act in ("complaint", "news", "safety", "chatter"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A text, and what belongs to it."""

    text: str
    language: str
    edit: str
    title: str = ""
    topic: str | None = None
    stars: int | None = None
    place: str = ""
    handle: str = ""
