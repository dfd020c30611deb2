"""Text to token windows, and windows to batches of like length."""

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from nlp.clean import prepare

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
from tokenizers import Tokenizer

WINDOW = 126  # tokens of text in one pass; with its two marks 128
STRIDE = 110  # a window starts this many tokens after the one before: 16 overlap
BUDGET = 1024  # most tokens, padding included, in one batch
MOST_ROWS = 128
#: A window is padded to the next multiple of this, alone or among others: with what it is padded, its last digits
#: change, and with them, in int8, sometimes more.
STEP = 8
CLS, SEP, PAD = 101, 102, 0

#: The vocabulary reads a word of more than 100 letters as one unknown; broken up, nothing of it is lost.
_LONG_WORD = re.compile(r"\S{60,}")


def readable(text: str) -> str:
    """A text in the encoder's spelling, with endless words broken up."""
    return _LONG_WORD.sub(lambda found: " ".join(_pieces(found[0])), prepare(text))


def _pieces(word: str, length: int = 50) -> Iterator[str]:
    return (word[start : start + length] for start in range(0, len(word), length))


def load_tokenizer(file: Path) -> Tokenizer:
    """The published tokenizer, without its own cutting and padding."""
    tokenizer = Tokenizer.from_file(str(file))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def windows(tokenizer: Tokenizer, texts: Sequence[str]) -> list[list[list[int]]]:
    """The token ids of each text in windows of at most 128; every token of a text is in one of its windows."""
    encoded = tokenizer.encode_batch([readable(text) for text in texts], add_special_tokens=False)
    return [[[CLS, *part, SEP] for part in _parts(entry.ids)] for entry in encoded]


def _parts(ids: list[int]) -> Iterator[list[int]]:
    yield ids[:WINDOW]
    for start in range(STRIDE, len(ids) - (WINDOW - STRIDE), STRIDE):
        yield ids[start : start + WINDOW]


@dataclass(frozen=True, slots=True)
class TokenBatch:
    """Windows of like length: ids and mask (n, length), and where each row stood in the list they came from."""

    rows: npt.NDArray[np.int64]
    ids: npt.NDArray[np.int64]
    mask: npt.NDArray[np.int64]


def batches(lists: Sequence[Sequence[int]], *, budget: int = BUDGET) -> Iterator[TokenBatch]:
    """Group windows of like length under a budget of tokens, longest first, so that little is padding.

    The length to which a window is padded depends on the window alone, never on its neighbours.
    """
    groups: dict[int, list[int]] = {}
    for row, window in enumerate(lists):
        groups.setdefault(-(-len(window) // STEP) * STEP, []).append(row)
    for longest in sorted(groups, reverse=True):
        count = max(1, min(MOST_ROWS, budget // longest))
        for start in range(0, len(groups[longest]), count):
            yield _padded(lists, groups[longest][start : start + count], longest)


def _padded(lists: Sequence[Sequence[int]], rows: list[int], longest: int) -> TokenBatch:
    ids = np.full((len(rows), longest), PAD, dtype=np.int64)
    mask = np.zeros((len(rows), longest), dtype=np.int64)
    for place, row in enumerate(rows):
        length = len(lists[row])
        ids[place, :length] = lists[row]
        mask[place, :length] = 1
    return TokenBatch(np.asarray(rows, dtype=np.int64), ids, mask)
