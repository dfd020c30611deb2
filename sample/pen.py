"""How a text is put together: what is said first, what may follow, in which language, in whose manner."""

import random

from sample import city
from sample.acts import OWN, Draft, Heard
from sample.grammar import Voice, load, tidy
from sample.people import Resident
from sample.plan import Moment
from sample.story import ZONE
from sample.style import dress, hashtags, named

#: What complaints and questions are about, relative.
TOPICS = {
    "trash_dumping_cleaning": 15,
    "transit_taxi": 12,
    "roads_potholes": 12,
    "drainage_flooding_water_sewer": 11,
    "parking_vehicles": 8,
    "noise": 7,
    "other": 8,
    "parks_recreation": 6,
    "traffic_signs_signals": 6,
    "building_code_property": 5,
    "streetlights": 5,
    "trees_vegetation": 4.5,
    "animals_pests": 4,
    "sidewalks_curbs": 4,
    "police_safety": 4,
    "homelessness": 3,
    "air_health_hazard": 3,
    "electricity": 2.5,
    "graffiti_posters": 2.5,
    "snow_ice": 1.5,
}
_THEMES = {
    "main_break": "drainage_flooding_water_sewer",
    "boil_notice": "drainage_flooding_water_sewer",
    "storm": "drainage_flooding_water_sewer",
    "recycling": "trash_dumping_cleaning",
    "fee_rumour": "other",
    "app_down": "other",
    "outage": "electricity",
    "signals": "traffic_signs_signals",
    "buses": "transit_taxi",
    "fallen_trees": "trees_vegetation",
}
_STARS = (30, 12, 13, 18, 27)
_LONGEST = {"bluesky": 250, "mastodon": 420}
_MOODS = {
    "praise": "glad",
    "safety": "alarm",
    "chatter": "plain",
    "question": "plain",
    "namesake": "glad",
    "ad": "glad",
}


def draft(act: str, who: Resident, rng: random.Random, moment: Moment, platform: str, heard: Heard | None) -> Draft:
    """Write it."""
    return _Pen(who, rng, moment, platform, heard).write(act)


