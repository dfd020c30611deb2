"""Calibrates the fitted heads and measures them on rows they have not seen. Training only."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.metrics import average_precision_score, f1_score, precision_score, recall_score, roc_auc_score

from core.settings import Agency
from nlp import calibrate, descriptions
from nlp.about import Names
from nlp.encoder import WIDTH, Encoder
from nlp.fitting import Linear, Table, lines, out_of_fold, straight, topic_targets
from nlp.heads import NEEDS

Arrays = dict[str, npt.NDArray[np.float32]]
Floats = npt.NDArray[np.floating[Any]]
FOLDS = 5
ALPHA = 0.5  # share of the descriptions in a topic's chance: they win in a city never seen
PRECISION = 0.8  # asked of each topic on the rows of part tune
READABLE = ("en", "es")  # the languages all heads have texts of; others are measured, never read
LEAST_F1 = 0.60  # macro-F1 below which a language's stance is not read
LEAST_AUC = 0.80  # AUC below which a language's needs are not read
ACCURACY, COVERAGE = 0.75, 0.85  # of the stances that are not held back
#: The mix of stances assumed of an agency: equal shares, which favours no stance and is what macro-recall rewards.
PRIOR = np.full(3, 1 / 3)


def numbers(
    table: Table, arrays: Arrays, topics: tuple[str, ...], trained: Linear
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The numbers that calibrate the heads, and the figures for the card."""
    stance, stance_figures = stance_numbers(table, arrays)
    about_topics, topic_figures = topic_numbers(table, topics, trained)
    needs, needs_figures = needs_numbers(table, arrays)
    found = {"stance": stance, "topics": about_topics, "needs": needs}
    return found, {"stance": stance_figures, "topics": topic_figures, "needs": needs_figures}


def stance_numbers(table: Table, arrays: Arrays) -> tuple[dict[str, Any], dict[str, Any]]:
    """Mixing weight of words, prior, temperature, abstain band; English apart from the other languages."""
    rows = table.rows
    labels = rows["label"].map({"negative": 0, "neutral": 1, "positive": 2})
    usable = labels.notna().to_numpy() & (rows["part"] != "fit").to_numpy()
    part = table.where(usable)
    truth = labels[usable].to_numpy(dtype=np.int64)
    meaning = part.dense[:, 2 * WIDTH :] @ arrays["stance.weight"].T + arrays["stance.bias"]
    words = np.asarray(part.bags @ arrays["lexical.weight"][:, :3]) + arrays["lexical.bias"][:3]
    english = (part.rows["lang"] == "en").to_numpy()
    tune = (part.rows["part"] == "tune").to_numpy()
    settings: dict[str, Any] = {"prior": PRIOR.tolist()}
    for name, chosen in (("en", english & tune), ("other", ~english & tune)):
        settings[name] = _mixed(meaning[chosen], words[chosen], truth[chosen], PRIOR)
    chances = np.zeros(meaning.shape)
    for name, chosen in (("en", english), ("other", ~english)):
        logits = meaning[chosen] + settings[name]["words"] * words[chosen] + np.log(PRIOR)
        chances[chosen] = calibrate.softmax(logits / settings[name]["temperature"])
    for name, chosen in (("en", english & tune), ("other", ~english & tune)):
        right = (chances[chosen].argmax(1) == truth[chosen]).astype(float)
        settings[name]["abstain_below"] = calibrate.abstain_below(
            chances[chosen].max(1), right, accuracy=ACCURACY, least_coverage=COVERAGE
        )
    check = ~tune
    figures = _stance_figures(part.rows[check].reset_index(drop=True), chances[check], truth[check])
    read = [lang for lang in READABLE if figures[f"umsab {lang}"]["macro_f1"] >= LEAST_F1]
    settings["languages"] = read
    return settings, figures


def _mixed(meaning: Floats, words: Floats, truth: npt.NDArray[np.integer[Any]], prior: Floats) -> dict[str, Any]:
    """The weight of words and the temperature under which the labels are likeliest, at the assumed mix."""
    each = (prior / np.bincount(truth, minlength=3))[truth] * len(truth)
    best: tuple[float, float, float] = (np.inf, 0.0, 1.0)
    for weight in (0.0, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0, 1.5):
        logits = meaning + weight * words + np.log(prior)
        heat = calibrate.temperature(logits, truth, each)
        chosen = calibrate.softmax(logits / heat)[np.arange(len(truth)), truth]
        best = min(best, (float(-(each * np.log(chosen)).sum()), weight, heat))
    return {"words": best[1], "temperature": best[2]}


