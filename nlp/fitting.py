"""Fits and calibrates the heads on the encoder's features. Training only."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import csr_matrix

from core.scores import SENTIMENTS
from nlp import calibrate, learn
from nlp.heads import GATE, NEEDS

Floats = npt.NDArray[np.floating[Any]]
LEAST_ROWS = 50  # a topic with fewer training rows works by rules
RIDGE_DENSE, RIDGE_WORDS = 3e-4, 3e-6
RIDGE_NEEDS, RIDGE_NEEDS_WORDS = 5e-2, 1e-4
#: Labels that say nothing for or against these topics: they go together by definition, or the label is vague.
VAGUE = {"other": None, "traffic_parking_mixed": ("traffic_signs_signals", "parking_vehicles", "roads_potholes")}
TOGETHER = (
    ("noise", "police_safety"),
    ("building_code_property", "trees_vegetation"),
    ("building_code_property", "trash_dumping_cleaning"),
    ("roads_potholes", "drainage_flooding_water_sewer"),
    ("roads_potholes", "traffic_signs_signals"),
    ("sidewalks_curbs", "trees_vegetation"),
    ("sidewalks_curbs", "roads_potholes"),
    ("police_safety", "parking_vehicles"),
    ("police_safety", "traffic_signs_signals"),
    ("air_health_hazard", "trash_dumping_cleaning"),
    ("air_health_hazard", "drainage_flooding_water_sewer"),
)
#: How much a row of public data counts for the needs heads; its label is only what its source suggests.
WEAK = 0.1


@dataclass(frozen=True)
class Table:
    """Rows with their features: `rows` has text, source, part, label and, where we wrote them, the needs."""

    rows: pd.DataFrame
    dense: npt.NDArray[np.float32]  # (n, 1536)
    bags: csr_matrix  # (n, buckets)

    def where(self, chosen: Any) -> "Table":
        """Some of the rows."""
        chosen = np.asarray(chosen)
        return Table(self.rows[chosen].reset_index(drop=True), self.dense[chosen], self.bags[chosen])


def trained_topics(rows: pd.DataFrame) -> tuple[str, ...]:
    """The topics with enough training rows, in the order of their names."""
    counts = rows[rows["part"] == "fit"]["label"].value_counts()
    kept = {str(label) for label, count in counts.items() if count >= LEAST_ROWS}
    return tuple(sorted(kept - set(VAGUE) - set(SENTIMENTS) - {"not_civic", "own"}))


def topic_targets(rows: pd.DataFrame, topics: tuple[str, ...]) -> tuple[Floats, Floats]:
    """Targets and weights (n, topics + 1) of the topics and of the gate; weight 0 where a label says nothing."""
    names = (*topics, GATE)
    targets, weights = np.zeros((len(rows), len(names))), np.ones((len(rows), len(names)))
    silent = {label: others for label, others in VAGUE.items()}
    for one, other in TOGETHER:
        silent[one] = (*(silent.get(one) or ()), other)
        silent[other] = (*(silent.get(other) or ()), one)
    for place, label in enumerate(rows["label"]):
        if label == "own":
            weights[place] = 0
            continue
        civic = label not in ("not_civic", *SENTIMENTS)
        targets[place, -1] = civic
        if label in topics:
            targets[place, topics.index(label)] = 1
        for other in topics if label == "other" else silent.get(label) or ():
            if other in topics:
                weights[place, topics.index(other)] = 0
    return targets, weights


def need_targets(rows: pd.DataFrame) -> tuple[Floats, Floats]:
    """Targets and weights (n, 4) of NEEDS. Public rows count a little: reports and complaints want an answer."""
    targets, weights = np.zeros((len(rows), len(NEEDS))), np.zeros((len(rows), len(NEEDS)))
    own = (rows["label"] == "own").to_numpy()
    targets[own], weights[own] = rows.loc[own, list(NEEDS)].to_numpy(dtype=float), 1
    reports = rows["source"].isin(("gainesville_311_seeclickfix", "bengaluru_complaints")) & (
        rows["label"] != "not_civic"
    )
    targets[reports.to_numpy()] = (1, 0, 0, 1)
    weights[reports.to_numpy()] = (WEAK, 0, 0, WEAK / 2)
    other = (~reports & ~pd.Series(own)).to_numpy()
    weights[other] = (WEAK / 2, WEAK, WEAK, WEAK)
    filed = rows["source"].isin(("comcast_fcc_titles", "cfpb_2023_sample")).to_numpy()
    targets[filed], weights[filed] = (1, 0, 0, 0), (WEAK, 0, 0, 0)
    return targets, weights


@dataclass(frozen=True)
class Linear:
    """Heads by meaning (dense) and by words (lexical)."""

    dense: npt.NDArray[np.float32]
    dense_bias: npt.NDArray[np.float32]
    words: npt.NDArray[np.float32]
    words_bias: npt.NDArray[np.float32]

    def logits(self, table: Table) -> tuple[Floats, Floats]:
        """(n, k) by meaning and (n, k) by words."""
        return table.dense @ self.dense.T + self.dense_bias, np.asarray(table.bags @ self.words.T) + self.words_bias


def yes_or_no(table: Table, targets: Floats, weights: Floats, ridge: float, ridge_words: float) -> Linear:
    """Fit both kinds of heads for k separate questions."""
    scaled, mean, spread = learn.standardised(table.dense)
    dense = learn.fit(scaled, targets, loss="sigmoid", ridge=ridge, weights=weights)
    words = learn.fit(table.bags, targets, loss="sigmoid", ridge=ridge_words, weights=weights)
    return Linear(*learn.folded(*dense, mean, spread), *words)


def out_of_fold(table: Table, folds: npt.NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Logits of NEEDS for each row by heads that never saw its fold; rows of fold -1 are always learnt from."""
    targets, weights = need_targets(table.rows)
    dense, words = np.zeros(targets.shape), np.zeros(targets.shape)
    for fold in range(int(folds.max()) + 1):
        kept, left = folds != fold, folds == fold
        heads = yes_or_no(table.where(kept), targets[kept], weights[kept], RIDGE_NEEDS, RIDGE_NEEDS_WORDS)
        dense[left], words[left] = heads.logits(table.where(left))
    return dense, words


def lines(scores: Floats, truth: Floats) -> dict[str, Any]:
    """Calibrate one question: slopes of its scores (n, k) and an offset."""
    slopes, offset = calibrate.line(scores, truth)
    return {"slopes": slopes, "offset": offset}


def straight(line: dict[str, Any], scores: Floats) -> Floats:
    """Chances (n,) by a calibrated line."""
    return calibrate.sigmoid(scores @ np.asarray(line["slopes"]) + line["offset"])
