"""Figures against ones worked out by hand."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.errors import BadInput
from core.scores import Passage, Scores, Sentiment, Topic
from nlp import calibrate, evaluate


@dataclass(frozen=True)
class Fixed:
    """A classifier that says what it was told to say of each text."""

    stances: dict[str, tuple[float, float, float]] = field(default_factory=dict)
    topics: dict[str, str] = field(default_factory=dict)
    vectors: dict[str, list[float]] = field(default_factory=dict)
    model: str = "fixed@1"

    def classify(self, passages: Sequence[Passage]) -> list[Scores]:
        return [self._one(passage.text) for passage in passages]

    def _one(self, text: str) -> Scores:
        negative, neutral, positive = self.stances.get(text, (0.2, 0.6, 0.2))
        named = (Topic(name=self.topics[text], probability=0.9),) if text in self.topics else ()
        return Scores(
            model="fixed",
            revision="1",
            language="en",
            about_us=1,
            needs_answer=0,
            sentiment=Sentiment(negative=negative, neutral=neutral, positive=positive),
            topics=named,
            urgency=0,
            safety=0,
            unsure=frozenset({"sentiment"}) if text == "unclear" else frozenset(),
            vector=np.array(self.vectors.get(text, [1, 0]), dtype="<f2").tobytes(),
        )


def test_sentiment_figures() -> None:
    frame = pd.DataFrame({"text": ["a", "b", "c", "unclear"], "label": ["negative", "negative", "positive", "neutral"]})
    report = evaluate.sentiment(frame, Fixed({"a": (0.8, 0.1, 0.1), "b": (0.1, 0.1, 0.8), "c": (0.1, 0.1, 0.8)}))
    assert report.figures["accuracy"] == pytest.approx(0.75)
    assert report.figures["macro_recall"] == pytest.approx((0.5 + 1 + 1) / 3)
    assert report.figures["macro_f1"] == pytest.approx((2 / 3 + 1 + 2 / 3) / 3)
    assert report.confusion == ((1, 0, 1), (0, 1, 0), (0, 0, 1))
    assert report.figures["share_read"] == pytest.approx(0.75)
    assert report.figures["accuracy_where_read"] == pytest.approx(2 / 3)


def test_calibration_error_by_hand() -> None:
    """Two bins: 0.9 promised and half right; 0.1 promised and none right."""
    error = calibrate.calibration_error(np.array([0.9, 0.9, 0.1, 0.1]), np.array([1.0, 0.0, 0.0, 0.0]))
    assert error == pytest.approx((0.8 + 0.2) / 4)


def test_topic_figures() -> None:
    frame = pd.DataFrame(
        {"text": ["a", "b", "c", "d"], "label": ["noise", "noise", "graffiti_posters", "other"]},
    )
    report = evaluate.topics(frame, Fixed(topics={"a": "noise", "b": "noise", "c": "noise"}))
    assert report.figures["accuracy"] == pytest.approx(2 / 3)
    assert report.figures["none_named_where_none_holds"] == 1
    assert report.labels == ("graffiti_posters", "noise")
    assert report.confusion == ((0, 1), (0, 2))


def test_linking_figures() -> None:
    frame = pd.DataFrame({"text_a": ["a", "a", "b"], "text_b": ["a2", "b", "b2"], "label": [1, 0, 1]})
    vectors = {"a": [1.0, 0.0], "a2": [1.0, 0.0], "b": [0.0, 1.0], "b2": [0.6, 0.8]}
    report = evaluate.linking(frame, Fixed(vectors=vectors))
    assert report.figures["auc"] == 1
    assert report.figures["best_f1"] == 1
    assert report.figures["recall_at_precision_95"] == 1


def test_reports_can_be_read_by_people_and_machines() -> None:
    frame = pd.DataFrame({"text": ["a", "b"], "label": ["negative", "positive"]})
    report = evaluate.sentiment(frame, Fixed())
    assert "accuracy" in report.table()
    assert "negative" in report.table()
    assert report.to_dict()["figures"]["accuracy"] == 0


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (pd.DataFrame({"text": ["a"]}), "no column label"),
        (pd.DataFrame({"text": ["a"], "label": ["angry"]}), "'angry'"),
        (pd.DataFrame({"text": [None], "label": ["negative"]}), "no row"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(frame: pd.DataFrame, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        evaluate.sentiment(frame, Fixed())


def test_pairs_of_one_label_say_nothing() -> None:
    with pytest.raises(BadInput, match="both labels"):
        evaluate.linking(pd.DataFrame({"text_a": ["a"], "text_b": ["b"], "label": [1]}), Fixed())


def test_files_of_both_kinds_are_read(tmp_path: Path) -> None:
    frame = pd.DataFrame({"text": ["a, b"], "label": ["negative"]})
    frame.to_csv(tmp_path / "t.csv", index=False)
    frame.to_parquet(tmp_path / "t.parquet")
    assert evaluate.read(tmp_path / "t.csv").equals(evaluate.read(tmp_path / "t.parquet", ("text", "label")))
    with pytest.raises(BadInput, match="no column text_a"):
        evaluate.read(tmp_path / "t.csv", ("text_a",))
    (tmp_path / "broken.parquet").write_bytes(b"nothing")
    with pytest.raises(BadInput, match="cannot be read"):
        evaluate.read(tmp_path / "broken.parquet")
