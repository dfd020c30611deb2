"""Trains what ships: `python -m nlp.train`. Seeded; reads only what weights/DATA.csv lists.

Four steps: the adapted branch learns stance; every text is encoded once; the heads are fitted on the features; and
what they say is calibrated on rows none of them has seen. The first takes about 15 minutes of one core.
"""

import argparse
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from rich.progress import Progress, TaskID
from safetensors.numpy import load_file, save_file

from core.scores import SENTIMENTS
from nlp import base, calibrated, data, learn, shipped, stance
from nlp.encoder import Encoder
from nlp.fitting import (
    RIDGE_DENSE,
    RIDGE_NEEDS,
    RIDGE_NEEDS_WORDS,
    RIDGE_WORDS,
    Linear,
    Table,
    need_targets,
    topic_targets,
    trained_topics,
    yes_or_no,
)
from nlp.reference import TorchRunner
from nlp.tokens import load_tokenizer, windows
from nlp.trunk import build

RIDGE_STANCE_WORDS = 1e-6
MOST_PER_LABEL = 1500  # rows of one label of Bengaluru that are learnt from: two thirds of it is garbage
TWEETS = 3000  # of SemEval, as texts that are not a city's business
FILED = 500  # of the filed complaints


class Steps:
    """Shows how far the training is: one bar a step."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._tasks: dict[str, TaskID] = {}

    def tick(self, step: str, share: float) -> None:
        """Say that `share` of a step is done."""
        name = step.split(",")[0]
        if name not in self._tasks:
            self._tasks[name] = self._progress.add_task(name, total=1.0)
        self._progress.update(self._tasks[name], completed=share, description=step)


def adapter(folder: Path, work: Path, recipe: stance.Recipe, steps: Steps) -> dict[str, npt.NDArray[np.float32]]:
    """Train the adapted branch, or take up what an interrupted run has left in `work`."""
    kept = work / f"stance-{recipe.rank}-{recipe.epochs}-{recipe.seed}.safetensors"
    if kept.exists():
        return dict(load_file(kept))
    found = base.locate()
    trunk = build(load_file(found.weights), {})
    rows = data.sentiment_rows(folder)
    rows = rows[rows["part"] == "fit"]
    first = [parts[0] for parts in windows(load_tokenizer(found.tokenizer), list(rows["text"]))]
    states = stance.shared_states(trunk, first, steps.tick)
    arrays = stance.train(trunk, states, labels_of(rows), recipe, steps.tick)
    work.mkdir(parents=True, exist_ok=True)
    save_file(arrays, kept.with_suffix(".part"))
    kept.with_suffix(".part").replace(kept)
    return arrays


def labels_of(rows: pd.DataFrame) -> npt.NDArray[np.integer[Any]]:
    """0, 1, 2 for negative, neutral, positive."""
    return rows["label"].map({name: place for place, name in enumerate(SENTIMENTS)}).to_numpy(dtype=np.int64)


def table_rows(folder: Path) -> pd.DataFrame:
    """All texts the heads are fitted, calibrated and reported on."""
    feeling, civic = data.sentiment_rows(folder), data.civic_rows(folder)
    filed = feeling["source"].isin(("comcast_fcc_titles", "cfpb_2023_sample")) & (feeling["part"] == "fit")
    tweets = (feeling["source"] == "semeval2013_2016_taskA") & (feeling["part"] == "fit")
    many = (civic["source"] == "bengaluru_complaints").map({True: "b", False: "o"}) + civic["part"] + civic["label"]
    place = civic.groupby(many).cumcount()
    limit = np.where(civic["part"] == "fit", MOST_PER_LABEL, 150)
    own = data.needs_rows()
    own["label"], own["source"], own["part"] = "own", "nlp/texts", own["part"].map({"train": "fit", "test": "check"})
    frames = [
        feeling[feeling["part"] != "fit"],
        feeling[tweets].sample(TWEETS, random_state=5),
        feeling[filed].sample(FILED, random_state=5),
        civic[(civic["source"] != "bengaluru_complaints") | (place < limit)],
        own,
    ]
    return pd.concat(frames, ignore_index=True)


def encode(rows: pd.DataFrame, arrays: dict[str, npt.NDArray[np.float32]], steps: Steps) -> Table:
    """Features of every row's first window."""
    found = base.locate()
    trunk = build(load_file(found.weights), arrays).to(torch.bfloat16)
    encoder = Encoder(load_tokenizer(found.tokenizer), TorchRunner(trunk, torch.get_num_threads()))
    parts = []
    for start in range(0, len(rows), 1024):
        encoded = encoder.encode(list(rows["text"].iloc[start : start + 1024]))
        first = np.unique(encoded.owner, return_index=True)[1]
        parts.append((encoded.features[first], [encoded.windows[place] for place in first]))
        steps.tick("features", min(1.0, (start + 1024) / len(rows)))
    bags = learn.bags([window for _, found in parts for window in found])
    return Table(rows, np.concatenate([features for features, _ in parts]), bags)


