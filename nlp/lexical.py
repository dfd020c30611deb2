"""A text as the word pieces and pairs of pieces it holds: what an encoder of English meaning forgets.

Reads the token ids of the encoder's windows, so it costs next to nothing and needs no second vocabulary.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

PIECES, PAIRS = 30522, 2**15
BUCKETS = PIECES + 2 * PAIRS  # single pieces, then pairs, then triples
_FIRST, _SECOND, _THIRD = 2654435761, 40503, 97


def buckets(window: Sequence[int]) -> npt.NDArray[np.int64]:
    """The buckets of one window (its two marks left out): sorted, each once."""
    ids = np.asarray(window[1:-1], dtype=np.int64)
    pairs = (ids[:-1] * _FIRST + ids[1:] * _SECOND) % 1_000_003 % PAIRS
    triples = (ids[:-2] * _FIRST + ids[1:-1] * _SECOND + ids[2:] * _THIRD) % 1_000_033 % PAIRS
    return np.unique(np.concatenate([ids, pairs + PIECES, triples + PIECES + PAIRS]))


def logits(
    window: Sequence[int], weights: npt.NDArray[np.float32], bias: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    """What linear heads say of one window: weights (buckets, k), answer (k,). Each bucket counts 1 / sqrt(n)."""
    found = buckets(window)
    if not len(found):
        return bias
    summed: npt.NDArray[np.float32] = weights[found].sum(0, dtype=np.float32) / np.float32(np.sqrt(len(found))) + bias
    return summed
