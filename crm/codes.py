"""Case codes: what a resident quotes, a member of staff reads aloud, and nobody mistypes unnoticed.

A code is "M-" and at least five signs, the last of which checks the others: "M-7F3KX". No sign looks like another
(no 0 O 1 I L U V). The order of cases cannot be read from it.
"""

import re
from itertools import count

ALPHABET = "23456789ABCDEFGHJKMNPQRSTWXYZ"
_BASE = len(ALPHABET)  # 29, a prime: one wrong sign and two swapped neighbours are both noticed
_SPREAD = 380_549  # no multiple of 29, so that every number keeps a code of its own
#: Wider than our own signs: codes of another maker are found too, and a slip of the pen finds no case.
_SHAPE = re.compile(r"(?<![\w-])M-([0-9A-Z]{4,12})(?![\w-])", re.IGNORECASE | re.ASCII)


def code(number: int) -> str:
    """The code of case `number` (1, 2, ...).

    >>> valid(code(1)), code(1) == code(2)
    (True, False)
    """
    if number < 1:
        raise ValueError(f"cases are numbered from 1, got {number}")
    number -= 1
    for length in count(4):
        size = _BASE**length
        if number < size:
            break
        number -= size
    mixed = (number * _SPREAD + size // 3) % size
    signs = [ALPHABET[mixed // _BASE**place % _BASE] for place in reversed(range(length))]
    return "M-" + "".join(signs) + _check(signs)


def valid(text: str) -> bool:
    """True if `text` is a code of ours without a slip of the pen. Small letters are fine."""
    signs = text.upper().removeprefix("M-")
    return len(signs) >= 5 and set(signs) <= set(ALPHABET) and _check(signs[:-1]) == signs[-1]


def quoted(text: str) -> tuple[str, ...]:
    """What looks like a code in a text, in order, each once, as we write them.

    >>> quoted("Still broken (m-bnbn7). Room m-2 is fine; M-BNBN7 is not.")
    ('M-BNBN7',)
    """
    return tuple(dict.fromkeys("M-" + match[1].upper() for match in _SHAPE.finditer(text)))


def _check(signs: list[str] | str) -> str:
    return ALPHABET[sum((place + 1) * ALPHABET.index(sign) for place, sign in enumerate(signs)) % _BASE]
