"""What happens to a mention between parse and store: whose it is, what may be known, what is masked."""

from collections.abc import Callable
from dataclasses import replace

from core.batch import Batch
from core.mention import Author, Media, Mention, Person

Mask = Callable[[str], str]
Seal = Callable[[str, Person], Author]


def bare(handle: str) -> str:
    """A handle without its at-sign, in lower case, so that two spellings compare.

    >>> bare("@MapleHarbor ")
    'mapleharbor'
    """
    return handle.strip().removeprefix("@").casefold()


def protect(batch: Batch, *, own: frozenset[str], mask: Mask, seal: Seal) -> Batch:
    """The batch as it may be stored.

    Args:
        batch: as its source yielded it.
        own: the agency's handles and account ids, bare().
        mask: replaces personal data in a text.
        seal: turns (platform, person) into a pseudonymous author.
    """
    return replace(batch, mentions=tuple(_protected(mention, own, mask, seal) for mention in batch.mentions))


def _protected(mention: Mention, own: frozenset[str], mask: Mask, seal: Seal) -> Mention:
    person = mention.author
    ours = mention.own
    if isinstance(person, Person):
        ours = ours or bare(person.handle) in own or bare(person.id) in own
        person = seal(mention.platform, person)
    return replace(
        mention,
        text=mask(mention.text),
        media=tuple(Media(url=media.url, alt=mask(media.alt)) for media in mention.media),
        author=person,
        own=ours,
    )
