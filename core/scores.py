"""What the classifier reads in a text."""

from dataclasses import dataclass, field
from typing import Literal

SENTIMENTS = ("negative", "neutral", "positive")
HEADS = ("language", "about_us", "needs_answer", "sentiment", "topics", "urgency", "safety")

#: The 21 topics, in the order of the topic head.
TOPICS = (
    "air_health_hazard",
    "animals_pests",
    "building_code_property",
    "drainage_flooding_water_sewer",
    "electricity",
    "graffiti_posters",
    "homelessness",
    "noise",
    "other",
    "parking_vehicles",
    "parks_recreation",
    "police_safety",
    "praise",
    "roads_potholes",
    "sidewalks_curbs",
    "snow_ice",
    "streetlights",
    "traffic_signs_signals",
    "transit_taxi",
    "trash_dumping_cleaning",
    "trees_vegetation",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """What the classifier may see. Who wrote it is not there.

    Attributes:
        text: plain text, already masked.
        language: what the source claims, or None.
        parent_text: the post it answers, if known (praise under a complaint is not praise).
        stars: 1..5 of a review, else None.
    """

    text: str
    language: str | None = None
    parent_text: str | None = None
    stars: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentiment:
    """Stance towards the agency. The three are calibrated probabilities and sum to 1."""

    negative: float
    neutral: float
    positive: float

    @property
    def label(self) -> Literal["negative", "neutral", "positive"]:
        """The most probable of the three."""
        if self.negative >= self.neutral and self.negative >= self.positive:
            return "negative"
        return "positive" if self.positive > self.neutral else "neutral"

    @property
    def balance(self) -> float:
        """-1 (negative) .. 1 (positive)."""
        return self.positive - self.negative


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """One topic that holds, with its calibrated probability."""

    name: str
    probability: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """All heads together. All probabilities are calibrated, 0..1.

    Attributes:
        model, revision: which weights read it; a new revision adds a row, never overwrites.
        language: BCP 47, "und" if it cannot be told.
        about_us: chance that the agency is meant, not a namesake.
        needs_answer: chance that it is a complaint, question or request to the agency.
        topics: those that hold, most probable first; may be empty.
        urgency, safety: chance that it cannot wait; that somebody may come to harm.
        unsure: names of HEADS that abstained: shown as "not read", never counted.
        vector: the text's embedding, float16 little-endian bytes, unit length; b"" if none.
    """

    model: str
    revision: str
    language: str
    about_us: float
    needs_answer: float
    sentiment: Sentiment
    topics: tuple[Topic, ...]
    urgency: float
    safety: float
    unsure: frozenset[str] = frozenset()
    vector: bytes = field(default=b"", repr=False)

    @property
    def abstained(self) -> bool:
        """True if the sentiment must not be counted."""
        return "sentiment" in self.unsure or "language" in self.unsure
