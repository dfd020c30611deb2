"""What the rules of linking look at: a scored mention, the cases it may belong to, and the rules' numbers.

There is deliberately no field about how many people listen to an author: every resident is equal.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from core.case import Status
from core.mention import Kind, Point, Visibility
from core.scores import Scores
from core.settings import Settings

#: (platform, external_id): unique whichever source saw the mention.
MentionKey = tuple[str, str]
#: (pseudonym, epoch): two epochs cannot be joined.
AuthorKey = tuple[str, str]

#: (cosine of the unadapted MiniLM encoder, share of such pairs that are the same incident): measured on the civic
#: training pairs of five words and more whose texts are not identical, 6,129 of them; docs/linking.md has the table.
FIGURES: tuple[tuple[float, float], ...] = ((0.7, 0.50), (0.8, 0.55), (0.9, 0.60))


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredMention:
    """One mention as linking sees it.

    Attributes:
        id: its row here.
        parent, root: external ids on the same platform.
        ancestors: external ids further up the thread as far as we know them, nearest first; they matter where
            somebody answers the agency's own reply.
        author: None if the source does not say.
        posted_at: when it was said; when it was seen, if the source does not say.
    """

    id: int
    platform: str
    external_id: str
    kind: Kind
    text: str
    posted_at: datetime
    scores: Scores
    visibility: Visibility = Visibility.PUBLIC
    parent: str | None = None
    root: str | None = None
    ancestors: tuple[str, ...] = ()
    author: AuthorKey | None = None
    own: bool = False
    repost_of: str | None = None
    point: Point | None = None
    stars: float | None = None
    url: str = ""

    @property
    def key(self) -> MentionKey:
        """What is unique about it."""
        return self.platform, self.external_id

    @property
    def private(self) -> bool:
        """True if it was not said in public."""
        return self.visibility is Visibility.PRIVATE

    @property
    def topics(self) -> frozenset[str]:
        """Topics that say something: "other" is none."""
        return frozenset(topic.name for topic in self.scores.topics) - {"other"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A case that a mention may belong to.

    Attributes:
        public: everything at it was said in public.
        updated_at: when the last words at it were said or its status changed.
        members: the mentions at it, the agency's own replies included.
        authors: who wrote them, the agency left out.
        vectors: their embeddings as in Scores.vector, with their texts in the same order.
        incident: a parent of many people's cases.
    """

    case_id: int
    status: Status
    code: str
    public: bool
    updated_at: datetime
    resolved_at: datetime | None = None
    topics: frozenset[str] = frozenset()
    members: frozenset[MentionKey] = frozenset()
    authors: frozenset[AuthorKey] = frozenset()
    vectors: tuple[bytes, ...] = ()
    texts: tuple[str, ...] = ()
    incident: bool = False
    point: Point | None = None

    @property
    def ended(self) -> bool:
        """True if nobody works on it any more."""
        return self.status in (Status.RESOLVED, Status.CLOSED, Status.CANCELLED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The numbers of the rules.

    Attributes:
        threshold: needs-an-answer from which a case is opened.
        about: about-us from which the agency is meant.
        safety: chance of harm from which a case is always opened.
        join, private: how long the same author's new words still belong to the old case.
        after_end: how long after its end a case still takes its author's words; later a new one is opened.
        suggest: cosine from which a case is suggested.
        suggest_within: the most time between the two where no place is known.
        suggest_near_within, suggest_metres: the same, and the most way, where both places are known.
        fewest_words: shorter texts are never compared by content.
        figures: (cosine, measured precision), rising; a suggestion's score is the precision at its cosine.
    """

    threshold: float = 0.5
    about: float = 0.5
    safety: float = 0.7
    join: timedelta = timedelta(days=7)
    private: timedelta = timedelta(days=30)
    after_end: timedelta = timedelta(hours=72)
    suggest: float = 0.8
    suggest_within: timedelta = timedelta(hours=72)
    suggest_near_within: timedelta = timedelta(days=14)
    suggest_metres: float = 500.0
    fewest_words: int = 5
    figures: tuple[tuple[float, float], ...] = field(default=FIGURES)


def rules(settings: Settings) -> Rules:
    """The rules as the operator set them."""
    return Rules(
        threshold=settings.cases.threshold,
        safety=settings.alerts.safety_threshold,
        join=timedelta(days=settings.cases.join_days),
        private=timedelta(days=settings.cases.private_days),
    )
