"""A case kept up as mentions join it is the case that would be read anew."""

from datetime import UTC, datetime, timedelta

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from core.mention import Kind, Visibility
from core.scores import Scores, Sentiment, Topic
from crm.desk import ScoredMention
from jobs.desk import NEWEST, Desk
from jobs.link import scored_mention
from storage.candidates import CandidateMention, CandidateRow
from storage.queue import LinkInput

NOW = datetime(2026, 3, 2, 15, tzinfo=UTC)
TOPICS = ("noise", "streetlights", "other")


def said(number: int, minutes: int) -> LinkInput:
    rng = np.random.default_rng(number)
    vector = rng.normal(size=8)
    scores = Scores(
        model="words",
        revision="1",
        language="en",
        about_us=1.0,
        needs_answer=1.0,
        sentiment=Sentiment(negative=1.0, neutral=0.0, positive=0.0),
        topics=(Topic(name=TOPICS[number % 3], probability=0.9),),
        urgency=0.0,
        safety=0.0,
        vector=(vector / np.linalg.norm(vector)).astype("<f2").tobytes(),
    )
    return LinkInput(
        mention_id=number,
        platform="mastodon",
        external_id=str(number),
        kind=Kind.POST.value,
        visibility=(Visibility.PRIVATE if number == 13 else Visibility.PUBLIC).value,
        text=f"the light is out, number {number}",
        at=NOW + timedelta(minutes=minutes),
        parent=None,
        root=None,
        ancestors=(),
        author=f"author{number % 4}" if number % 5 else None,
        author_epoch="e" if number % 5 else None,
        point=None,
        stars=None,
        url="",
        scores=scores,
    )


def row(items: list[LinkInput]) -> CandidateRow:
    mentions = tuple(
        CandidateMention(
            mention_id=i.mention_id,
            platform=i.platform,
            external_id=i.external_id,
            parent=None,
            root=None,
            author=i.author,
            author_epoch=i.author_epoch,
            kind=i.kind,
            visibility=i.visibility,
            at=i.at,
            text=i.text,
            language="en",
            stars=None,
            topics=tuple(topic.name for topic in i.scores.topics),
            vector=i.scores.vector,
        )
        for i in items
    )
    return CandidateRow(
        case_id=1,
        key="k",
        code="M-AAAAA",
        title="t",
        status="open",
        topic=None,
        opened_at=NOW,
        updated_at=NOW,
        mentions=mentions,
    )


@given(st.lists(st.integers(-500, 500), min_size=1, max_size=2 * NEWEST))
def test_kept_up_is_read_anew(minutes: list[int]) -> None:
    items = [said(number, each) for number, each in enumerate(minutes, 1)]
    kept = Desk([row(items[:1])])
    for item in items[1:]:
        mention: ScoredMention = scored_mention(item)
        kept.add(1, item, mention)
    anew = Desk([row(items)])
    assert kept._cases == anew._cases
    assert len(kept.said[1]) == min(len(items), NEWEST)
