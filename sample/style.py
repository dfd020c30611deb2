"""How people type: small letters, slips of the finger, slang, emoji, hashtags, Spanish without accents."""

import random
import re
import unicodedata
from collections.abc import Sequence

from sample import city
from sample.people import Resident

_SLANG = {
    "because": ("bc", "cuz", "b/c"),
    "people": ("ppl", "folks"),
    "please": ("pls", "plz"),
    "you": ("u", "ya"),
    "right now": ("rn",),
    "are": ("r",),
    "going to": ("gonna",),
    "nothing": ("nada", "zilch", "nothin"),
    "really": ("rly", "reallyyy"),
    "though": ("tho",),
    "minutes": ("mins", "min"),
    "weeks": ("wks",),
    "street": ("st",),
    "thank you": ("ty", "thx"),
}
_SLANG_ES = {
    "que": ("q", "k"),
    "porque": ("xq", "pq"),
    "por favor": ("porfa", "x favor"),
    "también": ("tmb", "tb"),
    "nada": ("nadita", "nada de nada"),
    "desde": ("dsd",),
    "minutos": ("min", "mins"),
    "gracias": ("grax", "graciass"),
    "porfa": ("porfis",),
}
_EMOJI = {
    "angry": ["😡", "🤬", "😤", "🙄", "👎", "🤦", "💢", "😑"],
    "sad": ["😞", "😩", "😢", "🥲", "🫠", "😔"],
    "glad": ["🙏", "👏", "❤️", "🎉", "💙", "😊", "🌊", "🙌"],
    "plain": ["🤔", "👀", "🌫️", "⚓", "🐟", "🚲", "☕", "🌧️"],
    "alarm": ["🚨", "⚠️", "🆘", "😱"],
}
_TAGS = {
    "drainage_flooding_water_sewer": ("nowater", "flooding", "HarborWater"),
    "roads_potholes": ("potholes", "roads"),
    "transit_taxi": ("HarborTransit", "bus", "publictransit"),
    "trash_dumping_cleaning": ("trash", "recycling"),
    "streetlights": ("streetlights",),
    "snow_ice": ("snow", "plow"),
    "noise": ("noise",),
    "parks_recreation": ("parks",),
    "praise": ("thankyou", "goodnews"),
}
_BEFORE = ("Maple Harbor:", "Maple Harbor,", "Dear Maple Harbor,", "Maple Harbor folks:")
_AFTER = ("(Maple Harbor)", "Maple Harbor, folks.", "Only in Maple Harbor.", "- Maple Harbor", "Maple Harbor!")
_BEFORE_ES = ("Maple Harbor:", "Maple Harbor,", "Oigan Maple Harbor:", "Gente de Maple Harbor:")
_AFTER_ES = ("(Maple Harbor)", "Así Maple Harbor.", "Todo esto en Maple Harbor.", "- Maple Harbor")
_WORD = re.compile(r"[a-z]{4,}")


def dress(text: str, who: Resident, rng: random.Random, *, spanish: bool, mood: str) -> str:
    """The sentence as this person would have typed it."""
    text = text[:1].upper() + text[1:]
    text = _typed(text, who, rng, spanish)
    if rng.random() < who.bare:
        text = text.rstrip(".!")
    if rng.random() < who.lower:
        text = text.lower()
    elif mood in ("angry", "alarm") and rng.random() < who.loud:
        text = _shout(text, rng)
    if rng.random() < who.loud and text.endswith("!"):
        text += "!" * rng.randint(1, 3)
    if rng.random() < who.smiles:
        emoji = rng.choice(_EMOJI[mood])
        text = f"{text} {emoji * rng.choice((1, 1, 1, 2, 3))}"
    return text


def _typed(text: str, who: Resident, rng: random.Random, spanish: bool) -> str:
    """Slang, accents left out, slips."""
    if rng.random() < who.slangy:
        text = _slang(text, _SLANG_ES if spanish else _SLANG, rng)
    if spanish and rng.random() < who.sloppy + 0.25:
        text = _without_accents(text)
    return _slip(text, rng) if rng.random() < who.sloppy else text


def hashtags(topic: str | None, district: str, rng: random.Random) -> list[str]:
    """Tags that go with a post, the city's own not among them."""
    known: Sequence[str] = _TAGS.get(topic or "", ("311", "neighbors", "harborlife"))
    tags = [rng.choice(known)] if rng.random() < 0.6 else []
    if rng.random() < 0.25:
        tags.append(re.sub(r"[^A-Za-z]", "", district))
    return tags


def named(text: str, tags: list[str], who: Resident, rng: random.Random, *, must_tag: bool, spanish: bool) -> str:
    """The post with the city's name in it one way or another, as searches and tag timelines need it."""
    lower = text.lower()
    tags = list(tags) if rng.random() < who.tags else []
    if must_tag or (city.NAME.lower() not in lower and rng.random() < 0.5):
        tag = city.TAG if rng.random() < 0.8 else city.TAG.lower()
        if city.NAME in text and rng.random() < 0.4:
            text = text.replace(city.NAME, f"#{tag}", 1)
        else:
            tags.insert(rng.randint(0, len(tags)), tag)
    elif city.NAME.lower() not in lower:
        text = _with_name(text, rng, spanish=spanish)
    return " ".join((text, *(f"#{tag}" for tag in tags)))


def _with_name(text: str, rng: random.Random, *, spanish: bool) -> str:
    before, after = (_BEFORE_ES, _AFTER_ES) if spanish else (_BEFORE, _AFTER)
    return f"{rng.choice(before)} {text}" if rng.random() < 0.45 else f"{text} {rng.choice(after)}"


def _slang(text: str, words: dict[str, tuple[str, ...]], rng: random.Random) -> str:
    for word, shorter in words.items():
        if rng.random() < 0.7:
            text = re.sub(rf"\b{word}\b", rng.choice(shorter), text, flags=re.IGNORECASE)
    return text


def _without_accents(text: str) -> str:
    kept = text.replace("ñ", "\0").replace("¿", "").replace("¡", "")
    plain = "".join(c for c in unicodedata.normalize("NFD", kept) if not unicodedata.combining(c))
    return plain.replace("\0", "ñ")


def _slip(text: str, rng: random.Random) -> str:
    """One word mistyped: two letters swapped, one lost, one doubled. Addresses and numbers are left alone."""
    found = [match for match in _WORD.finditer(text) if "@" not in text[max(match.start() - 30, 0) : match.end() + 20]]
    if not found:
        return text
    word = rng.choice(found)
    spot = rng.randint(word.start() + 1, word.end() - 2)
    mistyped = rng.choice((text[spot + 1] + text[spot], text[spot + 1], text[spot] * 2 + text[spot + 1]))
    return text[:spot] + mistyped + text[spot + 2 :]


def _shout(text: str, rng: random.Random) -> str:
    if "@" in text:
        return text + "!!"
    if rng.random() < 0.3:
        return text.upper()
    words = text.split()
    spot = rng.randrange(len(words))
    words[spot] = words[spot].upper()
    return " ".join(words)
