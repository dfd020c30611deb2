"""A query in the words of a source's own search, as far as those reach.

A source is asked for more than the query wants where its words do not suffice; collectors.query.matches then decides.
What a search cannot say at all is named by `unsaid`, so that the operator sees it.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import product

from collectors.queries.tree import And, Field, Handle, Leaf, Named, Near, Node, Not, Or, Tag, Words

MOST_SEARCHES = 24
Conjunction = tuple[str, ...]


def _mastodon_tag(leaf: Leaf) -> Conjunction | None:
    """Tag timelines know tags alone; residents write "maple harbor" as #MapleHarbor."""
    if isinstance(leaf, Tag):
        return (leaf.name,)
    if isinstance(leaf, Words):
        return ("".join(leaf.words),)
    if isinstance(leaf, Handle):
        name = leaf.name.partition("@")[0]
        return (name,) if name.isidentifier() else None
    return None


def _bluesky(leaf: Leaf) -> Conjunction | None:
    """Words, "phrases", #tags and lang: are said; a handle is a word to its search."""
    if isinstance(leaf, Words):
        return (str(leaf),)
    if isinstance(leaf, Tag | Handle):
        return (str(leaf),)
    if isinstance(leaf, Near):
        sides = [_bluesky(side) for side in (leaf.left, leaf.right)]
        return tuple(text for side in sides if side for text in side) or None
    if isinstance(leaf, Field) and leaf.name == "lang":
        return (f"lang:{leaf.value}",)
    return None


_DIALECTS: dict[str, Callable[[Leaf], Conjunction | None]] = {"mastodon": _mastodon_tag, "bluesky": _bluesky}


def searches(node: Node, dialect: str) -> tuple[str, ...]:
    """The searches that together find everything `dialect` can find of the query; () if it can say nothing."""
    say = _DIALECTS[dialect]
    found = cover(node, say)
    if dialect == "mastodon":  # one timeline a tag: any tag of a conjunction brings all its posts
        return tuple(dict.fromkeys(part[0] for part in found or ()))
    alone = tuple(" ".join(dict.fromkeys(part)) for part in found or () if any(":" not in text for text in part))
    return tuple(dict.fromkeys(alone))


def unsaid(node: Node, dialect: str) -> tuple[str, ...]:
    """The parts of the query that only our own matching sees."""
    say = _DIALECTS[dialect]
    return tuple(dict.fromkeys(str(part) for part in _parts(node) if isinstance(part, Not) or say(part) is None))


def cover(node: Node, say: Callable[[Leaf], Conjunction | None]) -> tuple[Conjunction, ...] | None:
    """Conjunctions whose union holds every match the dialect can reach; None if that part cannot be said."""
    if isinstance(node, Not):
        return None
    if isinstance(node, Or):
        parts = [cover(part, say) for part in node.parts]
        return tuple(c for part in parts if part for c in part) or None
    if isinstance(node, And):
        return _all(cover(part, say) for part in node.parts)
    if isinstance(node, Named):
        parts = [cover(Words(phrase, quoted=True), say) for phrase in node.phrases]
        return tuple(c for part in parts if part for c in part) or None
    said = say(node)
    return None if said is None else (said,)


def _all(parts: Iterable[tuple[Conjunction, ...] | None]) -> tuple[Conjunction, ...] | None:
    """Each with each, smallest first; a part that would make too many searches is left to our own matching."""
    found: tuple[Conjunction, ...] | None = None
    for part in sorted((p for p in parts if p is not None), key=len):
        if found is None:
            found = part
        elif len(found) * len(part) <= MOST_SEARCHES:
            found = tuple((*a, *b) for a, b in product(found, part))
    return found


def _parts(node: Node) -> Iterator[Leaf | Not]:
    if isinstance(node, And | Or):
        for part in node.parts:
            yield from _parts(part)
    else:
        yield node
