"""Case codes as residents quote them; storage makes them."""

import re

#: "M-" and four to twelve letters or digits; a slip of the pen finds no case.
_SHAPE = re.compile(r"(?<![\w-])M-([0-9A-Z]{4,12})(?![\w-])", re.IGNORECASE | re.ASCII)


def quoted(text: str) -> tuple[str, ...]:
    """What looks like a code in a text, in order, each once, as we write them.

    >>> quoted("Still broken (m-bnbn7). Room m-2 is fine; M-BNBN7 is not.")
    ('M-BNBN7',)
    """
    return tuple(dict.fromkeys("M-" + match[1].upper() for match in _SHAPE.finditer(text)))
