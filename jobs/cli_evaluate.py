"""`openear score` and `openear evaluate`: read texts with the model, without a database."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any

import typer

from core.errors import BadInput
from core.scores import Passage, Scores

if TYPE_CHECKING:
    from core.protocols import Classifier
    from nlp.evaluate import Report

app = typer.Typer()
evaluate = typer.Typer(help="Measure the model on labelled texts of your own.", no_args_is_help=True)
app.add_typer(evaluate, name="evaluate")

Input = Annotated[Path, typer.Argument(help="Parquet or CSV", exists=True, dir_okay=False)]
AsJson = Annotated[bool, typer.Option("--json", help="for a machine to read")]

CHUNK = 512


def as_json(scores: Scores) -> dict[str, Any]:
    """Scores as `openear score` writes them; probabilities to five places."""

    def p(value: float) -> float:
        return round(float(value), 5)

    sentiment = scores.sentiment
    return {
        "language": scores.language,
        "about_us": p(scores.about_us),
        "needs_answer": p(scores.needs_answer),
        "sentiment": {
            "label": sentiment.label,
            "negative": p(sentiment.negative),
            "neutral": p(sentiment.neutral),
            "positive": p(sentiment.positive),
        },
        "topics": [{"name": topic.name, "probability": p(topic.probability)} for topic in scores.topics],
        "urgency": p(scores.urgency),
        "safety": p(scores.safety),
        "abstained": scores.abstained,
        "unsure": sorted(scores.unsure),
        "model": f"{scores.model}@{scores.revision}",
    }


@app.command()
def score(
    file: Annotated[str, typer.Argument(help="JSON Lines with `text`; - reads standard input")] = "-",
) -> None:
    """Read JSON Lines with `text` and write the same lines with what the model reads in them."""
    if file != "-" and not Path(file).is_file():
        raise BadInput(
            f"{file} is not a file: give JSON Lines, one object with a text in each line, or - for standard input"
        )
    model = classifier()
    with sys.stdin if file == "-" else Path(file).open(encoding="utf-8") as lines:
        rejected = 0
        for chunk in _chunks(lines):
            good = [(row, passage) for row, passage in chunk if passage is not None]
            results = iter(model.classify([passage for _, passage in good]))
            for row, passage in chunk:
                rejected += passage is None
                row |= as_json(next(results)) if passage is not None else {}
                sys.stdout.write(json.dumps(row, ensure_ascii=False) + "\n")
            sys.stdout.flush()
    if rejected:
        raise BadInput(f"{rejected} lines could not be read: each says why under `error`; the others are done")


def _chunks(lines: IO[str]) -> Iterator[list[tuple[dict[str, Any], Passage | None]]]:
    chunk: list[tuple[dict[str, Any], Passage | None]] = []
    for number, line in enumerate(lines, 1):
        if line.strip():
            chunk.append(_row(number, line))
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _row(number: int, line: str) -> tuple[dict[str, Any], Passage | None]:
    try:
        row = json.loads(line)
    except json.JSONDecodeError as error:
        return {"line": number, "error": f"not JSON: {error.msg} at column {error.colno}"}, None
    if not isinstance(row, dict):
        return {"line": number, "error": "not an object"}, None
    if not isinstance(row.get("text"), str):
        return row | {"line": number, "error": "no `text`, or it is not a string"}, None
    parent = row.get("parent_text")
    claim = row.get("lang")
    passage = Passage(
        text=row["text"],
        language=claim if isinstance(claim, str) else None,
        parent_text=parent if isinstance(parent, str) else None,
    )
    return row, passage


@evaluate.command()
def sentiment(file: Input, json_: AsJson = False) -> None:
    """Columns text, label (negative, neutral, positive): accuracy, recall, F1, calibration, confusion matrix."""
    from nlp import evaluate as measures

    _show(measures.sentiment(measures.read(file, ("text", "label")), classifier()), json_)


@evaluate.command()
def topics(file: Input, json_: AsJson = False) -> None:
    """Columns text, label (one of the 21 topics): accuracy, recall, F1, calibration, confusion matrix."""
    from nlp import evaluate as measures

    _show(measures.topics(measures.read(file, ("text", "label")), classifier()), json_)


@evaluate.command()
def linking(file: Input, json_: AsJson = False) -> None:
    """Columns text_a, text_b, label (1 the same matter, 0 not): AUC, best F1, recall at 0.95 precision."""
    from nlp import evaluate as measures

    _show(measures.linking(measures.read(file, ("text_a", "text_b", "label")), classifier()), json_)


def classifier() -> "Classifier":
    """The model of the settings, loaded with a word on standard error while it takes its time."""
    from rich.console import Console

    from core.settings import load
    from jobs.model_cache import model_cache
    from nlp.classifier import load as load_classifier

    settings = load()
    with Console(stderr=True).status("loading the model"):
        return load_classifier(
            settings.model.folder,
            threads=settings.model.threads,
            cache=model_cache(settings),
            agency=settings.agency,
        )


def _show(report: "Report", json_: bool) -> None:
    if json_:
        sys.stdout.write(json.dumps(report.to_dict(), ensure_ascii=False) + "\n")
    else:
        sys.stdout.write(report.table() + "\n")
