import re
from collections import Counter
from dataclasses import fields
from datetime import timedelta
from itertools import pairwise

from core.scores import TOPICS
from sample import city, grammar, mentions
from sample.mentions import Said
from sample.plan import MENTIONS, Plan
from sample.story import ZONE, Story, tell
from tests.sample.conftest import EVENING

RESERVED_PHONE = re.compile(r"\(?\d{3}\)?[ .-]555[.-]01\d\d")


def written(said: list[Said]) -> list[Said]:
    """All but reposts, which repeat their original on purpose."""
    return [one for one in said if one.repost_of is None]


def fourgrams(text: str) -> list[tuple[str, ...]]:
    words = re.findall(r"\w+", text.lower())
    return [tuple(words[at : at + 4]) for at in range(len(words) - 3)]


def test_twenty_thousand_up_to_the_newcomers_day(said: list[Said]) -> None:
    assert len(said) == MENTIONS
    assert len({(one.platform, one.id) for one in said}) == MENTIONS
    assert all(earlier.at <= later.at for earlier, later in pairwise(said))


def test_same_seed_same_words_another_seed_others(story: Story, said: list[Said]) -> None:
    plan, day = Plan(tell(EVENING)), story.recycling_monday
    again = mentions.of_day(story, plan, day)
    assert again == [one for one in said if one.at.date() == day]
    other = tell(EVENING, seed=8)
    assert mentions.of_day(other, Plan(other), day) != again


def test_the_city_goes_on_after_the_newcomers_day(story: Story) -> None:
    plan = Plan(story)
    counts = [len(mentions.of_day(story, plan, plan.last + timedelta(days=n))) for n in range(3, 13)]
    assert all(10 < count < 90 for count in counts)


def test_texts_do_not_look_copied(said: list[Said]) -> None:
    texts = [one.text for one in written(said)]
    assert len(set(texts)) / len(texts) > 0.97
    grams = [gram for text in texts for gram in fourgrams(text)]
    assert len(set(grams)) / len(grams) > 0.4
    assert Counter(grams).most_common(1)[0][1] < 0.02 * len(texts)


def test_both_languages_and_all_platforms(said: list[Said]) -> None:
    languages = Counter(one.language for one in said)
    assert 0.15 < languages["es"] / len(said) < 0.3
    platforms = Counter(one.platform for one in said)
    assert set(platforms) == set(mentions.PLATFORMS)
    assert min(platforms.values()) > 0.05 * len(said)


def test_every_topic_is_there_in_a_believable_mix(said: list[Said]) -> None:
    topics = Counter(one.topic for one in said if one.topic)
    assert set(topics) == set(TOPICS)
    assert all(count >= 100 for count in topics.values())
    assert max(topics.values()) < 0.2 * sum(topics.values())


def test_every_act_is_there(said: list[Said]) -> None:
    acts = Counter(one.act for one in said)
    assert acts["complaint"] < 0.5 * len(said)
    for act in ("question", "praise", "sarcasm", "namesake", "ad", "news", "answer", "agree", "safety", "quote"):
        assert acts[act] >= 100, act
    assert acts["repost"] >= 50
    assert acts["after"] >= 50


def test_somebody_is_in_danger_by_night_too(said: list[Said], story: Story) -> None:
    danger = [one for one in said if one.act == "safety"]
    nights = [one for one in danger if one.at.astimezone(ZONE).hour < 5]
    assert len(nights) >= 10
    assert any(
        one.at.astimezone(ZONE).date() == story.break_day and one.at.astimezone(ZONE).hour == 2 for one in nights
    )
    soon = mentions.between(story, story.anchor, story.anchor + timedelta(minutes=5))
    assert any(one.act == "safety" for one in soon), "a newcomer sees an alert within minutes"


