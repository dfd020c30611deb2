"""How well the classifier reads a file of labelled texts. Pure: frames and a classifier in, a Report out."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.metrics import confusion_matrix, f1_score, precision_recall_curve, recall_score, roc_auc_score

from core.errors import BadInput
from core.protocols import Classifier
from core.scores import SENTIMENTS, TOPICS, Passage
from nlp.calibrate import calibration_error, coverage_curve

NONE = ("other", "not_civic")  # labels that name no topic


@runtime_checkable
class TopicReader(Protocol):
    """A classifier that tells the chance of every topic, also of those too low to be named."""

    def topic_chances(self, passages: Sequence[Passage]) -> npt.NDArray[np.float64]:
        """(n, 21), in the order of TOPICS."""


@dataclass(frozen=True, slots=True)
class Report:
    """Figures of one evaluation.

    Attributes:
        kind: sentiment, topics or linking.
        rows: how many were evaluated.
        figures: by name, in the order to be shown.
        labels, confusion: rows are the truth, columns what was read; empty for linking.
        notes: what a reader must know to read the figures.
    """

    kind: str
    rows: int
    figures: dict[str, float]
    labels: tuple[str, ...] = ()
    confusion: tuple[tuple[int, ...], ...] = ()
    notes: tuple[str, ...] = field(default=())

    def to_dict(self) -> dict[str, Any]:
        """As JSON may hold it."""
        return asdict(self)

    def table(self) -> str:
        """As a terminal shows it."""
        width = max(map(len, self.figures), default=0)
        lines = [f"{self.kind}: {self.rows:,} rows"]
        lines += [f"  {name:<{width}}  {value:.4f}" for name, value in self.figures.items()]
        if self.confusion:
            across = max(len(label) for label in self.labels)
            columns = [max(7, len(label)) for label in self.labels]
            head = "  ".join(f"{label:>{size}}" for label, size in zip(self.labels, columns, strict=True))
            lines += ["  truth below, read across", f"  {'':<{across}}  {head}"]
            for label, counts in zip(self.labels, self.confusion, strict=True):
                cells = "  ".join(f"{count:>{size}}" for count, size in zip(counts, columns, strict=True))
                lines.append(f"  {label:<{across}}  {cells}")
        return "\n".join([*lines, *(f"  {note}" for note in self.notes)])


def read(file: Path, columns: Sequence[str] = ()) -> pd.DataFrame:
    """Read Parquet or CSV.

    Raises:
        BadInput: it is neither, or lacks one of `columns`.
    """
    try:
        frame = pd.read_parquet(file) if file.suffix == ".parquet" else pd.read_csv(file)
    except (OSError, ValueError) as error:
        raise BadInput(f"{file} cannot be read as Parquet or CSV: {error}") from error
    _has(frame, columns)
    return frame


def sentiment(frame: pd.DataFrame, classifier: Classifier) -> Report:
    """Stance against `label` (negative, neutral, positive); a `lang` column is passed on as the source's claim.

    Raises:
        BadInput: a column is missing or a label is none of the three.
    """
    frame = _checked(frame, ("text", "label"), SENTIMENTS)
    scores = classifier.classify(_passages(frame))
    chances = np.array([(s.sentiment.negative, s.sentiment.neutral, s.sentiment.positive) for s in scores])
    truth = frame["label"].map(SENTIMENTS.index).to_numpy()
    named = chances.argmax(1)
    right = (named == truth).astype(float)
    kept = np.array([not s.abstained for s in scores])
    figures = {
        "accuracy": float(right.mean()),
        "macro_recall": float(recall_score(truth, named, labels=np.unique(truth), average="macro", zero_division=0)),
        "macro_f1": float(f1_score(truth, named, labels=np.unique(truth), average="macro", zero_division=0)),
        "calibration_error": calibration_error(chances.max(1), right),
        "share_read": float(kept.mean()),
    }
    if kept.any():
        figures["accuracy_where_read"] = float(right[kept].mean())
    figures |= {
        f"accuracy_of_surest_{share:.0%}": good for share, _, good in coverage_curve(chances.max(1), right)[1:6:2]
    }
    return Report("sentiment", len(frame), figures, SENTIMENTS, _confusion(truth, named, 3), (_ABSTAINED,))


_ABSTAINED = "accuracy counts every row, also those the model abstains on; share_read says how many it does not"


def topics(frame: pd.DataFrame, classifier: Classifier) -> Report:
    """The likeliest topic against `label`, one of TOPICS; rows labelled other or not_civic ask that none is named.

    Raises:
        BadInput: a column is missing or a label is no topic.
    """
    frame = _checked(frame, ("text", "label"), (*TOPICS, *NONE))
    chances = _topic_chances(_passages(frame), classifier)
    labelled = ~frame["label"].isin(NONE).to_numpy()
    truth = frame.loc[labelled, "label"].map(TOPICS.index).to_numpy()
    named, highest = chances[labelled].argmax(1), chances[labelled].max(1)
    right = (named == truth).astype(float)
    present = np.unique(truth)
    figures: dict[str, float] = {}
    if len(truth):
        figures = {
            "accuracy": float(right.mean()),
            "macro_recall": float(recall_score(truth, named, labels=present, average="macro", zero_division=0)),
            "macro_f1": float(f1_score(truth, named, labels=present, average="macro", zero_division=0)),
            "calibration_error": calibration_error(highest, right),
        }
    if not labelled.all():
        figures["none_named_where_none_holds"] = float((chances[~labelled].max(1) < 0.5).mean())
    labels = tuple(TOPICS[place] for place in np.union1d(present, np.unique(named)))
    places = {TOPICS.index(label): place for place, label in enumerate(labels)}
    matrix = _confusion([places[t] for t in truth], [places[n] for n in named], len(labels)) if len(truth) else ()
    return Report("topics", len(frame), figures, labels, matrix)


def _topic_chances(passages: list[Passage], classifier: Classifier) -> npt.NDArray[np.float64]:
    if isinstance(classifier, TopicReader):
        chances = classifier.topic_chances(passages)
    else:
        chances = np.zeros((len(passages), len(TOPICS)))
        for place, scores in enumerate(classifier.classify(passages)):
            for topic in scores.topics:
                chances[place, TOPICS.index(topic.name)] = topic.probability
    chances[:, TOPICS.index("other")] = -1
    return chances


def linking(frame: pd.DataFrame, classifier: Classifier) -> Report:
    """Cosine of two texts' vectors against `label` (1: same incident); and mixed with the words they share.

    Raises:
        BadInput: a column is missing, a label is neither 0 nor 1, or only one of them occurs.
    """
    frame = _checked(frame, ("text_a", "text_b", "label"), (0, 1))
    truth = frame["label"].astype(int).to_numpy()
    if len(np.unique(truth)) < 2:
        raise BadInput("linking needs pairs of both labels, 0 and 1")
    texts = list(pd.unique(pd.concat([frame["text_a"], frame["text_b"]])))
    place = {text: number for number, text in enumerate(texts)}
    first, second = frame["text_a"].map(place).to_numpy(), frame["text_b"].map(place).to_numpy()
    scores = classifier.classify([Passage(text=text) for text in texts])
    vectors = np.stack([np.frombuffer(found.vector, dtype="<f2").astype(np.float32) for found in scores])
    cosine = np.einsum("ij,ij->i", vectors[first], vectors[second], dtype=np.float64)
    mixed = (cosine + _shared_words(texts, first, second)) / 2
    figures = {**_pair_figures(truth, cosine), "auc_mixed_with_words": float(roc_auc_score(truth, mixed))}
    return Report("linking", len(frame), figures)


def _shared_words(texts: list[str], first: npt.NDArray[Any], second: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """TF-IDF cosine of each pair, weights from these texts alone."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    bags = TfidfVectorizer(sublinear_tf=True, token_pattern=r"(?u)\b\w+\b").fit_transform(texts)
    return np.asarray(bags[first].multiply(bags[second]).sum(1)).ravel()


