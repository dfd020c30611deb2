from dataclasses import fields, replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.case import Link, Rule, Status, Verdict
from core.mention import Kind, Point, Visibility
from crm.desk import Candidate, Rules, ScoredMention, rules
from crm.index import CaseIndex
from crm.linking import decide
from tests.crm.make import ANA, BEN, NOW, case, mention, scores, vector


def say(link: Link) -> tuple[Verdict, Rule, int | None]:
    return link.verdict, link.rule, link.case_id


WATER = frozenset({"drainage_flooding_water_sewer"})


def test_a_complaint_that_fits_no_case_opens_one() -> None:
    link = decide(mention(), [case()], NOW)
    assert say(link) == (Verdict.OPEN, Rule.NEW, None)
    assert link.evidence == {"needs_answer": 0.9, "about_us": 0.95}


@pytest.mark.parametrize("changes", [{"own": True}, {"repost_of": "99"}])
def test_own_words_and_reposts_belong_nowhere_even_about_harm(changes: dict[str, Any]) -> None:
    its = mention(parent="50", scores=scores(safety=0.99), **changes)
    assert say(decide(its, [case()], NOW)) == (Verdict.IGNORE, Rule.NONE, None)


def test_an_edit_stays_at_its_case_even_if_that_is_closed() -> None:
    closed = case(members=frozenset({("mastodon", "100")}), status=Status.CLOSED)
    link = decide(mention(scores=scores(needs_answer=0.0)), [closed], NOW)
    assert say(link) == (Verdict.JOIN, Rule.SAME, 1)
    assert link.evidence["reopens"] is True


def test_the_same_number_on_another_platform_is_another_mention() -> None:
    other = case(members=frozenset({("bluesky", "100"), ("bluesky", "50")}))
    assert decide(mention(parent="50"), [other], NOW).rule is Rule.NEW


@pytest.mark.parametrize("where", [{"parent": "50"}, {"root": "50"}, {"parent": "9", "ancestors": ("8", "50")}])
def test_a_reply_by_a_party_joins(where: dict[str, Any]) -> None:
    link = decide(mention(author=BEN, scores=scores(needs_answer=0.1), **where), [case()], NOW)
    assert say(link) == (Verdict.JOIN, Rule.REPLY, 1)
    assert link.evidence["answers"] == "50"


def test_another_persons_reply_joins_a_public_case_with_less_certainty() -> None:
    link = decide(mention(parent="50"), [case()], NOW)
    assert say(link) == (Verdict.JOIN, Rule.REPLY, 1)
    assert link.score < 1


@pytest.mark.parametrize("author", [ANA, None])
def test_another_persons_reply_never_joins_a_private_case(author: tuple[str, str] | None) -> None:
    link = decide(mention(parent="50", author=author), [case(public=False)], NOW)
    assert say(link) == (Verdict.SUGGEST, Rule.REPLY, 1)


def test_a_private_reply_never_joins_another_persons_public_case() -> None:
    link = decide(mention(parent="50", visibility=Visibility.PRIVATE), [case()], NOW)
    assert link.verdict is Verdict.SUGGEST


def test_a_case_code_joins_its_party_and_is_suggested_for_others() -> None:
    text = "Any news on m-bnbn7? It is still loud."
    known = decide(mention(text=text, author=BEN), [case()], NOW)
    assert say(known) == (Verdict.JOIN, Rule.CASE_CODE, 1)
    assert known.evidence["code"] == "M-BNBN7"
    assert say(decide(mention(text=text), [case()], NOW)) == (Verdict.SUGGEST, Rule.CASE_CODE, 1)
    assert say(decide(mention(text=text, author=None), [case()], NOW))[0] is Verdict.SUGGEST


def test_a_private_channel_continues_for_thirty_days() -> None:
    talk = case(public=False, authors=frozenset({ANA}), updated_at=NOW - timedelta(days=29))
    private = mention(visibility=Visibility.PRIVATE, kind=Kind.MESSAGE)
    assert say(decide(private, [talk], NOW)) == (Verdict.JOIN, Rule.PRIVATE_CHANNEL, 1)
    assert decide(private, [replace(talk, updated_at=NOW - timedelta(days=31))], NOW).rule is Rule.NEW
    assert decide(private, [replace(talk, status=Status.CLOSED, updated_at=NOW - timedelta(days=4))], NOW).rule is (
        Rule.NEW
    )


def test_a_private_message_never_joins_its_authors_public_case() -> None:
    public = case(authors=frozenset({ANA}), topics=WATER)
    assert decide(mention(visibility=Visibility.PRIVATE), [public], NOW).verdict is Verdict.OPEN


def test_a_public_post_never_joins_its_authors_private_case() -> None:
    private = case(authors=frozenset({ANA}), topics=WATER, public=False)
    assert decide(mention(), [private], NOW).rule is Rule.NEW


