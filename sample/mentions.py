"""What is said about Maple Harbor: 20,000 mentions of 18 months and whatever comes after, drawn day by day.

Nothing here was written by a resident of anywhere; see sample.grammar and sample/words for how texts come about.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

from sample import acts, city, identity, pen, people
from sample.acts import Draft
from sample.plan import Moment, Plan
from sample.story import ZONE, Story

#: Where things are said, and how much; reviews and articles are none of a burst's business.
PLATFORMS = {"bluesky": 42, "mastodon": 38, "reviews": 11, "feed": 9}
KINDS = {"reviews": "review", "feed": "article"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One thing said. Platform-neutral; sample.mastodon and its neighbours put it into their platform's words.

    Attributes:
        id: as the platform numbers it.
        at: UTC, to the millisecond.
        author: handle; invented.
        kind: post, reply, review or article.
        parent, root, quote_of, repost_of: ids of the same platform.
        stars: 1..5 of a review, else None.
        place: slug of the place that a review is about.
        topic: one of core.scores.TOPICS where it was written about one.
        act: why it was written: complaint, question, praise, safety, namesake, ad ...
        deleted_at, edited_at, edited_text: what happens to it later.
    """

    id: str
    platform: str
    at: datetime
    author: str
    text: str
    language: str
    kind: str
    name: str = ""
    title: str = ""
    parent: str | None = None
    root: str | None = None
    quote_of: str | None = None
    repost_of: str | None = None
    stars: int | None = None
    place: str = ""
    own: bool = False
    topic: str | None = None
    act: str = "complaint"
    theme: str = ""
    deleted_at: datetime | None = None
    edited_at: datetime | None = None
    edited_text: str | None = None

    def there(self, now: datetime) -> bool:
        """Whether it can be seen at `now`."""
        return self.at <= now and (self.deleted_at is None or self.deleted_at > now)

    def shown(self, now: datetime) -> "Said":
        """As it stands at `now`: an edit that has not happened yet is not there."""
        if self.edited_at is None or self.edited_text is None or self.edited_at > now:
            return replace(self, edited_at=None, edited_text=None)
        return replace(self, text=self.edited_text)


def of_day(story: Story, plan: Plan, day: date) -> list[Said]:
    """What is said on that UTC day, oldest first; the same whenever it is asked for."""
    told = _Day(story, random.Random(f"{story.seed} said {day}")).told(plan.day(day))
    return sorted(told, key=lambda said: said.at)


def everything(story: Story) -> Iterator[Said]:
    """All that is said up to the end of the (UTC) day on which the newcomer looks, oldest first."""
    plan = Plan(story)
    for number in range((plan.last - plan.first).days + 1):
        yield from of_day(story, plan, plan.first + timedelta(days=number))


