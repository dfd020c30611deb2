"""What is known without training: topics by their words, stars of a review, replies that lean on their parent."""

import re
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]

#: Chance that a topic holds whose words were found once, or more often. By rule: unmeasured.
ONE_WORD, MORE_WORDS = 0.70, 0.85

#: How likely each number of stars is given with a negative, neutral and positive review. By rule: unmeasured.
STARS = {
    1: (0.62, 0.06, 0.01),
    2: (0.25, 0.19, 0.02),
    3: (0.09, 0.50, 0.07),
    4: (0.03, 0.20, 0.30),
    5: (0.01, 0.05, 0.60),
}

_AGREES = re.compile(
    r"^\W*(?:same(?:\s+(?:here|problem|issue|thing))?|me too|us too|this|so true|exactly|agreed?|\+\s*1|also waiting|"
    r"still (?:not|no|waiting)\b.*|igual|lo mismo|(?:yo|nosotros) tambi[eé]n|tal cual|de acuerdo|sigue igual)\W*$",
    re.IGNORECASE,
)
AGREEMENT_MOST_LETTERS = 80


def with_stars(chances: Floats, stars: float | None) -> Floats:
    """Stance (3,) of a review's text, and of the stars beside it: each is evidence."""
    if stars is None:
        return chances
    likely = np.array(STARS[int(np.clip(round(stars), 1, 5))])
    joint: Floats = chances * likely
    posterior: Floats = joint / joint.sum()
    return posterior


def stars_contradict(chances: Floats, stars: float | None) -> bool:
    """True if the text clearly says the opposite of its stars."""
    if stars is None:
        return False
    return bool((chances[0] >= 0.7 and stars >= 4) or (chances[2] >= 0.7 and stars <= 2))


def agrees(text: str) -> bool:
    """True for a reply that says no more than that the post it answers is right.

    >>> agrees("Same here!"), agrees("same here, and they broke my gate")
    (True, False)
    """
    return len(text) <= AGREEMENT_MOST_LETTERS and _AGREES.match(text) is not None


def by_words(counts: dict[str, int]) -> dict[str, float]:
    """Chance of each topic by how many of its words were found."""
    return {topic: MORE_WORDS if count > 1 else ONE_WORD for topic, count in counts.items()}
