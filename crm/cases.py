"""What a case says when it is opened. Plain text only: what residents wrote is data, never markup or a command."""

import unicodedata

from core.case import CaseDraft
from crm.desk import ScoredMention

TITLE = 120  # characters
BODY = 20_000


def draft_case(mention: ScoredMention) -> CaseDraft:
    """The case for a mention; the same mention always gives the same key."""
    topics = mention.scores.topics
    return CaseDraft(
        key=f"mention:{mention.platform}:{mention.external_id}",
        title=title(mention.text) or f"{mention.kind.value.capitalize()} without text",
        body=plain(mention.text)[:BODY],
        topic=topics[0].name if topics else None,
        urgency=mention.scores.urgency,
        safety=mention.scores.safety,
        url=web_address(mention.url),
    )


def title(text: str) -> str:
    r"""The first words of a text, in one line of at most TITLE characters, cut between words.

    >>> title("Water main burst\n\nIt floods the whole street.")
    'Water main burst'
    """
    first = next(filter(None, (" ".join(line.split()) for line in plain(text).split("\n"))), "")
    if len(first) <= TITLE:
        return first
    cut = first[: TITLE - 1]
    whole = cut.rsplit(" ", 1)[0]
    return (whole if len(whole) > TITLE // 2 else cut) + "…"


def plain(text: str) -> str:
    r"""A text without signs that steer a screen, a terminal or a mail: no controls, no direction overrides.

    >>> plain("a\r\nb\x1b[31m\u202egnp")
    'a\nb[31mgnp'
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n").replace("\u2029", "\n")
    return "".join(sign for sign in lines if sign in "\n\t" or not _steers(sign)).strip()


def web_address(url: str) -> str:
    """The address if it is one of the web, else nothing: never javascript: or a file."""
    fine = url.lower().startswith(("https://", "http://")) and not any(sign.isspace() or _steers(sign) for sign in url)
    return url if fine and len(url) <= 2000 else ""


def _steers(sign: str) -> bool:
    """True for controls and for what turns the direction of writing; joiners of emoji and scripts stay."""
    category = unicodedata.category(sign)
    return category in ("Cc", "Cs") or (category == "Cf" and sign not in "\u200c\u200d")
