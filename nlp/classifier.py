"""The heads together: the one Classifier the rest sees."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from core.scores import HEADS, TOPICS, Passage, Scores, Sentiment, Topic
from core.settings import Agency
from nlp import base, descriptions, language, rules, shipped
from nlp.about import Names
from nlp.calibrate import sigmoid, softmax
from nlp.descriptions import Descriptions
from nlp.encoder import Encoded, Encoder, text_vectors
from nlp.heads import NEEDS, Heads, mean_of_windows, most_of_windows
from nlp.runners import choose
from nlp.shipped import Shipped
from nlp.tokens import load_tokenizer

Floats = npt.NDArray[np.floating[Any]]
BLOCK = 128  # passages in one go: bounds the memory, and lets encoder and heads work side by side
LEAST_RULE = 0.5  # chance from which a topic that works by rules is named
PARENTS_SHARE = 0.8  # what "same here" keeps of the chances of the post it answers


@dataclass(frozen=True, slots=True)
class Read:
    """What the heads say of some texts, before language, stars and parents are weighed."""

    stance: Floats  # (n, 3)
    topics: Floats  # (n, 21)
    needs: Floats  # (n, 4), in the order of NEEDS
    vectors: npt.NDArray[np.float32]  # (n, 384)


class OpenearClassifier:
    """Fulfils core.protocols.Classifier. A text scores the same alone and in any batch."""

    def __init__(self, weights: Shipped, encoder: Encoder, described: Descriptions, agency: Agency) -> None:
        self._weights, self._encoder, self._described = weights, encoder, described
        self._numbers = weights.numbers
        self._heads, self._names, self._agency = Heads(weights), Names(agency), agency
        self.name, self.revision = shipped.NAME, weights.revision
        self._trained = np.array([TOPICS.index(name) for name in self._heads.topics])
        self._thresholds = np.full(len(TOPICS), LEAST_RULE)
        self._thresholds[self._trained] = [self._numbers["topics"]["thresholds"][n] for n in self._heads.topics]

    @property
    def model(self) -> str:
        """See Classifier."""
        return f"{self.name}@{self.revision}"

    @property
    def runtime(self) -> str:
        """What runs the encoder: openvino or torch."""
        return self._encoder.runner.name

    def classify(self, passages: Sequence[Passage]) -> list[Scores]:
        """See Classifier."""
        blocks = [passages[start : start + BLOCK] for start in range(0, len(passages), BLOCK)]
        found: list[Scores] = []
        with ThreadPoolExecutor(1) as ahead:  # the encoder reads the next block while the heads judge this one
            coming = [ahead.submit(self._encode, block) for block in blocks[:1]]
            for number, block in enumerate(blocks, 1):
                texts, encoded = coming.pop().result()
                coming = [ahead.submit(self._encode, each) for each in blocks[number : number + 1]]
                found += self._block(block, texts, encoded)
        return found

    def _encode(self, passages: Sequence[Passage]) -> tuple[list[str], Encoded]:
        """The texts of the passages, then those they answer, and what the encoder makes of them."""
        parents = sorted({p.parent_text for p in passages if p.parent_text and p.parent_text.strip()})
        texts = [passage.text for passage in passages] + parents
        return texts, self._encoder.encode(texts)

    def topic_chances(self, passages: Sequence[Passage]) -> Floats:
        """The chance of every topic, also of those too low to be named: (n, 21), in the order of TOPICS."""
        parts: list[Floats] = [np.zeros((0, len(TOPICS)))]
        for start in range(0, len(passages), BLOCK):
            block = passages[start : start + BLOCK]
            texts = [passage.text for passage in block]
            languages = self._languages(texts, [p.language for p in block])
            parts.append(self._read(texts, languages, self._encoder.encode(texts)).topics)
        return np.concatenate(parts)

    def _block(self, passages: Sequence[Passage], texts: list[str], encoded: Encoded) -> list[Scores]:
        parents = texts[len(passages) :]
        languages = self._languages(texts, [p.language for p in passages] + [None] * len(parents))
        read = self._read(texts, languages, encoded)
        of_parent = {text: len(passages) + place for place, text in enumerate(parents)}
        return [
            self._scores(passage, read, place, of_parent.get(passage.parent_text or ""), languages)
            for place, passage in enumerate(passages)
        ]

    def _languages(self, texts: Sequence[str], claimed: Sequence[str | None]) -> list[str]:
        return [tag for tag, _ in language.identify(texts, claimed, self._agency.languages)]

    def _read(self, texts: Sequence[str], languages: Sequence[str], encoded: Encoded) -> Read:
        count = len(texts)
        vectors = text_vectors(encoded, count)
        found = self._heads.logits(encoded)
        meaning_text = most_of_windows(found.meaning, encoded, count)
        words_text = most_of_windows(found.words, encoded, count)
        return Read(
            self._stance(
                mean_of_windows(found.stance, encoded, count),
                mean_of_windows(found.stance_words, encoded, count),
                languages,
            ),
            self._topics(texts, languages, vectors, meaning_text, words_text),
            self._needs(texts, languages, meaning_text, words_text),
            vectors,
        )

    def _stance(self, meaning: Floats, words: Floats, languages: Sequence[str]) -> Floats:
        numbers = self._numbers["stance"]
        kinds = [numbers["en" if tag in ("en", "und") else "other"] for tag in languages]
        share = np.array([[kind["words"]] for kind in kinds])
        heat = np.array([[kind["temperature"]] for kind in kinds])
        return softmax((meaning + share * words + np.log(numbers["prior"])) / heat)

    def _topics(
        self,
        texts: Sequence[str],
        languages: Sequence[str],
        vectors: npt.NDArray[np.float32],
        meaning: Floats,
        words: Floats,
    ) -> Floats:
        """Trained topics by the blend of description and head; the others, and other languages, by their words."""
        numbers, k = self._numbers["topics"], len(self._trained)
        gate = _line(numbers["gate"], np.stack([meaning[:, k], words[:, k]], -1))
        shares = self._described.shares(vectors)
        heads = shares.copy()  # a topic without a head of its own goes by its description
        heads[:, self._trained] = sigmoid((meaning[:, :k] + words[:, :k]) / 2)
        blend = _logit(numbers["alpha"] * shares + (1 - numbers["alpha"]) * heads)
        gates = np.broadcast_to(_logit(gate)[:, None], blend.shape)
        chances = _line(numbers["line"], np.stack([blend, gates], -1))
        for place, text in enumerate(texts):
            self._weigh_words(chances[place], text, trusted=languages[place] in numbers["languages"])
        return chances

    def _weigh_words(self, chances: Floats, text: str, *, trusted: bool) -> None:
        """Raise what the words of a text name: topics without a head, and in other languages all of them."""
        for topic, chance in rules.by_words(self._described.named(text)).items():
            place = TOPICS.index(topic)
            if not trusted or place not in self._trained:
                chances[place] = max(chances[place], chance)

    def _needs(self, texts: Sequence[str], languages: Sequence[str], meaning: Floats, words: Floats) -> Floats:
        chances = np.zeros((len(texts), len(NEEDS)))
        first = len(self._trained) + 1
        for place, name in enumerate(NEEDS):
            by_meaning, by_words = meaning[:, first + place], words[:, first + place]
            columns = [by_meaning, by_words]
            if name == "about_us":
                evidence = [self._names.evidence(text) for text in texts]
                columns[0] = by_meaning + np.array([found.by_rule for found in evidence])
                columns.append(np.array([found.named for found in evidence]))
            numbers = self._numbers["needs"][name]
            moved = np.array([numbers.get("shift", {}).get(tag, 0.0) for tag in languages])
            chances[:, place] = _line(numbers, np.stack(columns, -1), moved)
        return chances

    def _scores(self, passage: Passage, read: Read, place: int, parent: int | None, languages: Sequence[str]) -> Scores:
        stance, topics, needs = read.stance[place], read.topics[place].copy(), read.needs[place].copy()
        stance = rules.with_stars(stance, passage.stars)
        if parent is not None:
            needs[3] = max(needs[3], PARENTS_SHARE * read.needs[parent, 3])
            if rules.agrees(passage.text):
                stance = PARENTS_SHARE * read.stance[parent] + (1 - PARENTS_SHARE) * stance
                topics = np.maximum(topics, PARENTS_SHARE * read.topics[parent])
                needs = np.maximum(needs, PARENTS_SHARE * read.needs[parent])
        if empty := not passage.text.strip():
            stance, needs = np.full(3, 1 / 3), np.zeros(len(NEEDS))
        contradicted = rules.stars_contradict(read.stance[place], passage.stars)
        praise_below = parent is not None and stance[2] >= 0.5 and read.stance[parent, 0] >= 0.5
        return Scores(
            model=self.name,
            revision=self.revision,
            language="und" if empty else languages[place],
            about_us=float(needs[3]),
            needs_answer=float(needs[0]),
            sentiment=_sentiment(stance),
            topics=() if empty else self._named(topics, stance),
            urgency=float(needs[1]),
            safety=float(needs[2]),
            unsure=self._unsure(passage, languages[place], stance, contradicted or praise_below),
            vector=b"" if empty else read.vectors[place].astype("<f2").tobytes(),
        )

    def _named(self, topics: Floats, stance: Floats) -> tuple[Topic, ...]:
        """The topics that hold, most probable first; praise only where the stance is not against us."""
        held = [
            Topic(name=TOPICS[place], probability=float(topics[place]))
            for place in np.flatnonzero(topics >= self._thresholds)
            if TOPICS[place] != "other" and (TOPICS[place] != "praise" or stance[0] < 0.4)
        ]
        return tuple(sorted(held, key=lambda topic: (-topic.probability, topic.name)))

    def _unsure(self, passage: Passage, tag: str, stance: Floats, two_ways: bool) -> frozenset[str]:
        """The heads that abstain: a language they do not read, a chance too low to rely on, two readings."""
        if not passage.text.strip():
            return frozenset(HEADS)
        numbers = self._numbers
        read_by: dict[str, Any] = {name: numbers["needs"][name]["languages"] for name in NEEDS}
        unread = {name for name, languages in read_by.items() if tag not in languages}
        if tag not in numbers["stance"]["languages"]:
            unread.add("sentiment")
        if not any(tag in languages for languages in read_by.values()):
            unread |= {"language", "topics"}
        band = numbers["stance"]["en" if tag == "en" else "other"]["abstain_below"]
        if two_ways or stance.max() < band:
            unread.add("sentiment")
        if not self._names.known:
            unread.add("about_us")
        return frozenset(unread)


def _line(numbers: dict[str, Any], scores: Floats, moved: Floats | float = 0.0) -> Floats:
    """Calibrated chances of scores (..., k): summed in a fixed order, so that a row's neighbours do not matter."""
    total = np.full(scores.shape[:-1], numbers["offset"], dtype=np.float64) + moved
    for place, slope in enumerate(numbers["slopes"]):
        total = total + slope * scores[..., place]
    return sigmoid(total)


def _logit(chances: Floats) -> Floats:
    kept = np.clip(chances, 1e-4, 1 - 1e-4)
    return np.asarray(np.log(kept / (1 - kept)))


def _sentiment(stance: Floats) -> Sentiment:
    negative, neutral, positive = (float(value) for value in stance / stance.sum())
    return Sentiment(negative=negative, neutral=neutral, positive=positive)


def load(folder: Path | None, *, threads: int, cache: Path, agency: Agency) -> OpenearClassifier:
    """Read the weights, check them, and make the classifier ready.

    Args:
        folder: other weights than those that ship.
        threads: of the encoder.
        cache: folder for the exported encoder; made at the first start, checked at each.
        agency: its names say whom a text is about.

    Raises:
        SettingsError: weights or encoder are missing or not what their digests name.
    """
    weights = shipped.load(folder)
    found = base.locate()
    encoder = Encoder(load_tokenizer(found.tokenizer), choose(weights, cache=cache, threads=threads))
    return OpenearClassifier(weights, encoder, descriptions.load(encoder), agency)