class _Pen:
    """One person writing one text."""

    def __init__(self, who: Resident, rng: random.Random, moment: Moment, platform: str, heard: Heard | None) -> None:
        self.who, self.rng, self.moment, self.platform, self.heard = who, rng, moment, platform, heard
        self.spanish = heard.language == "es" if heard else who.spanish and rng.random() < 0.93
        self.voice = Voice(load("spanish" if self.spanish else "english"), rng)
        self.other = Voice(load("english" if self.spanish else "spanish"), rng)
        self.topic = self._topic()

    def write(self, act: str) -> Draft:
        """The text of such an act."""
        if act == "review":
            return self._review()
        if act == "article":
            return self._article()
        parts = getattr(self, f"_{act}")()
        text = self._fit(parts)
        if act in OWN:
            return self._done(f"{text} #{city.TAG}" if self.rng.random() < 0.8 else f"{city.NAME}: {text}", act)
        text = dress(text, self.who, self.rng, spanish=self.spanish, mood=self._mood(act))
        tags = hashtags(_tagged(act, self.topic), self.rng.choice(city.DISTRICTS), self.rng)
        must = self.platform == "mastodon"
        return self._done(named(text, tags, self.who, self.rng, must_tag=must, spanish=self.spanish), act)

    def _done(self, text: str, act: str) -> Draft:
        about = act in ("complaint", "question", "sarcasm", "review", "article", "agree", "answer", "after", "quote")
        if self.platform == "mastodon" and f"#{city.TAG}".lower() not in text.lower():
            text = f"{text} #{city.TAG}"
        topic = "praise" if act == "praise" else self.topic if about else None
        return Draft(text=text, language=self._language(), edit=self.voice.say("edit"), topic=topic)

    def _language(self) -> str:
        return "es" if self.spanish else "en"

    def _mood(self, act: str) -> str:
        return _MOODS.get(act) or self.rng.choice(("angry", "angry", "sad", "plain"))

    def _topic(self) -> str:
        if self.heard and self.heard.topic:
            return self.heard.topic
        if topic := _THEMES.get(self.moment.theme):
            return topic
        weights = dict(TOPICS)
        winter = self.moment.at.astimezone(ZONE).month in (12, 1, 2, 3)
        weights["snow_ice"] = 9 if winter else 0.05
        return self.rng.choices(list(weights), list(weights.values()))[0]

    # ---- what each act consists of: parts in order, the ones in brackets may be left out --------------------------

    def _complaint(self) -> list[str]:
        rule = self.moment.theme if self.voice.knows(self.moment.theme) else self.topic
        core = self._mixed(self.voice.say(rule))
        if self.rng.random() < 0.14:
            return [sentence(core)]
        return [
            *self._opened(core),
            *self._perhaps("detail", 0.5),
            *self._perhaps("detail", 0.12),
            *self._perhaps("ask", 0.36),
            *self._perhaps("ending", 0.27),
        ]

    def _question(self) -> list[str]:
        question = self.voice.say(f"{self.topic}_q")
        return [*self._opened(question), *self._perhaps("detail", 0.15), *self._perhaps("ending", 0.2)]

    def _praise(self) -> list[str]:
        return [sentence(self.voice.say("praise")), *self._perhaps("praise_end", 0.6)]

    def _chatter(self) -> list[str]:
        return [sentence(self.voice.say("chatter")), *self._perhaps("chatter_end", 0.35)]

    def _sarcasm(self) -> list[str]:
        return [sentence(self.voice.say("sarcasm")), *self._perhaps("detail", 0.35), *self._perhaps("ending", 0.2)]

    def _safety(self) -> list[str]:
        return [sentence(self.voice.say("safety")), *self._perhaps("safety_end", 0.7)]

    def _not_safety(self) -> list[str]:
        return [sentence(self.voice.say("not_safety")), *self._perhaps("chatter_end", 0.2)]

    def _namesake(self) -> list[str]:
        return [sentence(self.voice.say("namesake"))]

    def _ad(self) -> list[str]:
        return [sentence(self.voice.say("ad"))]

    def _news(self) -> list[str]:
        rule = f"{self.moment.theme}_own"
        return [self.voice.say(rule if self.moment.theme and self.voice.knows(rule) else "own_news")]

    def _agree(self) -> list[str]:
        return [sentence(self.voice.say("same_here")), *self._perhaps("detail", 0.25), *self._perhaps("ending", 0.12)]

    def _answer(self) -> list[str]:
        return [self.voice.say("answer_own")]

    def _after(self) -> list[str]:
        return [sentence(self.voice.say("after_answer")), *self._perhaps("ending", 0.2)]

    def _quote(self) -> list[str]:
        return [sentence(self.voice.say("quote")), *self._perhaps("detail", 0.4), *self._perhaps("ask", 0.25)]

    def _review(self) -> Draft:
        slug, _, _ = self.rng.choice(city.REVIEWED)
        stars = self.rng.choices((1, 2, 3, 4, 5), _STARS)[0]
        parts = [self.voice.say(f"review_{slug.replace('-', '_')}_{stars}")]
        parts.insert(self.rng.randint(0, 1), sentence(self.voice.say("review_more")))
        parts += self._perhaps("detail", 0.5) if stars <= 2 else []
        parts += self._perhaps("ask", 0.2) if stars <= 2 else []
        parts += self._perhaps("praise_end", 0.4) if stars >= 4 else []
        mood = "glad" if stars > 3 else "angry" if stars < 3 else "plain"
        text = dress(" ".join(parts), self.who, self.rng, spanish=self.spanish, mood=mood)
        title = sentence(self.voice.say("review_title")).rstrip(".") if self.rng.random() < 0.5 else ""
        topic = {"harbor-water": "drainage_flooding_water_sewer", "harbor-transit": "transit_taxi"}.get(slug)
        topic = topic or ("trash_dumping_cleaning" if slug == "transfer-station" else "other")
        return Draft(
            text=text,
            language=self._language(),
            edit=self.voice.say("edit"),
            title=title,
            topic="praise" if stars == 5 else topic,
            stars=stars,
            place=slug,
            handle=self.who.name,
        )

    def _article(self) -> Draft:
        self.spanish, self.voice = False, Voice(load("english"), self.rng)
        body = self.voice.say(self.topic if self.rng.random() < 0.8 else f"{self.topic}_q")
        parts = [self.voice.say("article_lead"), f"“{sentence(body)}”", *self._perhaps("detail", 0.6)]
        parts += [*self._perhaps("detail", 0.4), self.voice.say("article_end")]
        return Draft(
            text=" ".join(parts),
            language="en",
            edit=self.voice.say("edit"),
            title=sentence(self.voice.say("article_title")).rstrip("."),
            topic=self.topic,
        )

    # ---- putting parts together -----------------------------------------------------------------------------------

    def _opened(self, core: str) -> list[str]:
        if self.rng.random() > 0.45:
            return [sentence(core)]
        opening = (self.other if self._mixes() else self.voice).say("opening")
        if opening[-1] in ".!?":
            return [sentence(opening), sentence(core)]
        marked = opening if opening[-1] in ",:" or opening.endswith((" and", " but", " pero", " y")) else f"{opening},"
        return [sentence(f"{marked} {core}")]

    def _mixed(self, core: str) -> str:
        """Those at home in two languages say the end in the other one now and then."""
        return f"{core}, {self.other.say('ending').lower().rstrip('.')}" if self._mixes() else core

    def _mixes(self) -> bool:
        return self.who.bilingual and self.rng.random() < 0.3

    def _perhaps(self, rule: str, chance: float) -> list[str]:
        if self.rng.random() > chance or not self.voice.knows(rule):
            return []
        return [sentence((self.other if self._mixes() and self.other.knows(rule) else self.voice).say(rule))]

    def _fit(self, parts: list[str]) -> str:
        """As many parts as the platform takes; people break lines now and then."""
        while len(parts) > 1 and len(" ".join(parts)) > _LONGEST[self.platform]:
            parts = parts[:-1]
        return (" " if self.rng.random() < 0.85 else self.rng.choice(("\n", "\n\n", " - ", "... "))).join(parts)


def _tagged(act: str, topic: str) -> str | None:
    """The topic that a post's hashtags speak of."""
    return topic if act in ("complaint", "question", "sarcasm") else "praise" if act == "praise" else None


def sentence(text: str) -> str:
    """With a capital letter first and a mark last.

    >>> sentence("bus never came")
    'Bus never came.'
    """
    text = tidy(text)
    first = 1 if text[:1] in "¿¡“\"'(" else 0
    text = text[:first] + text[first : first + 1].upper() + text[first + 1 :]
    return text if text[-1] in ".!?:…" else f"{text}."