def test_the_same_author_and_topic_join_within_seven_days() -> None:
    theirs = case(authors=frozenset({ANA}), topics=WATER, updated_at=NOW - timedelta(days=6))
    link = decide(mention(), [theirs], NOW)
    assert say(link) == (Verdict.JOIN, Rule.AUTHOR_TOPIC, 1)
    assert link.evidence == {"topics": ["drainage_flooding_water_sewer"], "hours": 144.0}
    assert decide(mention(), [replace(theirs, updated_at=NOW - timedelta(days=8))], NOW).rule is Rule.NEW
    assert decide(mention(), [replace(theirs, topics=frozenset({"noise", "other"}))], NOW).rule is Rule.NEW


@pytest.mark.parametrize(("hours", "verdict"), [(71, Verdict.JOIN), (73, Verdict.OPEN)])
def test_after_a_case_ended_its_author_has_72_hours(hours: int, verdict: Verdict) -> None:
    ended = NOW - timedelta(hours=hours)
    theirs = case(authors=frozenset({ANA}), topics=WATER, status=Status.RESOLVED, resolved_at=ended, updated_at=ended)
    assert decide(mention(), [theirs], NOW).verdict is verdict


def test_the_open_case_is_taken_before_the_ended_one() -> None:
    common: dict[str, Any] = {"authors": frozenset({ANA}), "topics": WATER}
    ended = case(case_id=1, status=Status.RESOLVED, updated_at=NOW, resolved_at=NOW, **common)
    still = case(case_id=2, code="M-W9T3Z", **common)
    assert decide(mention(), [ended, still], NOW).case_id == 2


def test_one_review_is_one_case() -> None:
    twin = case(authors=frozenset({ANA}), topics=WATER, vectors=(vector(),), texts=(mention().text,))
    assert say(decide(mention(kind=Kind.REVIEW), [twin], NOW)) == (Verdict.OPEN, Rule.REVIEW, None)
    praise = mention(kind=Kind.REVIEW, scores=scores(needs_answer=0.1))
    assert say(decide(praise, [twin], NOW)) == (Verdict.IGNORE, Rule.NONE, None)


def alike(**changes: Any) -> Candidate:
    return case(vectors=(vector(0.95, 0.3, 0.0),), texts=("Water main burst, Oak Street is flooded!",), **changes)


def test_alike_content_is_suggested_with_evidence_a_person_can_check() -> None:
    link = decide(mention(), [alike()], NOW)
    assert say(link) == (Verdict.SUGGEST, Rule.SIMILAR, 1)
    assert link.evidence["cosine"] == pytest.approx(0.953, abs=0.003)
    assert link.evidence["words"][:3] == ["flooded", "street", "burst"]
    assert link.evidence["hours"] == 1.0
    assert link.score == 0.60  # the precision measured from a cosine of 0.9 on


@pytest.mark.parametrize(
    "changes",
    [
        {"text": "Water main burst"},  # too short
        {"kind": Kind.REVIEW},
        {"visibility": Visibility.PRIVATE},
        {"scores": scores(vector=b"")},
        {"scores": scores(vector=vector(0.5, 0.9, 0.0))},
        {"posted_at": NOW - timedelta(days=30)},
    ],
)
def test_what_is_too_short_private_unlike_or_long_ago_is_not_compared(changes: dict[str, Any]) -> None:
    assert decide(mention(**changes), [alike()], NOW).verdict is Verdict.OPEN


@pytest.mark.parametrize(
    "changes", [{"public": False}, {"status": Status.RESOLVED}, {"updated_at": NOW - timedelta(hours=80)}]
)
def test_private_ended_and_old_cases_are_not_suggested_by_content(changes: dict[str, Any]) -> None:
    assert decide(mention(), [alike(**changes)], NOW).verdict is Verdict.OPEN


def test_where_both_places_are_known_near_counts_longer_and_far_not_at_all() -> None:
    here, near, far = (Point(latitude=35.0 + north, longitude=-106.0) for north in (0.0, 0.001, 0.1))
    old = alike(updated_at=NOW - timedelta(days=10), point=near)
    link = decide(mention(point=here), [old], NOW)
    assert (link.rule, link.evidence["metres"]) == (Rule.SIMILAR, 111.0)
    assert decide(mention(point=here), [alike(point=far)], NOW).rule is Rule.NEW


def test_what_needs_no_answer_is_not_suggested_by_content() -> None:
    assert decide(mention(scores=scores(needs_answer=0.1)), [alike()], NOW).verdict is Verdict.IGNORE


def test_words_about_harm_open_a_case_and_name_the_one_they_may_belong_to() -> None:
    link = decide(mention(scores=scores(safety=0.9, needs_answer=0.0, about_us=0.0)), [alike()], NOW)
    assert say(link) == (Verdict.OPEN, Rule.NEW, None)
    assert link.evidence["suggestion"]["may_belong_to"] == 1


@pytest.mark.parametrize("changes", [{"needs_answer": 0.49}, {"about_us": 0.2}])
def test_no_case_without_need_or_about_somebody_else(changes: dict[str, Any]) -> None:
    assert say(decide(mention(scores=scores(**changes)), [], NOW)) == (Verdict.IGNORE, Rule.NONE, None)


