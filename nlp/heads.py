"""Features to numbers: what the trained heads say of each window, and of a text made of several."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nlp import lexical
from nlp.encoder import FEATURES, WIDTH, Encoded
from nlp.shipped import Shipped

Floats = npt.NDArray[np.float32]

#: What the plain heads answer, after the topics: each alone a yes or no.
GATE = "civic"
NEEDS = ("needs_answer", "urgency", "safety", "about_us")


class Heads:
    """Linear heads on the encoder's features and on the words themselves.

    Arrays it reads of the weights: stance.* (3 from the adapted branch), dense.* (k from all features),
    lexical.* (3 + k from words). The k are the trained topics, then the gate, then NEEDS.
    """

    def __init__(self, shipped: Shipped) -> None:
        arrays = shipped.arrays
        self.topics: tuple[str, ...] = tuple(shipped.numbers["topics"]["names"])
        self._stance, self._stance_bias = arrays["stance.weight"], arrays["stance.bias"]
        self._dense, self._dense_bias = arrays["dense.weight"], arrays["dense.bias"]
        self._words, self._words_bias = arrays["lexical.weight"], arrays["lexical.bias"]
        if self._dense.shape != (len(self.names), FEATURES):
            raise ValueError(f"dense.weight has shape {self._dense.shape}, expected {(len(self.names), FEATURES)}")

    @property
    def names(self) -> tuple[str, ...]:
        """What the dense heads answer, in order."""
        return (*self.topics, GATE, *NEEDS)

    def logits(self, encoded: Encoded) -> "Logits":
        """What all heads say of each window."""
        words = np.stack([lexical.logits(window, self._words, self._words_bias) for window in encoded.windows])
        return Logits(
            stance=_each(encoded.features[:, 2 * WIDTH :], self._stance, self._stance_bias),
            stance_words=words[:, :3],
            meaning=_each(encoded.features, self._dense, self._dense_bias),
            words=words[:, 3:],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Logits:
    """Of n windows: negative, neutral, positive (n, 3) and the heads of `names` (n, k), by meaning and by words."""

    stance: Floats
    stance_words: Floats
    meaning: Floats
    words: Floats


def _each(features: Floats, weight: Floats, bias: Floats) -> Floats:
    """Row by row, so that a row's last digits do not depend on how many there are."""
    return np.stack([weight @ row + bias for row in features])


def mean_of_windows(values: Floats, encoded: Encoded, count: int) -> npt.NDArray[np.float64]:
    """One value a text from (n_windows, k): windows count by their tokens. For stance."""
    weights = np.maximum(encoded.sizes, 1).astype(np.float64)[:, None]
    summed, total = np.zeros((count, values.shape[1])), np.zeros((count, 1))
    np.add.at(summed, encoded.owner, values * weights)
    np.add.at(total, encoded.owner, weights)
    return summed / total


def most_of_windows(values: Floats, encoded: Encoded, count: int) -> npt.NDArray[np.float64]:
    """One value a text from (n_windows, k): the highest. One alarming paragraph alarms."""
    highest = np.full((count, values.shape[1]), -np.inf)
    np.maximum.at(highest, encoded.owner, values)
    return highest
