"""Which language a text is written in: lingua, offline, with the models it brings along.

The low-accuracy models are used on purpose: 180 MB and thousands of texts a second, against 520 MB and a tenth of
that, for three points of accuracy (docs/texts.md has the figures). What a short text leaves open, a claim may settle.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lingua import LanguageDetector

UNKNOWN = "und"
#: What can be told apart. More languages cost memory and mistakes on short texts.
LANGUAGES = (
    "ar bn ca de en es fa fr hi it ja ko nl pl pt ru so tl tr uk ur vi zh".split()  # noqa: SIM905 - reads as one line
)
#: Fewer letters say nothing; Chinese, Japanese and Korean say as much with fewer.
_LETTERS, _LETTERS_CJK = 4, 2
#: Below this the best guess is a guess; a claim or a likely language counts if it has a twentieth of the best at least.
_SURE, _RIVAL, _TELLABLE = 0.95, 0.05, 0.35
_MACHINE = re.compile(r"https?://\S+|www\.\S+|@[\w.@-]+|\[(?:email|phone|card|ssn)\]|\bRT\b|\bhttp\b")
_CODE = re.compile(r"[{}\[\]()<>=;|\\_+*/^~`$]")
_LAUGHTER = re.compile(r"\b(?:(?:ja|ha|je|he|ji|hi|kk|rs|xd|lo?l)+[jha]?|ok+|wo+w|hm+|ah+|oh+|a+y+)\b", re.IGNORECASE)


def identify(
    texts: Sequence[str],
    claims: Sequence[str | None] | None = None,
    likely: Iterable[str] = ("en", "es"),
) -> list[tuple[str, float]]:
    """Tell each text's language as (BCP 47 tag, confidence 0..1); ("und", ...) if it cannot be told.

    Args:
        texts: as stored.
        claims: what each source says of its text, or None: settles close calls, never overrules the text.
        likely: the agency's languages: they settle close calls where there is no claim.
    """
    favoured = tuple(map(_base, likely))
    said: Sequence[str | None] = claims if claims is not None else [None] * len(texts)
    return [_one(text, claim, favoured) for text, claim in zip(texts, said, strict=True)]


def _one(text: str, claim: str | None, likely: tuple[str, ...]) -> tuple[str, float]:
    words = _words(text)
    if not words:
        return UNKNOWN, 0.0
    ranked = [
        (value.language.iso_code_639_1.name.lower(), round(float(value.value), 6))
        for value in _detector().compute_language_confidence_values(words)[:6]
    ]
    tag, confidence = ranked[0]
    if confidence >= _SURE:
        return tag, confidence
    preferred = (_base(claim),) if claim else likely
    for rival, value in ranked:
        if rival in preferred and value >= _RIVAL * confidence:
            return rival, value
    return (tag if confidence >= _TELLABLE else UNKNOWN), confidence


def _base(tag: str) -> str:
    """Give the language of a tag: "es" of "es-MX", "tl" of "fil"."""
    base = re.split(r"[-_]", tag.strip().lower(), maxsplit=1)[0]
    return {"fil": "tl", "tgl": "tl", "spa": "es", "eng": "en", "cmn": "zh"}.get(base, base)


def _words(text: str) -> str:
    """The part of a text that is language; empty if it is too little, or code."""
    left = _MACHINE.sub(" ", unicodedata.normalize("NFKC", text))
    left = _LAUGHTER.sub(" ", left)
    letters = sum(map(str.isalpha, left))
    enough = _LETTERS_CJK if any("\u3040" <= letter <= "\ud7a3" for letter in left) else _LETTERS
    if letters < enough or len(_CODE.findall(left)) > 0.2 * letters:
        return ""
    return left


@cache
def _detector() -> "LanguageDetector":
    # Loaded when first asked: importing it maps 300 MB of models, which no other part of the program needs.
    from lingua import IsoCode639_1, LanguageDetectorBuilder

    codes = [getattr(IsoCode639_1, tag.upper()) for tag in LANGUAGES]
    return LanguageDetectorBuilder.from_iso_codes_639_1(*codes).with_low_accuracy_mode().build()