def stance_words(folder: Path) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Stance by words alone, from all languages: helps where the encoder reads little."""
    rows = data.sentiment_rows(folder)
    rows = rows[rows["part"] == "fit"]
    parts = windows(load_tokenizer(base.locate().tokenizer), list(rows["text"]))
    labels = labels_of(rows)
    balance = 1 / np.bincount(labels)[labels]
    weights = (balance / balance.mean())[:, None]
    bags = learn.bags([part[0] for part in parts])
    return learn.fit(bags, np.eye(3)[labels], loss="softmax", ridge=RIDGE_STANCE_WORDS, weights=weights, steps=80)


def heads(table: Table, topics: tuple[str, ...]) -> tuple[Linear, Linear]:
    """Fit the topics with the gate, and the needs, on the rows of part fit."""
    fit = table.where(table.rows["part"] == "fit")
    targets, weights = topic_targets(fit.rows, topics)
    about_topics = yes_or_no(fit, targets, weights, RIDGE_DENSE, RIDGE_WORDS)
    targets, weights = need_targets(fit.rows)
    return about_topics, yes_or_no(fit, targets, weights, RIDGE_NEEDS, RIDGE_NEEDS_WORDS)


def train(folder: Path, out: Path, work: Path, recipe: stance.Recipe, steps: Steps) -> dict[str, Any]:
    """Do all four steps, write the weights, and return the figures on rows never learnt from."""
    arrays = adapter(folder, work, recipe, steps)
    table = encode(table_rows(folder), arrays, steps)
    topics = trained_topics(table.rows)
    words, words_bias = stance_words(folder)
    about_topics, needs = heads(table, topics)
    arrays |= {
        "dense.weight": np.concatenate([about_topics.dense, needs.dense]),
        "dense.bias": np.concatenate([about_topics.dense_bias, needs.dense_bias]),
        "lexical.weight": np.concatenate([words, about_topics.words, needs.words]).T,
        "lexical.bias": np.concatenate([words_bias, about_topics.words_bias, needs.words_bias]),
    }
    numbers, figures = calibrated.numbers(table, arrays, topics, about_topics)
    shipped.save(out, arrays, numbers | {"recipe": {name: getattr(recipe, name) for name in recipe.__slots__}})
    (out / "metrics.json").write_text(json.dumps(figures, indent=1, sort_keys=True) + "\n", "utf-8")
    return figures


def main() -> None:
    """Train, showing progress."""
    parser = argparse.ArgumentParser(prog="python -m nlp.train", description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data/train"), help="folder of the Parquet files")
    parser.add_argument("--out", type=Path, default=shipped.FOLDER, help="folder the weights are written to")
    parser.add_argument("--work", type=Path, default=Path("var/train"), help="folder for the trained branch")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--rank", type=int, default=64)
    given = parser.parse_args()
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    with Progress() as progress:
        recipe = stance.Recipe(epochs=given.epochs, rank=given.rank)
        train(given.data, given.out, given.work, recipe, Steps(progress))


if __name__ == "__main__":
    main()
