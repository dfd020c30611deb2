"""Texts to features: tokenise, batch by length, encode. The only file with a runtime in its hot path."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from nlp.tokens import TokenBatch, batches, windows

WIDTH = 384
FEATURES = 4 * WIDTH  # plain mean, plain max, adapted mean, adapted max

Floats = npt.NDArray[np.float32]


class Runner(Protocol):
    """Runs the merged encoder."""

    @property
    def name(self) -> str:
        """What `openear check` calls it."""

    def run(self, batches: Iterable[TokenBatch]) -> Iterator[tuple[TokenBatch, Floats]]:
        """Features (n, 1536) of each batch, in any order."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """The windows of some texts and what the encoder made of them.

    Attributes:
        windows: token ids of each window.
        owner: (n_windows,) the text each belongs to, ascending.
        features: (n_windows, 1536).
    """

    windows: list[list[int]]
    owner: npt.NDArray[np.int64]
    features: Floats

    @property
    def sizes(self) -> Floats:
        """Tokens of text in each window; 0 for an empty text."""
        return np.array([len(window) - 2 for window in self.windows], dtype=np.float32)


@dataclass(frozen=True)
class Encoder:
    """Texts to features; a text's features do not depend on its neighbours."""

    tokenizer: Tokenizer
    runner: Runner

    def encode(self, texts: Sequence[str]) -> Encoded:
        """Encode each text in as many windows as it needs."""
        parts = windows(self.tokenizer, texts)
        flat = [window for part in parts for window in part]
        owner = np.repeat(np.arange(len(parts)), [len(part) for part in parts]).astype(np.int64)
        features = np.zeros((len(flat), FEATURES), dtype=np.float32)
        for batch, made in self.runner.run(batches(flat)):
            features[batch.rows] = made
        return Encoded(flat, owner, features)

    def vectors(self, texts: Sequence[str]) -> Floats:
        """One unit vector a text: (n, 384); windows count by their tokens."""
        return text_vectors(self.encode(texts), len(texts))


def text_vectors(encoded: Encoded, count: int) -> Floats:
    """The plain means of each text's windows, weighted by tokens, at unit length: (count, 384)."""
    summed = np.zeros((count, WIDTH), dtype=np.float64)
    np.add.at(summed, encoded.owner, encoded.features[:, :WIDTH] * np.maximum(encoded.sizes, 1)[:, None])
    unit: Floats = (summed / np.maximum(np.linalg.norm(summed, axis=1, keepdims=True), 1e-9)).astype(np.float32)
    return unit
