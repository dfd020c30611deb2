"""The encoder: as published where it was not adapted, whole on long texts, deaf to its neighbours."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from core.errors import SettingsError
from core.scores import Passage
from nlp import base, data, descriptions, export, runners, shipped, tokens
from nlp.classifier import OpenearClassifier
from nlp.encoder import WIDTH, Encoder, text_vectors
from nlp.heads import NEEDS
from nlp.shipped import Shipped
from tests.nlp.conftest import AGENCY

ROOT = Path(__file__).parents[2]
TEXTS = [
    "The streetlight on Elm Street has been out for three weeks.",
    "thank you!!",
    "No hay agua en la calle Séptima desde anoche, ¿cuándo vuelve? 😡",
    "Is the library open on Monday? My card number is on the letter you sent, and nobody answers the phone at all.",
    "x",
    "Sewage " * 400,
]


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return tokens.load_tokenizer(base.locate().tokenizer)


def test_the_plain_branch_is_the_published_encoder(encoder: Encoder) -> None:
    """Oracle: transformers' own BertModel on the same ids."""
    import torch
    from transformers import BertModel

    bert = BertModel.from_pretrained(base.locate().weights.parent)
    bert.train(False)
    encoded = encoder.encode(TEXTS[:4])
    for window, features in zip(encoded.windows, encoded.features, strict=True):
        with torch.inference_mode():
            states = bert(torch.tensor([window])).last_hidden_state[0]
        assert np.allclose(features[:WIDTH], states.mean(0), atol=2e-5)
        assert np.allclose(features[WIDTH : 2 * WIDTH], states.amax(0), atol=2e-5)


def test_the_adapted_branch_differs(encoder: Encoder) -> None:
    features = encoder.encode(TEXTS[:1]).features
    assert np.abs(features[0, :WIDTH] - features[0, 2 * WIDTH : 3 * WIDTH]).max() > 0.1


@settings(max_examples=60, deadline=None)
@given(length=st.integers(0, 900))
def test_every_token_of_a_text_is_in_a_window(tokenizer: Tokenizer, length: int) -> None:
    ids = list(range(1000, 1000 + length))
    parts = list(tokens._parts(ids))
    assert all(len(part) <= tokens.WINDOW for part in parts)
    assert {number for part in parts for number in part} == set(ids)
    assert all(
        parts[at][tokens.STRIDE :] == parts[at + 1][: len(parts[at]) - tokens.STRIDE] for at in range(len(parts) - 1)
    )


@given(st.lists(st.integers(2, 128), min_size=1, max_size=60))
def test_batches_hold_every_window_once_under_the_budget(lengths: list[int]) -> None:
    made = list(tokens.batches([[7] * length for length in lengths]))
    assert sorted(row for batch in made for row in batch.rows) == list(range(len(lengths)))
    for batch in made:
        assert batch.ids.size <= tokens.BUDGET or len(batch.rows) == 1
        assert [lengths[row] for row in batch.rows] == batch.mask.sum(1).tolist()
        assert {-(-lengths[row] // tokens.STEP) * tokens.STEP for row in batch.rows} == {batch.ids.shape[1]}


def test_an_endless_word_is_read_piece_by_piece(tokenizer: Tokenizer) -> None:
    ((window,),) = tokens.windows(tokenizer, ["ab" * 60])
    unknown = tokenizer.token_to_id("[UNK]")
    assert unknown not in window
    assert len(window) > 10


def test_a_long_text_takes_many_windows_and_one_vector(encoder: Encoder) -> None:
    encoded = encoder.encode([TEXTS[5], "short"])
    assert (encoded.owner == 0).sum() >= 4
    vectors = text_vectors(encoded, 2)
    assert vectors.shape == (2, WIDTH)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_exported_encoder_is_deaf_to_neighbours(exported: Path, tokenizer: Tokenizer) -> None:
    """To the last bit, in another order and in other company too."""
    fast = Encoder(tokenizer, runners.OpenVinoRunner(exported, 2))
    texts = [*TEXTS, *data.needs_rows()["text"].head(60)]
    together = fast.encode(texts)
    back = fast.encode(texts[::-1])
    for place, text in enumerate(texts):
        among = together.features[together.owner == place]
        assert np.array_equal(fast.encode([text]).features, among)
        assert np.array_equal(back.features[back.owner == len(texts) - 1 - place], among)


def test_exported_encoder_agrees_with_torch(classifier: OpenearClassifier, weights: Shipped, exported: Path) -> None:
    """The golden test: int8 against float32, label by label. The 500 texts of the model card give 0.98."""
    fast = Encoder(classifier._encoder.tokenizer, runners.OpenVinoRunner(exported, 1))
    quick = OpenearClassifier(weights, fast, descriptions.load(fast), AGENCY)
    own = data.needs_rows()
    passages = [Passage(text=text) for text in own[own["part"] == "test"]["text"].head(200)]
    pairs = list(zip(quick.classify(passages), classifier.classify(passages), strict=True))
    read = [(one, other) for one, other in pairs if not one.abstained and not other.abstained]
    assert len(read) > 80
    assert np.mean([one.sentiment.label == other.sentiment.label for one, other in read]) >= 0.98
    for need in NEEDS:
        assert np.mean([(getattr(a, need) >= 0.5) == (getattr(b, need) >= 0.5) for a, b in pairs]) >= 0.97


SCORER = """
import json, socket, sys
from pathlib import Path

def no_network(*_):
    raise OSError("a connection was tried")

socket.socket.connect = no_network
socket.getaddrinfo = no_network
from core.scores import Passage
from core.settings import Agency
from nlp import classifier

found = classifier.load(None, threads=1, cache=Path(sys.argv[1]), agency=Agency(names=("City of X",)))
scores = found.classify([Passage(text="The bus did not come.")])
print(json.dumps([found.runtime, found.model, sorted({m.split(".")[0] for m in sys.modules})]))
"""


def test_the_scoring_process_needs_neither_torch_nor_the_network(exported: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCORER, str(exported.parent)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    runtime, model, modules = json.loads(done.stdout.splitlines()[-1])
    assert runtime == "openvino"
    assert model == f"openear-minilm@{shipped.load().revision}"
    assert not {"torch", "transformers", "nncf", "onnx", "sklearn"} & set(modules)


HUSHED = """
from nlp import quiet
import nncf, openvino, openvino.tools.ovc.telemetry_utils as used, sys
assert sys.modules[quiet.TELEMETRY] is None
assert "stub" in used.tm.__name__, used.tm
"""


def test_telemetry_cannot_be_imported() -> None:
    subprocess.run([sys.executable, "-c", HUSHED], cwd=ROOT, check=True, capture_output=True, timeout=200)


def test_without_an_export_torch_reads(weights: Shipped, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(runners.CHOICE, "torch")
    assert runners.choose(weights, cache=tmp_path, threads=1).name == "torch"
    assert not list(tmp_path.iterdir())


def test_a_damaged_export_is_not_used(exported: Path, tmp_path: Path) -> None:
    for name in (*export.FILES, export.DIGESTS):
        (tmp_path / name).write_bytes((exported / name).read_bytes())
    assert export.is_whole(tmp_path)
    with (tmp_path / export.FILES[0]).open("ab") as file:
        file.write(b" ")
    assert not export.is_whole(tmp_path)


def test_another_tokenizer_is_refused(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(SettingsError, match="sha256"):
        base.check(tmp_path / "tokenizer.json", base.TOKENIZER_SHA256)
    with pytest.raises(SettingsError, match="missing"):
        base.check(tmp_path / "nothing.json", base.TOKENIZER_SHA256)
