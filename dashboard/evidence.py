"""Why a mention is at a case, in words a person can check. Pure; the words may quote residents: show them as text."""

from collections.abc import Mapping
from typing import Any

from dashboard import words
from storage.views import LinkRow
from storage.waiting import Decision

RULES = {
    "same": "it is the same mention, edited",
    "reply": "it answers something at the case",
    "case_code": "it quotes the code of the case",
    "private_channel": "the same account wrote about it in private",
    "author_topic": "the same author wrote about the same topic",
    "review": "a review is a case of its own",
    "similar": "it is alike in content and time",
    "new": "no open case fits",
    "none": "no case is needed",
    "person": "a member of staff decided",
}
_SHARES = {
    "needs_answer": "needs an answer",
    "about_us": "is about the agency",
    "safety": "may be about harm",
    "cosine": "likeness of the texts",
}
_LISTS = {"words": "both say", "topics": "both are about", "unsure": "the model is unsure whether"}
_UNSURE = {
    "about_us": "the agency is meant",
    "needs_answer": "an answer is needed",
    "language": "it reads the language",
}
_PLAIN = {
    "answers": "it answers",
    "author": "its author",
    "code": "the code",
    "why": "because",
    "reason": "reason given",
}


def standing(decision: Decision) -> str:
    """What is decided about a mention, and why, in one sentence."""
    link, named = decision.link, f"case {decision.code}" if decision.code else "a case"
    said = {
        "join": f"At {named}",
        "open": f"Opened {named}",
        "ignore": "At no case",
        "suggest": f"May belong to {named}" if decision.code else "May need a case",
    }[link.verdict]
    also = f" It may belong to case {decision.also_code} instead." if decision.also_code else ""
    fresh = link.verdict == "open" and link.rule == "new"  # its figures stand on the desk anyway
    return f"{said}: {RULES['new'] if fresh else because(link)}.{also}"


def because(link: LinkRow) -> str:
    """The rule and what it saw: "it is alike in content and time (both say: main, water; 1.5 hours apart)"."""
    unsure = link.verdict == "suggest" and link.rule == "new"
    rule = "the model is not sure enough to decide" if unsure else RULES.get(link.rule, link.rule)
    facts = seen(link.evidence)
    if link.rule == "similar":
        facts.append(f"about {round(10 * link.score)} of 10 such suggestions are right")
    return f"{rule} ({'; '.join(facts)})" if facts else rule


def seen(evidence: Mapping[str, Any]) -> list[str]:
    """Each piece of evidence in words."""
    return [_fact(name, value) for name, value in evidence.items() if name != "suggestion" and value != ""]


def _fact(name: str, value: Any) -> str:
    if name in _SHARES and isinstance(value, int | float):
        return f"{_SHARES[name]}: {words.percent(value)}"
    if name in ("hours", "metres") and isinstance(value, int | float):
        return f"{value:,.1f} hours apart" if name == "hours" else f"{value:,.0f} m apart"
    if name in _LISTS and isinstance(value, list | tuple):
        named = {"topics": words.TOPIC_NAMES, "unsure": _UNSURE}.get(name, {})
        return f"{_LISTS[name]}: {', '.join(named.get(str(v), str(v)) for v in value)}"
    if name == "reopens":
        return "the case is opened again"
    return f"{_PLAIN.get(name, name.replace('_', ' '))}: {words.text(str(value))}"
