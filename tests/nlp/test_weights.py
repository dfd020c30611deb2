"""What ships: small, whole, listed, described, and as good as it was."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.errors import BadInput, SettingsError
from core.scores import TOPICS, Passage
from nlp import card, data, descriptions, evaluate, shipped
from nlp.classifier import OpenearClassifier
from nlp.encoder import Encoder
from nlp.heads import NEEDS
from nlp.shipped import Shipped

FLOORS = json.loads((shipped.FOLDER / "floors.json").read_text("utf-8"))


def test_nothing_but_the_listed_files_ships_and_all_of_it_is_small() -> None:
    files = {file.name: file.stat().st_size for file in shipped.FOLDER.iterdir() if file.is_file()}
    expected = {shipped.FILE, shipped.DIGEST, "CARD.md", "DATA.csv", "metrics.json", card.ELSEWHERE, "floors.json"}
    assert set(files) == expected
    assert sum(files.values()) <= shipped.MOST_BYTES


def test_a_changed_byte_is_refused(tmp_path: Path) -> None:
    body = bytearray((shipped.FOLDER / shipped.FILE).read_bytes())
    body[-1] ^= 1
    (tmp_path / shipped.FILE).write_bytes(body)
    (tmp_path / shipped.DIGEST).write_text((shipped.FOLDER / shipped.DIGEST).read_text())
    with pytest.raises(SettingsError, match="sha256"):
        shipped.load(tmp_path)
    with pytest.raises(SettingsError, match="missing"):
        shipped.load(tmp_path / "nowhere")


def test_weights_are_saved_and_read_alike(tmp_path: Path) -> None:
    arrays = {"a": np.array([[0.5, -2.0]], dtype=np.float32)}
    sha256 = shipped.save(tmp_path, arrays, {"topics": {"names": []}})
    read = shipped.load(tmp_path)
    assert read.revision == sha256[:7]
    assert np.array_equal(read.arrays["a"], arrays["a"])
    assert read.numbers == {"topics": {"names": []}}


def test_too_large_weights_do_not_ship(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="more than"):
        shipped.save(tmp_path, {"a": np.zeros((2100, 2000), dtype=np.float32)}, {})


def test_the_card_says_what_the_figures_say(weights: Shipped) -> None:
    """Fails when the weights or figures changed and `python -m nlp.card` was not run."""
    written = (shipped.FOLDER / "CARD.md").read_text("utf-8")
    assert written == card.render(weights)
    assert json.loads((shipped.FOLDER / card.ELSEWHERE).read_text())["model"].endswith(weights.revision)
    for source in data.listed_sources():
        assert source in written
    for words in ("Limits", "Must not be used", "Spanish", "unmeasured", "one author"):
        assert words in written


def test_trained_topics_have_rows_and_the_others_have_words(weights: Shipped, classifier: OpenearClassifier) -> None:
    trained = set(weights.numbers["topics"]["names"])
    assert trained <= set(TOPICS) - {"other", "praise"}
    for topic in set(TOPICS) - {"other"}:
        assert topic in classifier._described.words
    assert set(weights.numbers["needs"]) == set(NEEDS)


def test_an_agency_may_change_the_descriptions(encoder: Encoder, tmp_path: Path) -> None:
    file = tmp_path / "topics.toml"
    file.write_text('[noise]\ndescribes = ["low flying helicopters"]\nwords = ["helicopter*"]\n', "utf-8")
    found = descriptions.load(encoder, file)
    assert found.named("Helicopters again, HELICOPTERS") == {"noise": 1}
    file.write_text('[nosie]\nwords = ["x"]\n', "utf-8")
    with pytest.raises(BadInput, match="nosie"):
        descriptions.load(encoder, file)


@pytest.mark.parametrize("name", sorted(FLOORS["sets"]))
def test_quality_has_not_fallen(name: str, shared: Path, classifier: OpenearClassifier) -> None:
    """Lowering a floor needs its own commit and reason; a changed sample fails by its hash."""
    floor = FLOORS["sets"][name]
    frame = pd.read_parquet(shared / "data" / "train" / floor["file"])
    for column, value in floor["where"].items():
        frame = frame[frame[column] == value]
    frame = frame.sample(floor["rows"], random_state=FLOORS["seed"]).reset_index(drop=True)
    columns = [column for column in ("text", "text_a", "text_b", "label") if column in frame]
    body = frame[columns].to_csv(index=False).encode()
    assert hashlib.sha256(body).hexdigest() == floor["sha256"], "the sample is not the one the floor was set on"
    report = getattr(evaluate, floor["kind"])(frame, classifier)
    low = {key: (report.figures[key], least) for key, least in floor["least"].items() if report.figures[key] < least}
    high = {key: (report.figures[key], most) for key, most in floor["most"].items() if report.figures[key] > most}
    assert not low, f"below the floor: {low}"
    assert not high, f"above the ceiling: {high}"


def test_our_own_texts_are_read_as_well_as_before(classifier: OpenearClassifier) -> None:
    own = data.needs_rows()
    own = own[own["part"] == "test"]
    scores = classifier.classify([Passage(text=text) for text in own["text"]])
    for need, least in FLOORS["needs_auc"].items():
        chances = np.array([getattr(found, need) for found in scores])
        truth = own[need].to_numpy() == 1
        auc = (chances[truth][:, None] > chances[~truth][None]).mean()
        assert auc >= least, f"{need}: {auc:.3f}"
