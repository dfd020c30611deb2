"""The shipped classifier, loaded once for all tests of nlp. Texts here are ours."""

from pathlib import Path

import pytest

from core.settings import Agency, Settings
from jobs.model_cache import model_cache
from nlp import base, shipped
from nlp.classifier import OpenearClassifier
from nlp.descriptions import load as load_descriptions
from nlp.encoder import Encoder
from nlp.reference import TorchRunner, merged
from nlp.shipped import Shipped
from nlp.tokens import load_tokenizer

AGENCY = Agency(
    names=("City of Maple Harbor",),
    handles=("@mapleharbor",),
    places=("Quarry Road", "Harborside"),
    languages=("en", "es"),
    subdivision="MA",
)


@pytest.fixture(scope="session")
def weights() -> Shipped:
    return shipped.load()


@pytest.fixture(scope="session")
def encoder(weights: Shipped) -> Encoder:
    return Encoder(load_tokenizer(base.locate().tokenizer), TorchRunner(merged(weights), 1))


@pytest.fixture(scope="session")
def classifier(weights: Shipped, encoder: Encoder) -> OpenearClassifier:
    """The shipped weights on torch: the reference, quick to load."""
    return OpenearClassifier(weights, encoder, load_descriptions(encoder), AGENCY)


@pytest.fixture(scope="session")
def exported(weights: Shipped, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The int8 encoder, built once and kept between runs in var/ (never committed)."""
    from nlp import export, runners

    cache = model_cache(Settings())
    folder = runners.exported(weights, cache)
    if folder is None:
        pytest.fail("the int8 encoder could not be built: see the log", pytrace=False)
    assert export.is_whole(folder)
    return folder
