"""What the classifier promises whoever calls it."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.scores import HEADS, TOPICS, Passage, Scores
from core.settings import Agency
from nlp import rules
from nlp.about import Names
from nlp.classifier import OpenearClassifier

TEXTS = [
    "The streetlight on Elm Street has been out for three weeks, when will the city fix it?",
    "Thank you to the crew that cleared our storm drain so quickly!",
    "There is a strong smell of gas next to the school and children are coughing",
    "No han recogido la basura en dos semanas, ¿cuándo pasan?",
    "Der Bus kam heute wieder nicht und niemand geht ans Telefon",
    "for (int i = 0; i < n; i++) { total += prices[i]; }",
    "😡😡😡",
    "soooooo slow!!!!! #FixTheRoads https://example.org @mapleharbor",
    "gracias for nothing, the bus llegó una hora late otra vez",
    "!",
    "",
    "   \n ",
]


def numbers(scores: Scores) -> list[float]:
    s = scores.sentiment
    named = [topic.probability for topic in scores.topics]
    return [
        scores.about_us,
        scores.needs_answer,
        scores.urgency,
        scores.safety,
        s.negative,
        s.neutral,
        s.positive,
        *named,
    ]


@pytest.fixture(scope="module")
def together(classifier: OpenearClassifier) -> list[Scores]:
    return classifier.classify([Passage(text=text) for text in TEXTS])


def test_scores_come_in_the_order_and_number_asked(together: list[Scores], classifier: OpenearClassifier) -> None:
    assert len(together) == len(TEXTS)
    assert {scores.model + "@" + scores.revision for scores in together} == {classifier.model}
    assert classifier.classify([]) == []


def test_all_chances_are_chances(together: list[Scores]) -> None:
    for scores in together:
        assert all(0 <= value <= 1 for value in numbers(scores))
        s = scores.sentiment
        assert s.negative + s.neutral + s.positive == pytest.approx(1)
        assert scores.unsure <= set(HEADS)
        assert [t.probability for t in scores.topics] == sorted((t.probability for t in scores.topics), reverse=True)
        assert {t.name for t in scores.topics} <= set(TOPICS) - {"other"}


def test_a_text_scores_the_same_alone_and_in_any_batch(together: list[Scores], classifier: OpenearClassifier) -> None:
    """On torch in float32 to 1e-6; the exported encoder is compared bit by bit in test_encoder."""
    for text, expected in zip(TEXTS, together, strict=True):
        (alone,) = classifier.classify([Passage(text=text)])
        assert numbers(alone) == pytest.approx(numbers(expected), abs=1e-6)
        assert alone.unsure == expected.unsure
        assert alone.language == expected.language


def test_twice_is_the_same(classifier: OpenearClassifier) -> None:
    passages = [Passage(text=text) for text in TEXTS[:4]]
    assert classifier.classify(passages) == classifier.classify(passages)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=80))
def test_any_text_is_read(classifier: OpenearClassifier, text: str) -> None:
    (scores,) = classifier.classify([Passage(text=text)])
    assert all(0 <= value <= 1 for value in numbers(scores))


def test_nothing_to_read_is_said_so(together: list[Scores]) -> None:
    for scores in together[-2:]:
        assert scores.unsure == frozenset(HEADS)
        assert scores.abstained
        assert scores.topics == ()
        assert scores.vector == b""
        assert scores.language == "und"


def test_languages_that_are_not_read_abstain(together: list[Scores]) -> None:
    german, spanish = together[4], together[3]
    assert german.language == "de"
    assert german.abstained
    assert "needs_answer" in german.unsure
    assert spanish.language == "es"
    assert "sentiment" in spanish.unsure  # measured: not good enough
    assert "needs_answer" not in spanish.unsure


def test_the_plain_cases_are_read_right(together: list[Scores]) -> None:
    light, thanks, gas, basura = together[:4]
    assert light.needs_answer > 0.7
    assert light.sentiment.positive < 0.2
    assert light.topics[0].name == "streetlights"
    assert thanks.sentiment.label == "positive"
    assert thanks.needs_answer < 0.5
    assert gas.safety > 0.7
    assert gas.urgency > 0.7
    assert thanks.safety < 0.1
    assert "trash_dumping_cleaning" in {topic.name for topic in basura.topics}
    assert basura.needs_answer > 0.7


def test_vectors_are_unit_and_bring_like_texts_together(classifier: OpenearClassifier) -> None:
    texts = ["Pothole on Main St ruined my tire", "Huge pothole, Main Street, bent my rim", "The pool closes too early"]
    found = [
        np.frombuffer(s.vector, "<f2").astype(float) for s in classifier.classify([Passage(text=t) for t in texts])
    ]
    assert all(len(vector) == 384 for vector in found)
    assert all(abs(np.linalg.norm(vector) - 1) < 1e-2 for vector in found)
    assert found[0] @ found[1] > 0.6 > found[0] @ found[2]


def test_long_texts_are_read_to_the_end(classifier: OpenearClassifier) -> None:
    """The only alarming sentence stands at the very end of a long, dull letter."""
    dull = "The library is open on Monday and the flowers are in bloom. " * 120
    calm, alarmed = classifier.classify(
        [
            Passage(text=dull),
            Passage(text=dull + "There is a fire in the building and people are trapped inside, send help!"),
        ]
    )
    assert alarmed.safety > 0.3 > 0.1 > calm.safety
    (endless,) = classifier.classify([Passage(text="x" * 100_000)])
    assert all(0 <= value <= 1 for value in numbers(endless))


def test_stars_are_evidence(classifier: OpenearClassifier) -> None:
    text = "Waited two hours at the permit desk."
    one, none, five = classifier.classify([Passage(text=text, stars=stars) for stars in (1.0, None, 5.0)])
    assert one.sentiment.negative > none.sentiment.negative > five.sentiment.negative
    assert none.sentiment.negative > 0.7
    assert "sentiment" in five.unsure
    assert "sentiment" not in one.unsure


def test_praise_below_a_complaint_is_not_counted(classifier: OpenearClassifier) -> None:
    parent = "The city ignored my flooded basement for a month, shameful"
    reply, post = classifier.classify(
        [
            Passage(text="love this so much, brilliant!", parent_text=parent),
            Passage(text="love this so much, brilliant!"),
        ]
    )
    assert "sentiment" in reply.unsure
    assert "sentiment" not in post.unsure


def test_same_here_takes_after_what_it_answers(classifier: OpenearClassifier) -> None:
    parent = "The number 14 bus never came again, I want an answer from the city"
    reply, alone = classifier.classify([Passage(text="Same here!", parent_text=parent), Passage(text="Same here!")])
    assert reply.needs_answer > alone.needs_answer
    assert "transit_taxi" in {topic.name for topic in reply.topics}
    assert not rules.agrees("same here, and now the driver yelled at my son")


def test_a_namesake_is_told_apart(classifier: OpenearClassifier) -> None:
    ours, band, elsewhere = classifier.classify(
        [
            Passage(text="City of Maple Harbor, my trash was not collected on Quarry Road"),
            Passage(text="Maple Harbor's new album is a masterpiece, that guitar solo"),
            Passage(text="Potholes all over Maple Harbor, Tennessee"),
        ]
    )
    assert ours.about_us > 0.8 > 0.5 > band.about_us
    assert elsewhere.about_us < ours.about_us


def test_names_are_found_as_people_write_them() -> None:
    names = Names(
        Agency(names=("City of Maple Harbor",), handles=("mapleharbor",), places=("Quarry Road",), subdivision="MA")
    )
    assert names.evidence("so tired of maple harbor").named == 1
    assert names.evidence("#MapleHarbor again").named == 1
    assert names.evidence("maples in the harbor").named == 0
    assert names.evidence("hey @MapleHarbor").by_rule == 3
    assert names.evidence("on quarry road").by_rule == 1
    assert names.evidence("Maple Harbor, Ohio").by_rule == -3
    assert names.evidence("Maple Harbor, MA").by_rule == 0
    assert names.evidence("me too", "why is @mapleharbor silent?").by_rule == 1.5


def test_without_a_name_nothing_is_said_about_whom_it_is_about(classifier: OpenearClassifier) -> None:
    nameless = OpenearClassifier(classifier._weights, classifier._encoder, classifier._described, Agency())
    (scores,) = nameless.classify([Passage(text=TEXTS[0])])
    assert "about_us" in scores.unsure
