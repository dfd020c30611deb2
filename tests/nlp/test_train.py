"""Training: only listed rows, no copy of a text on both sides, and heads that learn what there is to learn."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from nlp import adapter, calibrate, data, fitting, learn, lexical, stance
from nlp.heads import NEEDS
from nlp.trunk import HIDDEN, LINEARS, Trunk, padding_bias


@pytest.fixture(scope="module")
def sentiment(shared: Path) -> pd.DataFrame:
    return data.sentiment_rows(shared / "data" / "train")


@pytest.fixture(scope="module")
def civic(shared: Path) -> pd.DataFrame:
    return data.civic_rows(shared / "data" / "train")


def test_only_listed_sources_are_learnt_from(sentiment: pd.DataFrame, civic: pd.DataFrame) -> None:
    listed = pd.read_csv(data.LISTED)
    assert set(sentiment["source"]) | set(civic["source"]) <= set(listed["source"])
    forbidden = "airline|yelp_10k|newport|tass|emoevent|cityhall|sst|sf311|publicstuff"
    assert not listed["source"].str.contains(forbidden).any()
    assert not pd.concat([sentiment, civic])["source"].str.contains(forbidden).any()


def test_the_list_says_how_many_rows_there_are(shared: Path) -> None:
    listed = pd.read_csv(data.LISTED)
    for name, group in listed[listed["set"] != "nlp/texts"].groupby("set"):
        counts = pd.read_parquet(shared / "data" / "train" / f"{name}.parquet")["source"].value_counts()
        for source, rows in zip(group["source"], group["rows"], strict=True):
            assert counts[source] == rows
    assert listed.set_index("source")["rows"]["nlp/texts"] == len(data.needs_rows())
    assert listed.notna().all().all()


def test_no_copy_of_a_text_is_on_both_sides(sentiment: pd.DataFrame, civic: pd.DataFrame) -> None:
    for frame in (sentiment, civic):
        letters = frame["text"].map(data.letters)
        long = letters.str.len() >= 25  # shorter ones are said by many
        learnt = set(letters[long & (frame["part"] == "fit")])
        shared_texts = letters[long & (frame["part"] == "check")].isin(learnt)
        assert shared_texts.mean() < 0.03, letters[shared_texts[shared_texts].index].head().tolist()
    begins = sentiment["text"].map(lambda text: data.letters(text)[:25])
    check = sentiment["part"] == "check"
    official = check & sentiment["source"].isin(("tweeteval_sentiment", "umsab"))
    assert not begins[official].isin(set(begins[~check])).any()


@given(st.text())
def test_a_part_is_one_of_three_and_always_the_same(key: str) -> None:
    assert data.part_of(key) == data.part_of(key)
    assert data.part_of(key) in {"fit", "tune", "check"}


def test_low_rank_matrices_start_as_nothing_and_merge_into_what_they_trained() -> None:
    torch.manual_seed(1)
    trunk = Trunk(vocabulary=50, positions=8).eval().requires_grad_(False)
    ids, mask = torch.randint(0, 50, (3, 6)), torch.ones(3, 6)
    before = trunk(ids, mask)
    parameters = adapter.adapt(trunk, 4, torch.Generator().manual_seed(1))
    assert torch.allclose(trunk(ids, mask), before, atol=1e-6)
    with torch.no_grad():
        for parameter in parameters:
            parameter.add_(0.02)
    changed, found = trunk(ids, mask), adapter.deltas(trunk)
    assert len(found) == 3 * len(LINEARS) * 2
    for number, layer in enumerate(trunk.adapted, start=3):
        for name in LINEARS:
            wrapped = getattr(layer, name)
            up, down = found[f"adapter.{number}.{name}.b"], found[f"adapter.{number}.{name}.a"]
            wrapped.linear.weight += torch.from_numpy(up @ down)
            setattr(layer, name, wrapped.linear)
    assert torch.allclose(trunk(ids, mask), changed, atol=1e-4)
    assert torch.allclose(changed[:, : 2 * HIDDEN], before[:, : 2 * HIDDEN])


def test_stance_is_learnt_and_the_same_seed_gives_the_same_weights() -> None:
    def trained() -> tuple[dict[str, Any], Any, Any]:
        torch.manual_seed(3)
        trunk = Trunk(vocabulary=20, positions=8).eval().requires_grad_(False)
        lists = [[1, word, word, 2] for word in range(3, 9)] * 8
        labels = np.array([(window[1] - 3) // 2 for window in lists])
        states = stance.shared_states(trunk, lists, lambda *_: None)
        recipe = stance.Recipe(rank=2, epochs=5, rows=8, rate=1e-2, dropout=0.0, masked=0.0)
        arrays = stance.train(trunk, states, labels, recipe, lambda *_: None)
        features = stance.branch(trunk, *states.padded(range(6))).detach().numpy()
        named = (features @ arrays["stance.weight"].T + arrays["stance.bias"]).argmax(1)
        return arrays, named, labels[:6]

    one, named, truth = trained()
    other, _, _ = trained()
    assert (named == truth).all()
    assert all(np.array_equal(one[name], other[name]) for name in one)


def test_padding_is_not_seen() -> None:
    torch.manual_seed(5)
    trunk = Trunk(vocabulary=50, positions=8).eval().requires_grad_(False)
    ids = torch.randint(1, 50, (1, 4))
    padded = torch.cat([ids, torch.zeros(1, 3, dtype=torch.long)], 1)
    mask = torch.tensor([[1, 1, 1, 1, 0, 0, 0]])
    assert torch.allclose(trunk(padded, mask), trunk(ids, mask[:, :4]), atol=1e-5)
    assert padding_bias(mask).shape == (1, 1, 1, 7)


def test_linear_heads_find_what_is_there_and_leave_out_what_weighs_nothing() -> None:
    rng = np.random.default_rng(2)
    features = rng.normal(size=(400, 5)).astype(np.float32)
    targets = (features[:, :2] > 0).astype(float)
    wrong = targets.copy()
    wrong[:200] = 1 - wrong[:200]
    weights = np.ones_like(wrong)
    weights[:200] = 0
    weight, bias = learn.fit(features, wrong, loss="sigmoid", ridge=1e-4, weights=weights)
    assert ((features @ weight.T + bias > 0) == targets).mean() > 0.97
    scaled, mean, spread = learn.standardised(features * 3 + 1)
    weight, bias = learn.folded(*learn.fit(scaled, targets, loss="sigmoid", ridge=1e-4), mean, spread)
    assert (((features * 3 + 1) @ weight.T + bias > 0) == targets).mean() > 0.97


def test_topics_that_go_together_do_not_count_against_each_other() -> None:
    topics = ("building_code_property", "noise", "trash_dumping_cleaning", "trees_vegetation")
    rows = pd.DataFrame({"label": ["building_code_property", "other", "not_civic", "positive", "own"]})
    targets, weights = fitting.topic_targets(rows, topics)
    assert targets[0].tolist() == [1, 0, 0, 0, 1]
    assert weights[0].tolist() == [1, 1, 0, 0, 1]
    assert weights[1].tolist() == [0, 0, 0, 0, 1]
    assert targets[2:4, -1].tolist() == [0, 0]
    assert not weights[4].any()


def test_our_own_labels_count_in_full() -> None:
    own = {"label": "own", "source": "nlp/texts", "needs_answer": 1, "urgency": 0, "safety": 0, "about_us": 1}
    tweet = {"label": "neutral", "source": "semeval2013_2016_taskA"}
    targets, weights = fitting.need_targets(pd.DataFrame([own, tweet]))
    assert targets[0].tolist() == [1, 0, 0, 1]
    assert weights[0].tolist() == [1] * len(NEEDS)
    assert (weights[1] < 0.2).all()


@given(st.lists(st.integers(0, lexical.PIECES - 1), max_size=60))
def test_word_buckets_are_within_bounds_and_each_once(ids: list[int]) -> None:
    found = lexical.buckets([101, *ids, 102])
    assert len(set(found.tolist())) == len(found)
    assert set(ids) <= set(found.tolist())
    assert all(0 <= bucket < lexical.BUCKETS for bucket in found)


def test_temperature_and_line_calibrate_what_was_too_sure() -> None:
    rng = np.random.default_rng(4)
    logits = rng.normal(size=(4000, 3)) * 1.5
    chances = calibrate.softmax(logits)
    labels = np.array([rng.choice(3, p=row) for row in chances])
    assert calibrate.temperature(logits * 3, labels, np.ones(4000)) == pytest.approx(3, rel=0.1)
    score = rng.normal(size=4000) * 2
    truth = (rng.random(4000) < calibrate.sigmoid(score - 1)).astype(float)
    slopes, offset = calibrate.line(score[:, None] * 4, truth)
    assert slopes[0] == pytest.approx(0.25, rel=0.1)
    assert offset == pytest.approx(-1, abs=0.15)
    moved = calibrate.shift(score, truth)
    assert calibrate.sigmoid(score + moved).mean() == pytest.approx(truth.mean(), abs=1e-6)


def test_abstaining_buys_accuracy_and_never_too_much_coverage() -> None:
    chances = np.linspace(0.34, 1, 1000)
    right = (np.random.default_rng(6).random(1000) < chances).astype(float)
    limit = calibrate.abstain_below(chances, right, accuracy=0.8, least_coverage=0.5)
    kept = chances >= limit
    assert right[kept].mean() >= 0.79
    assert kept.mean() >= 0.5
    assert calibrate.abstain_below(chances, right, accuracy=0.999, least_coverage=0.85) == pytest.approx(chances[150])
    shares, lows, accuracies = zip(*calibrate.coverage_curve(chances, right), strict=True)
    assert list(lows) == sorted(lows)
    assert accuracies[-1] > accuracies[0]
    assert shares[0] == 1


def test_thresholds_reach_their_precision() -> None:
    chances = np.linspace(0, 1, 101)
    truth = (chances >= 0.6).astype(float)
    limit = calibrate.threshold_for(chances, truth, precision=1.0)
    assert limit == pytest.approx(0.6, abs=0.011)
    assert calibrate.threshold_for(chances, np.zeros(101), precision=0.9) == 0.5