def _stance_figures(rows: pd.DataFrame, chances: Floats, truth: npt.NDArray[np.integer[Any]]) -> dict[str, Any]:
    groups = {"tweeteval validation": rows["source"] == "tweeteval_sentiment"}
    for lang in ("en", "es", "pt", "it", "fr", "de"):
        groups[f"umsab {lang}"] = (rows["source"] == "umsab") & (rows["lang"] == lang)
    groups["uci yelp sentences"] = rows["source"] == "uci_yelp_sentences"
    return {
        name: _three_way(chances[chosen], truth[chosen])
        for name, mask in groups.items()
        if (chosen := mask.to_numpy()).any()
    }


def _three_way(chances: Floats, truth: npt.NDArray[np.integer[Any]]) -> dict[str, Any]:
    named = chances.argmax(1)
    right = (named == truth).astype(float)
    return {
        "rows": len(truth),
        "accuracy": float(right.mean()),
        "macro_recall": float(recall_score(truth, named, average="macro", zero_division=0)),
        "macro_f1": float(f1_score(truth, named, average="macro", zero_division=0)),
        "calibration_error": calibrate.calibration_error(chances.max(1), right),
        "coverage": [[share, accuracy] for share, _, accuracy in calibrate.coverage_curve(chances.max(1), right)],
    }


def topic_numbers(table: Table, topics: tuple[str, ...], trained: Linear) -> tuple[dict[str, Any], dict[str, Any]]:
    """One calibrated line for all topics, one for the gate, a threshold for each topic."""
    targets, weights = topic_targets(table.rows, topics)
    dense, words = trained.logits(table)
    tune = (table.rows["part"] == "tune").to_numpy() & (table.rows["label"] != "own").to_numpy()
    check = (table.rows["part"] == "check").to_numpy() & (table.rows["label"] != "own").to_numpy()
    gate_line = lines(np.stack([dense[:, -1], words[:, -1]], 1)[tune], targets[tune, -1])
    gate = straight(gate_line, np.stack([dense[:, -1], words[:, -1]], 1))
    shares = _description_shares(table, topics)
    blend = blended(shares, (dense[:, :-1] + words[:, :-1]) / 2, gate)
    used = weights[:, :-1] > 0
    line = lines(blend[tune][used[tune]], targets[tune, :-1][used[tune]])
    chances = np.stack([straight(line, blend[:, place]) for place in range(len(topics))], 1)
    thresholds = {
        name: calibrate.threshold_for(
            chances[tune & used[:, place], place], targets[tune & used[:, place], place], precision=PRECISION
        )
        for place, name in enumerate(topics)
    }
    found = {"names": list(topics), "alpha": ALPHA, "line": line, "gate": gate_line, "thresholds": thresholds}
    return found | {"languages": ["en"]}, _topic_figures(
        table.rows, topics, chances, gate, targets, used, thresholds, check
    )


def blended(shares: Floats, logits: Floats, gate: Floats) -> Floats:
    """What a topic's line reads: (n, k, 2), the logit of the blended chance, and the gate's logit."""
    chance = ALPHA * shares + (1 - ALPHA) * calibrate.sigmoid(logits)
    return np.stack([logit(chance), np.broadcast_to(logit(gate)[:, None], chance.shape)], 2)


def logit(chances: Floats) -> Floats:
    """The inverse of the sigmoid, kept within bounds."""
    kept = np.clip(chances, 1e-4, 1 - 1e-4)
    return np.asarray(np.log(kept / (1 - kept)))


def _description_shares(table: Table, topics: tuple[str, ...]) -> Floats:
    from core.scores import TOPICS
    from nlp import base
    from nlp.reference import TorchRunner, merged
    from nlp.tokens import load_tokenizer

    encoder = Encoder(load_tokenizer(base.locate().tokenizer), TorchRunner(merged(None), 1))
    vectors = table.dense[:, :WIDTH] / np.linalg.norm(table.dense[:, :WIDTH], axis=1, keepdims=True)
    shares = descriptions.load(encoder).shares(vectors)
    return shares[:, [TOPICS.index(name) for name in topics]]


