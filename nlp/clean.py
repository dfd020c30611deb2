"""A text as the encoder should read it: the same words in one spelling, without what only machines see."""

import re
import unicodedata
from collections.abc import Container
from functools import lru_cache

#: Control, format, private and unassigned characters, variation selectors, keycaps: nothing a reader sees.
_UNSEEN = frozenset({"Cc", "Cf", "Co", "Cn", "Cs"})
_SELECTORS = re.compile("[\u034f\ufe00-\ufe0f\u20e3\U0001f3fb-\U0001f3ff\U000e0100-\U000e01ef\u2640\u2642]")
_PICTURE = re.compile("[\u231a-\u23ff\u25a0-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff]")
_FLAG = re.compile("[\U0001f1e6-\U0001f1ff]{2}")
_RETWEET = re.compile(r"^(?:\s*RT\s+@[\w.@-]{1,100}:?)+(?:\s+|$)")
_URL = re.compile(r"\b(?:https?://|www\.)[^\s<>\"]+", re.IGNORECASE)
_HANDLE = re.compile(r"(?<![\w@.])@[\w][\w.-]*(?:@[\w.-]+)?")
_HASHTAG = re.compile(r"(?<![\w&])#+(?=\w*[^\W\d_])(\w+)")
_WORDS = re.compile(r"[^\W\d_]?[^\W\d_A-ZÀ-Þ]+|[A-ZÀ-Þ]+(?![a-zß-ÿ])|\d+|[^\W_]+")
_ENTITY = re.compile(r"&(?:amp;)*(amp|lt|gt|quot|nbsp);")
_ENTITIES = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "nbsp": " "}
_LONG_LETTER = re.compile(r"([^\W\d_])\1{2,}", re.IGNORECASE)
_LONG_MARK = re.compile(r"([^\w\s])\1{3,}")
_PASSES = 5


def prepare(text: str, *, keep: Container[str] = frozenset()) -> str:
    """Bring a text to the encoder's spelling; nothing stays nothing, and doing it twice changes nothing more.

    Links become "http", accounts "@user", hashtags their words, pictures their names; "sooooo" becomes "soo".

    Args:
        text: as stored, already masked.
        keep: the agency's own handles with their "@", lower case: they say whom a text is about and stay.

    >>> prepare("RT @bob: #BrokenStreetLight  sooooo dark 😡 https://example.org/1")
    'broken street light soo dark pouting face http'
    """
    for _ in range(_PASSES):
        once = _prepare_once(text, keep)
        if once == text:
            break
        text = once
    return text


def _prepare_once(text: str, keep: Container[str]) -> str:
    if not text.isascii():
        text = unicodedata.normalize("NFKC", _without_unseen(text))
        text = _FLAG.sub(" flag ", text)
        text = _PICTURE.sub(lambda found: _named(found[0]), text)
    else:
        text = _without_unseen(text)
    text = _RETWEET.sub("", text)
    text = _URL.sub("http", text)
    text = _HANDLE.sub(lambda found: _account(found[0], keep), text)
    text = _HASHTAG.sub(lambda found: _spelt(found[1]), text)
    text = _ENTITY.sub(lambda found: _ENTITIES[found[1]], text)
    text = _LONG_MARK.sub(r"\1\1\1", _LONG_LETTER.sub(r"\1\1", text))
    return " ".join(text.split())


def _without_unseen(text: str) -> str:
    if text.isprintable() and _SELECTORS.search(text) is None:
        return text
    text = _SELECTORS.sub("", text)
    return "".join(
        " " if letter.isspace() else letter
        for letter in text
        if letter.isspace() or unicodedata.category(letter) not in _UNSEEN
    )


@lru_cache(maxsize=4096)
def _named(picture: str) -> str:
    return f" {unicodedata.name(picture, 'picture').lower()} "


def _account(handle: str, keep: Container[str]) -> str:
    name = handle.rstrip(".-")
    return handle if name.lower() in keep else "@user" + handle[len(name) :]


def _spelt(tag: str) -> str:
    """Split "BrokenStreetLight", "potholes_on_5th" and "Route66" into lower-case words."""
    return " ".join(word.lower() for word in _WORDS.findall(tag))
