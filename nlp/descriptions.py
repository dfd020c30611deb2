"""The topics in words: what topics.toml says, as vectors and as patterns."""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from core.errors import BadInput
from core.scores import TOPICS
from nlp.encoder import Encoder

FILE = Path(__file__).parent / "topics.toml"
SHARPNESS = 0.05  # temperature of the softmax over cosines

Floats = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Descriptions:
    """Vectors of the lines and the words of each topic."""

    vectors: npt.NDArray[np.float32]  # (lines, 384)
    topic: npt.NDArray[np.int64]  # (lines,) place in TOPICS
    words: dict[str, re.Pattern[str]]

    def cosines(self, vectors: npt.NDArray[np.float32]) -> Floats:
        """How near each text is to each topic's nearest line: (n, 21); -1 where a topic has no line."""
        nearest = np.full((len(vectors), len(TOPICS)), -1.0)
        for place, vector in enumerate(vectors):
            np.maximum.at(nearest[place], self.topic, self.vectors @ vector)
        return nearest

    def shares(self, vectors: npt.NDArray[np.float32]) -> Floats:
        """Cosines as shares of one: (n, 21)."""
        sharp = self.cosines(vectors) / SHARPNESS
        powers = np.exp(sharp - sharp.max(1, keepdims=True))
        shares: Floats = powers / powers.sum(1, keepdims=True)
        return shares

    def named(self, text: str) -> dict[str, int]:
        """Topics whose words a text holds, and how often."""
        folded = text.casefold()
        counts = {topic: len(set(pattern.findall(folded))) for topic, pattern in self.words.items()}
        return {topic: count for topic, count in counts.items() if count}


def load(encoder: Encoder, file: Path | None = None) -> Descriptions:
    """Read topics.toml and encode its lines.

    Raises:
        BadInput: it is not readable, or names a topic there is not.
    """
    file = file or FILE
    try:
        sections = tomllib.loads(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadInput(f"{file} cannot be read: {error}") from error
    if unknown := sorted(set(sections) - set(TOPICS)):
        raise BadInput(f"{file} names no such topic: {', '.join(unknown)}; they are {', '.join(TOPICS)}")
    lines = [(line, TOPICS.index(name)) for name, section in sections.items() for line in section.get("describes", [])]
    words = {name: _pattern(section["words"]) for name, section in sections.items() if section.get("words")}
    places = np.array([place for _, place in lines], dtype=np.int64)
    return Descriptions(encoder.vectors([line for line, _ in lines]), places, words)


def _pattern(words: list[str]) -> re.Pattern[str]:
    r"""One pattern for whole words; * is the rest of a word.

    >>> _pattern(["tree*", "no heat"]).findall("trees and no heat, pastries")
    ['trees', 'no heat']
    """
    spelt = (r"\s+".join(re.escape(part).replace(r"\*", r"\w*") for part in word.split()) for word in words)
    return re.compile(rf"(?<!\w)(?:{'|'.join(sorted(spelt, key=len, reverse=True))})(?!\w)")