def _topic_figures(
    rows: pd.DataFrame,
    topics: tuple[str, ...],
    chances: Floats,
    gate: Floats,
    targets: Floats,
    used: npt.NDArray[np.bool_],
    thresholds: dict[str, float],
    check: npt.NDArray[np.bool_],
) -> dict[str, Any]:
    figures: dict[str, Any] = {"gate_auc": float(roc_auc_score(targets[check, -1], gate[check]))}
    for source in ("gainesville_311_seeclickfix", "bengaluru_complaints"):
        chosen = check & (rows["source"] == source).to_numpy() & rows["label"].isin(topics).to_numpy()
        named, truth = chances[chosen].argmax(1), targets[chosen, :-1].argmax(1)
        figures[source] = {
            "rows": int(chosen.sum()),
            "accuracy": float((named == truth).mean()),
            "macro_f1": float(f1_score(truth, named, labels=np.unique(truth), average="macro", zero_division=0)),
        }
    figures["each"] = {}
    for place, (name, limit) in enumerate(thresholds.items()):
        asked = check & used[:, place]
        truth, held = targets[asked, place], chances[asked, place] >= limit
        figures["each"][name] = {
            "precision": float(precision_score(truth, held, zero_division=0)),
            "recall": float(recall_score(truth, held, zero_division=0)),
            "rows": int(truth.sum()),
        }
    return figures


def needs_numbers(table: Table, arrays: Arrays) -> tuple[dict[str, Any], dict[str, Any]]:
    """A calibrated line for each need, from out-of-fold scores; figures on the third kept for testing."""
    own = (table.rows["label"] == "own").to_numpy()
    fit = table.where((table.rows["part"] == "fit").to_numpy())
    mine = (fit.rows["label"] == "own").to_numpy()
    families = pd.factorize(fit.rows["family"])[0]
    dense, words = out_of_fold(fit, np.where(mine, families % FOLDS, -1))
    test = table.where(own & (table.rows["part"] == "check").to_numpy())
    k = len(NEEDS)
    test_dense = test.dense @ arrays["dense.weight"][-k:].T + arrays["dense.bias"][-k:]
    test_words = np.asarray(test.bags @ arrays["lexical.weight"][:, -k:]) + arrays["lexical.bias"][-k:]
    found: dict[str, Any] = {}
    figures: dict[str, Any] = {}
    for place, name in enumerate(NEEDS):
        scores = _need_scores(fit.where(mine).rows, dense[mine][:, place], words[mine][:, place], name)
        truth = fit.rows.loc[mine, name].to_numpy(dtype=float)
        found[name] = lines(scores, truth)
        langs = fit.rows.loc[mine, "lang"].to_numpy()
        summed = _summed(found[name], scores)
        found[name]["shift"] = {lang: calibrate.shift(summed[langs == lang], truth[langs == lang]) for lang in READABLE}
        found[name]["languages"] = [lang for lang in READABLE if _auc(truth, summed, langs == lang) >= LEAST_AUC]
        tested = _summed(found[name], _need_scores(test.rows, test_dense[:, place], test_words[:, place], name))
        moved = test.rows["lang"].map(found[name]["shift"]).to_numpy(dtype=float)
        figures[name] = _need_figures(test.rows, name, calibrate.sigmoid(tested + moved))
    return found, figures


def _need_scores(rows: pd.DataFrame, dense: Floats, words: Floats, name: str) -> Floats:
    """What a need's line reads: meaning, words, and for about_us whether the agency is named."""
    columns = [dense, words]
    if name == "about_us":
        known = {agency: Names(Agency(names=(agency,))) for agency in rows["agency"].unique()}
        evidence = [known[agency].evidence(text) for agency, text in zip(rows["agency"], rows["text"], strict=True)]
        columns = [
            dense + np.array([found.by_rule for found in evidence]),
            words,
            np.array([found.named for found in evidence]),
        ]
    return np.stack(columns, 1)


def _summed(line: dict[str, Any], scores: Floats) -> Floats:
    return np.asarray(scores @ np.asarray(line["slopes"]) + line["offset"])


def _auc(truth: Floats, chances: Floats, chosen: npt.NDArray[np.bool_]) -> float:
    return float(roc_auc_score(truth[chosen], chances[chosen])) if len(set(truth[chosen])) > 1 else 0.0


def _need_figures(rows: pd.DataFrame, name: str, chances: Floats) -> dict[str, Any]:
    truth = rows[name].to_numpy(dtype=float)
    figures = {}
    for lang in READABLE:
        chosen = (rows["lang"] == lang).to_numpy()
        named = chances[chosen] >= 0.5
        figures[lang] = {
            "rows": int(chosen.sum()),
            "positive": int(truth[chosen].sum()),
            "auc": _auc(truth, chances, chosen),
            "average_precision": float(average_precision_score(truth[chosen], chances[chosen])),
            "precision": float(precision_score(truth[chosen], named, zero_division=0)),
            "recall": float(recall_score(truth[chosen], named, zero_division=0)),
            "f1": float(f1_score(truth[chosen], named, zero_division=0)),
            "calibration_error": calibrate.calibration_error(chances[chosen], truth[chosen], bins=10),
        }
    return figures