def test_incidents_are_loud(said: list[Said], story: Story) -> None:
    days = Counter(one.at.astimezone(ZONE).date() for one in said)
    ordinary = sorted(days.values())[len(days) // 2]
    assert days[story.break_day] > 6 * ordinary
    assert days[story.recycling_monday + timedelta(days=2)] > 2 * ordinary
    assert days[story.rumour_day] > 2.5 * ordinary


def test_replies_answer_something_earlier_on_the_same_platform(said: list[Said]) -> None:
    by_id = {(one.platform, one.id): one for one in said}
    replies = [one for one in said if one.kind == "reply"]
    assert len(replies) > 1000
    for one in replies:
        parent = by_id[one.platform, one.parent or ""]
        assert parent.at <= one.at
        assert parent.language == one.language
        assert one.root in (parent.id, parent.root)


def test_who_thanks_the_city_is_who_asked(said: list[Said]) -> None:
    by_id = {(one.platform, one.id): one for one in said}
    thanks = [one for one in said if one.act == "after"]
    for one in thanks:
        answer = by_id[one.platform, one.parent or ""]
        assert answer.own
        assert one.author == by_id[one.platform, answer.parent or ""].author


def test_reviews_have_stars_and_nothing_else_has(said: list[Said]) -> None:
    assert all((one.stars in (1, 2, 3, 4, 5)) == (one.kind == "review") for one in said)
    assert {one.stars for one in said if one.stars} == {1, 2, 3, 4, 5}


def test_some_are_edited_and_some_taken_back(said: list[Said]) -> None:
    edited = [one for one in said if one.edited_at]
    assert 200 < len(edited) < 1000
    assert all(one.edited_text != one.text and one.edited_at > one.at for one in edited if one.edited_at)
    assert 100 < sum(one.deleted_at is not None for one in said) < 800


def test_what_is_shown_depends_on_the_moment(said: list[Said]) -> None:
    one = next(one for one in said if one.edited_at and one.edited_text)
    assert one.edited_at
    assert one.shown(one.at).text == one.text
    assert one.shown(one.edited_at).text == one.edited_text
    gone = next(one for one in said if one.deleted_at)
    assert gone.deleted_at
    assert gone.there(gone.at)
    assert not gone.there(gone.deleted_at)
    assert not gone.there(gone.at - timedelta(seconds=1))


def test_addresses_and_numbers_are_reserved_ones(said: list[Said]) -> None:
    phones = mails = 0
    for one in said:
        for text in (one.text, one.edited_text or "", one.title):
            mails += text.count("@example.org")
            phones += len(RESERVED_PHONE.findall(text))
            left = RESERVED_PHONE.sub("", text).replace("@example.org", "")
            assert not re.search(r"\w@\w+\.\w", left), text
            assert not re.search(r"\d{3}[ .-]?\d{4}(?!\d)", re.sub(r"\b(20-|MH)\d{4,6}\b", "", left, flags=re.I)), text
            assert not re.search(r"https?://", text), text
    assert phones > 100
    assert mails > 100


def test_no_handle_belongs_to_a_real_place(said: list[Said]) -> None:
    for one in said:
        if one.platform == "bluesky" or "@" in one.author:
            assert one.author.endswith(".example")


def test_nothing_says_how_influential_someone_is() -> None:
    words = ("follow", "verified", "reach", "influence", "karma", "friends", "likes")
    assert not [field.name for field in fields(Said) if any(word in field.name for word in words)]


def test_posts_name_the_city_as_a_search_needs_it(said: list[Said]) -> None:
    for one in said:
        if one.platform == "mastodon":
            assert f"#{city.TAG}".lower() in one.text.lower()
        elif one.platform in ("bluesky", "feed"):
            assert re.search(r"maple ?harbor", one.text.lower()), one.text


def test_posts_fit_their_platform(said: list[Said]) -> None:
    for one in said:
        longest = max(len(one.text), len(one.edited_text or ""))
        assert longest <= {"bluesky": 600, "mastodon": 800}.get(one.platform, 2000)
        assert len(one.text) <= 300 or one.platform != "bluesky"


def test_grammar_says_what_is_wrong_with_a_line() -> None:
    for text, words in (
        ("line", "outside a rule"),
        ("@a\n{b}", "no rule is called 'b'"),
        ("@a\n[x|y", "not closed"),
        ("@a\nx]", "outside of brackets"),
    ):
        try:
            grammar.parse(text)
        except ValueError as error:
            assert words in str(error)  # noqa: PT017 - four in one loop
        else:
            raise AssertionError(text)


def test_both_languages_know_what_is_needed() -> None:
    english, spanish = grammar.load("english"), grammar.load("spanish")
    missing = {rule for rule in english if rule not in spanish and not rule.startswith("article_")}
    assert not missing
