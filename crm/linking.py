"""Which case a scored mention belongs to, and why. Pure: it reads no clock, no database and no order of its input.

The rules in the order they are tried; the first that holds decides:

1. the agency's own posts and reposts belong to no case
2. the same mention, or an edit of it
3. it answers something at a case: its author joins; another person joins a public case, and is only suggested
   wherever anything is private
4. it quotes a case code: a party of the case joins, anybody else is suggested
5. a private channel: the same account's case of the last 30 days
6. the same author on the same topic within 7 days (72 hours after the case ended)
7. a review is a case of its own
8. alike in content, time and place: suggested, never joined
9. a new case, if it needs an answer; words about harm always get one
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from core.case import Link, Rule, Verdict
from core.mention import Kind, Visibility
from crm.alike import hours_apart, metres_apart, shared_words, words
from crm.codes import quoted
from crm.desk import Candidate, Rules, ScoredMention
from crm.index import CaseIndex

Test = Callable[[ScoredMention, CaseIndex, Rules], Link | None]


#: The rules of an operator who set nothing.
RULES = Rules()


def decide(
    mention: ScoredMention, candidates: Iterable[Candidate] | CaseIndex, now: datetime, rules: Rules = RULES
) -> Link:
    """The decision about one mention; the same input gives the same decision, whatever the order of candidates."""
    if mention.own or mention.repost_of is not None:
        why = "the agency's own words" if mention.own else "a repost: counted on its original"
        return Link(verdict=Verdict.IGNORE, rule=Rule.NONE, evidence={"why": why})
    mention = replace(mention, posted_at=min(mention.posted_at, now))  # a source's clock may run ahead
    index = candidates if isinstance(candidates, CaseIndex) else CaseIndex(candidates)
    found = next(filter(None, (test(mention, index, rules) for test in TESTS)), None)
    fresh = _new(mention, rules)
    if found is None or (found.verdict is Verdict.SUGGEST and _about_harm(mention, rules)):
        return _beside(fresh, found)
    if found.rule is Rule.SIMILAR and fresh.verdict is Verdict.IGNORE:
        return fresh
    return found


def _same(mention: ScoredMention, index: CaseIndex, rules: Rules) -> Link | None:
    for case in index.with_member(mention.key):
        return _join(Rule.SAME, case, 1.0, already=mention.external_id)
    return None


def _reply(mention: ScoredMention, index: CaseIndex, rules: Rules) -> Link | None:
    chain = dict.fromkeys(filter(None, (mention.parent, *mention.ancestors, mention.root)))
    for answered in chain:
        for case in index.with_member((mention.platform, answered)):
            if _party(mention, case):
                return _join(Rule.REPLY, case, 1.0, answers=answered, author="wrote at this case before")
            evidence = {"answers": answered, "author": "another person"}
            if case.public and not mention.private:
                return _join(Rule.REPLY, case, 0.9, **evidence)
            return _suggest(Rule.REPLY, case, 0.5, **evidence, why="something here is private")
    return None


def _case_code(mention: ScoredMention, index: CaseIndex, rules: Rules) -> Link | None:
    known = ((code, case) for code in quoted(mention.text) if (case := index.with_code(code)))
    for code, case in sorted(known, key=lambda pair: not _party(mention, pair[1])):
        if _party(mention, case):
            return _join(Rule.CASE_CODE, case, 1.0, code=code, author="wrote at this case before")
        return _suggest(Rule.CASE_CODE, case, 0.5, code=code, author="not known at this case")
    return None


def _private_channel(mention: ScoredMention, index: CaseIndex, rules: Rules) -> Link | None:
    if not mention.private:
        return None
    for case in index.with_author(mention.author):
        if not case.public and _takes_more(case, mention, rules.private, rules):
            return _join(Rule.PRIVATE_CHANNEL, case, 1.0, hours=hours_apart(mention.posted_at, case.updated_at))
    return None


def _author_topic(mention: ScoredMention, index: CaseIndex, rules: Rules) -> Link | None:
    if mention.private or mention.kind is Kind.REVIEW or not _about_us(mention, rules):
        return None
    for case in index.with_author(mention.author):
        common = sorted(mention.topics & case.topics)
        if common and case.public and _takes_more(case, mention, rules.join, rules):
            hours = hours_apart(mention.posted_at, case.updated_at)
            return _join(Rule.AUTHOR_TOPIC, case, 0.9, topics=common, hours=hours)
    return None


def _review(mention: ScoredMention, index: CaseIndex, rules: Rules) -> Link | None:
    if mention.kind is not Kind.REVIEW:
        return None
    fresh = _new(mention, rules)
    return replace(fresh, rule=Rule.REVIEW) if fresh.verdict is Verdict.OPEN else fresh


def _similar(mention: ScoredMention, index: CaseIndex, rules: Rules) -> Link | None:
    if mention.visibility is Visibility.PRIVATE or len(words(mention.text)) < rules.fewest_words:
        return None
    for cosine, case, number in index.alike(mention.scores.vector, rules.suggest):
        hours = hours_apart(mention.posted_at, case.updated_at)
        metres = metres_apart(mention.point, case.point)
        if not case.public or case.ended or not _near(hours, metres, rules):
            continue
        theirs = case.texts[number] if number < len(case.texts) else ""
        if theirs and len(words(theirs)) < rules.fewest_words:
            continue
        precision = max((value for least, value in rules.figures if cosine >= least), default=0.0)
        evidence = {"cosine": cosine, "words": shared_words(mention.text, theirs), "hours": hours}
        place = {} if metres is None else {"metres": metres}
        incident = {"incident": True} if case.incident else {}
        return _suggest(Rule.SIMILAR, case, precision, **evidence, **place, **incident)
    return None


#: The rules that look at cases, in order.
TESTS: tuple[Test, ...] = (_same, _reply, _case_code, _private_channel, _author_topic, _review, _similar)


def _new(mention: ScoredMention, rules: Rules) -> Link:
    """Open a case, have a person look, or leave it."""
    scores = mention.scores
    evidence = {"needs_answer": round(scores.needs_answer, 3), "about_us": round(scores.about_us, 3)}
    if _about_harm(mention, rules):
        evidence["safety"] = round(scores.safety, 3)
        return Link(verdict=Verdict.OPEN, rule=Rule.NEW, score=min(1.0, scores.safety), evidence=evidence)
    if scores.needs_answer < rules.threshold or not _about_us(mention, rules):
        return Link(verdict=Verdict.IGNORE, rule=Rule.NONE, evidence=evidence)
    unsure = sorted(scores.unsure & _MATTERS)
    if unsure:
        return Link(
            verdict=Verdict.SUGGEST, rule=Rule.NEW, score=scores.needs_answer, evidence=evidence | {"unsure": unsure}
        )
    return Link(verdict=Verdict.OPEN, rule=Rule.NEW, score=scores.needs_answer, evidence=evidence)


#: Heads that must not have abstained where a case is opened without a person.
_MATTERS = frozenset({"language", "about_us", "needs_answer"})


def _about_harm(mention: ScoredMention, rules: Rules) -> bool:
    return mention.scores.safety >= rules.safety


def _about_us(mention: ScoredMention, rules: Rules) -> bool:
    """What is sent to the agency is meant for it, whatever its words."""
    sent = mention.private or mention.kind in (Kind.MESSAGE, Kind.REQUEST)
    return sent or mention.scores.about_us >= rules.about


def _party(mention: ScoredMention, case: Candidate) -> bool:
    return mention.author is not None and mention.author in case.authors


def _takes_more(case: Candidate, mention: ScoredMention, window: timedelta, rules: Rules) -> bool:
    """True if the case still takes new words of its author."""
    if abs(mention.posted_at - case.updated_at) > window:
        return False
    if not case.ended:
        return True
    ended = case.resolved_at or case.updated_at
    return mention.posted_at - ended <= min(rules.after_end, window)


def _near(hours: float, metres: float | None, rules: Rules) -> bool:
    if metres is None:
        return hours <= rules.suggest_within.total_seconds() / 3600
    return metres <= rules.suggest_metres and hours <= rules.suggest_near_within.total_seconds() / 3600


def _join(rule: Rule, case: Candidate, score: float, **evidence: object) -> Link:
    reopens = {"reopens": True} if case.ended else {}
    return Link(verdict=Verdict.JOIN, rule=rule, case_id=case.case_id, score=score, evidence=evidence | reopens)


def _suggest(rule: Rule, case: Candidate, score: float, **evidence: object) -> Link:
    return Link(verdict=Verdict.SUGGEST, rule=rule, case_id=case.case_id, score=score, evidence=dict(evidence))


def _beside(fresh: Link, found: Link | None) -> Link:
    """A new case that still names the one it might belong to."""
    if found is None:
        return fresh
    also = {"may_belong_to": found.case_id, "by": found.rule.value, **found.evidence}
    return replace(fresh, evidence=fresh.evidence | {"suggestion": also})