def test_what_is_sent_to_the_agency_is_about_it() -> None:
    assert decide(mention(kind=Kind.REQUEST, scores=scores(about_us=0.1)), [], NOW).verdict is Verdict.OPEN


@pytest.mark.parametrize("head", ["language", "about_us", "needs_answer"])
def test_an_unsure_model_asks_a_person(head: str) -> None:
    link = decide(mention(scores=scores(unsure=frozenset({head}))), [], NOW)
    assert say(link) == (Verdict.SUGGEST, Rule.NEW, None)
    assert link.evidence["unsure"] == [head]


def test_an_unsure_sentiment_opens_a_case_all_the_same() -> None:
    assert decide(mention(scores=scores(unsure=frozenset({"sentiment"}))), [], NOW).verdict is Verdict.OPEN


def test_rules_follow_the_settings() -> None:
    from core.settings import Cases, Settings

    ours = rules(Settings(cases=Cases(threshold=0.2, join_days=1)))
    assert (ours.threshold, ours.join) == (0.2, timedelta(days=1))
    assert decide(mention(scores=scores(needs_answer=0.3)), [], NOW, ours).verdict is Verdict.OPEN


LOUD = ("follow", "verified", "reach", "influence", "likes", "karma", "popular", "subscriber", "audience", "views")


@pytest.mark.parametrize("kind", [ScoredMention, Candidate, Rules])
def test_no_rule_can_see_influence(kind: type[Any]) -> None:
    names = [field.name for field in fields(kind)]
    assert not [name for name in names for word in LOUD if word in name]


ids = st.sampled_from(["100", "50", "51", "52"])
authors = st.sampled_from([ANA, BEN, None])
mentions = st.builds(
    mention,
    external_id=ids,
    parent=st.none() | ids,
    author=authors,
    kind=st.sampled_from([Kind.POST, Kind.REVIEW, Kind.MESSAGE]),
    visibility=st.sampled_from(list(Visibility)),
    own=st.booleans(),
    repost_of=st.none() | ids,
    text=st.sampled_from([mention().text, "see M-BNBN7 and M-W9T3Z", "help"]),
    posted_at=st.integers(-400, 40).map(lambda hours: NOW + timedelta(hours=hours)),
    scores=st.builds(
        scores,
        needs_answer=st.sampled_from([0.1, 0.9]),
        safety=st.sampled_from([0.1, 0.9]),
        vector=st.sampled_from([vector(), vector(0.9, 0.1, 0.4), b""]),
    ),
)
cases = st.lists(
    st.builds(
        case,
        case_id=st.integers(1, 6),
        status=st.sampled_from(list(Status)),
        public=st.booleans(),
        updated_at=st.integers(-400, 0).map(lambda hours: NOW + timedelta(hours=hours)),
        members=st.frozensets(ids.map(lambda one: ("mastodon", one)), max_size=2),
        authors=st.frozensets(st.sampled_from([ANA, BEN]), max_size=2),
        topics=st.sampled_from([WATER, frozenset()]),
        vectors=st.lists(st.sampled_from([vector(), vector(0.9, 0.2, 0.4)]), max_size=2).map(tuple),
    ),
    max_size=6,
    unique_by=lambda one: one.case_id,
).map(lambda found: [replace(one, code=f"M-C0DE{one.case_id}") for one in found])


@given(mentions, cases, st.randoms(use_true_random=False))
def test_the_order_of_candidates_does_not_matter_and_a_replay_decides_the_same(its, ours, rng) -> None:  # type: ignore[no-untyped-def]
    first = decide(its, ours, NOW)
    shuffled = rng.sample(ours, len(ours))
    assert decide(its, shuffled, NOW) == first == decide(its, CaseIndex(ours), NOW)


@given(mentions, cases)
def test_what_always_holds(its: ScoredMention, ours: list[Candidate]) -> None:
    link = decide(its, ours, NOW)
    joined = next((one for one in ours if one.case_id == link.case_id), None)
    if its.own or its.repost_of:
        assert link.verdict is Verdict.IGNORE
    elif its.scores.safety > 0.7:
        assert link.verdict in (Verdict.OPEN, Verdict.JOIN)
    if link.verdict is Verdict.JOIN:
        assert joined is not None
        assert link.rule not in (Rule.SIMILAR, Rule.NEW, Rule.NONE)
        another = its.author not in joined.authors and its.key not in joined.members
        assert not (another and (not joined.public or its.private))
    else:
        assert (link.case_id is not None) == (link.verdict is Verdict.SUGGEST and link.rule is not Rule.NEW)


@given(cases, cases, mentions)
def test_an_index_kept_up_to_date_is_as_good_as_a_new_one(before, after, its) -> None:  # type: ignore[no-untyped-def]
    kept = CaseIndex(before)
    for one in before:
        kept.drop(one.case_id)
    for one in after:
        kept.put(replace(one, vectors=(vector(0.1, 0.2, 0.3),)))
        kept.put(one)
    assert decide(its, kept, NOW) == decide(its, after, NOW)