@dataclass(slots=True)
class _Day:
    """A day being told: who has just said what, so that others can answer."""

    story: Story
    rng: random.Random
    before: dict[str, list[Said]] = field(default_factory=lambda: {name: [] for name in PLATFORMS})
    count: int = 0

    def told(self, moments: list[Moment]) -> Iterator[Said]:
        for moment in moments:
            said = self._say(moment)
            self.before[said.platform] = [*self.before[said.platform][-40:], said]
            yield said

    def _say(self, moment: Moment) -> Said:
        platform = self._platform(moment)
        if platform in KINDS:  # feeds and review pages know no fractions of a second
            moment = replace(moment, at=moment.at.replace(microsecond=0))
        act = KINDS.get(platform) or self._act(moment)
        heard = self._heard(platform, act, moment)
        if act in acts.ANSWERS and heard is None:
            act = "complaint"
        if act == "repost" and heard:
            return self._repost(moment, heard)
        return self._written(moment, platform, act, heard)

    def _platform(self, moment: Moment) -> str:
        names = list(PLATFORMS)[:2] if moment.theme else list(PLATFORMS)
        return self.rng.choices(names, [PLATFORMS[name] for name in names])[0]

    def _act(self, moment: Moment) -> str:
        if moment.theme == "safety":
            return "safety"
        local = moment.at.astimezone(ZONE)
        table = acts.OF_BURST if moment.theme else acts.AT_NIGHT if local.hour < 5 else acts.USUAL
        return self.rng.choices(list(table), list(table.values()))[0]

    def _heard(self, platform: str, act: str, moment: Moment) -> Said | None:
        """Something said a little earlier that such an act can answer."""
        wanted = acts.ANSWERS.get(act)
        if wanted is None or (act == "repost" and platform != "mastodon"):
            return None
        found = [
            one
            for one in self.before[platform][-25:]
            if wanted(one) and one.theme == moment.theme and one.at > moment.at - timedelta(hours=9)
        ]
        return self.rng.choice(found) if found else None

    def _repost(self, moment: Moment, heard: Said) -> Said:
        who = people.pick(heard.platform, self.rng)
        return replace(
            heard,
            id=self._id(heard.platform, moment.at, who.handle),
            at=moment.at,
            author=who.handle,
            kind="post",
            repost_of=heard.id,
            parent=None,
            root=None,
            quote_of=None,
            act="repost",
            own=False,
            edited_at=None,
            edited_text=None,
            deleted_at=heard.deleted_at,
        )

    def _written(self, moment: Moment, platform: str, act: str, heard: Said | None) -> Said:
        who = people.pick(platform, self.rng)
        draft = pen.draft(act, who, self.rng, moment, platform, heard)
        own = act in acts.OWN
        handle = identity.own_handle(platform) if own else draft.handle or self._asker(heard, act) or who.handle
        answers = heard if heard and act in acts.REPLIES else None
        said = Said(
            id=self._id(platform, moment.at, handle),
            platform=platform,
            at=moment.at,
            author=handle,
            name=city.NAME if own else who.name,
            text=draft.text,
            title=draft.title,
            language=draft.language,
            kind="reply" if answers else KINDS.get(platform, "post"),
            parent=answers.id if answers else None,
            root=(answers.root or answers.id) if answers else None,
            quote_of=heard.id if heard and act == "quote" else None,
            stars=draft.stars,
            place=draft.place,
            own=own,
            topic=draft.topic,
            act=act,
            theme=moment.theme,
        )
        return said if own else self._later(said, draft)

    def _asker(self, heard: Said | None, act: str) -> str:
        """Whoever was answered by the city, where they now answer back."""
        if heard is None or act != "after":
            return ""
        return next((one.author for one in self.before[heard.platform] if one.id == heard.parent), "")

    def _later(self, said: Said, draft: Draft) -> Said:
        """A few are edited by their authors, a few taken back."""
        changes: dict[str, Any] = {}
        lot = self.rng.random()
        if lot < 0.035:
            changes["edited_at"] = _rounded(said, timedelta(minutes=2 + self.rng.expovariate(1 / 180)))
            changes["edited_text"] = f"{said.text} {draft.edit}"
        elif lot < 0.06:
            changes["deleted_at"] = _rounded(said, timedelta(minutes=10 + self.rng.expovariate(1 / 600)))
        return replace(said, **changes) if changes else said

    def _id(self, platform: str, at: datetime, handle: str) -> str:
        self.count += 1
        return identity.of(platform, at, self.count, handle)


def _rounded(said: Said, later: timedelta) -> datetime:
    """A moment after it, as exact as its platform writes it."""
    moment = said.at + later
    return moment.replace(microsecond=0 if said.platform in KINDS else moment.microsecond // 1000 * 1000)


def between(story: Story, since: datetime, until: datetime) -> Iterator[Said]:
    """What is said in [since, until), oldest first."""
    plan, day = Plan(story), since.astimezone(UTC).date()
    make = partial(of_day, story, plan)
    while day <= until.astimezone(UTC).date():
        yield from (said for said in make(day) if since <= said.at < until)
        day += timedelta(days=1)