def _pair_figures(truth: npt.NDArray[np.integer[Any]], score: npt.NDArray[np.float64]) -> dict[str, float]:
    precision, recall, thresholds = precision_recall_curve(truth, score)
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-9)
    best = int(f1[:-1].argmax())
    return {
        "auc": float(roc_auc_score(truth, score)),
        "best_f1": float(f1[best]),
        "best_f1_threshold": float(thresholds[best]),
        "recall_at_precision_95": float(recall[:-1][precision[:-1] >= 0.95].max(initial=0.0)),
    }


def _passages(frame: pd.DataFrame) -> list[Passage]:
    claims = frame["lang"] if "lang" in frame else [None] * len(frame)
    return [
        Passage(text=str(text), language=claim if isinstance(claim, str) else None)
        for text, claim in zip(frame["text"], claims, strict=True)
    ]


def _has(frame: pd.DataFrame, columns: Sequence[str]) -> None:
    if missing := [name for name in columns if name not in frame]:
        raise BadInput(f"the file has no column {', '.join(missing)}; it has {', '.join(map(str, frame.columns))}")


def _checked(frame: pd.DataFrame, columns: Sequence[str], labels: Sequence[object]) -> pd.DataFrame:
    _has(frame, columns)
    frame = frame.dropna(subset=list(columns))
    frame = frame[frame[columns[0]].astype(str).str.strip() != ""].reset_index(drop=True)
    if frame.empty:
        raise BadInput("the file has no row with all of " + ", ".join(columns))
    strange = sorted(set(frame["label"]) - set(labels), key=str)
    if strange:
        named = ", ".join(repr(label) for label in strange[:5])
        raise BadInput(f"labels must be of {', '.join(map(str, labels))}; found {named}")
    return frame


def _confusion(truth: Any, named: Any, count: int) -> tuple[tuple[int, ...], ...]:
    matrix = confusion_matrix(truth, named, labels=range(count))
    return tuple(tuple(int(cell) for cell in row) for row in matrix)
