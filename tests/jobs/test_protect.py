"""Between parse and store: own posts, pseudonyms, masks."""

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

from core.batch import Batch, Coverage
from core.mention import Author, Kind, Media, Mention, Person
from jobs.keys import epoch_of, open_keys
from jobs.protect import bare, protect

NOW = datetime(2026, 3, 2, 15, tzinfo=UTC)


def batch(**values: object) -> Batch:
    mention = Mention(
        platform="mastodon",
        external_id="1",
        version="1",
        kind=Kind.POST,
        seen_at=NOW,
        **{"text": "call 555-0100", "author": Person(id="42", handle="@Ann@example.org"), **values},  # type: ignore[arg-type]
    )
    return Batch(mentions=(mention,), coverage=Coverage(since=None, until=NOW, complete=True))


def protected(tmp_path: Path, given: Batch, *own: str) -> Mention:
    keys = open_keys(tmp_path, NOW, 90)
    mask = lambda text: text.replace("555-0100", "[phone]")  # noqa: E731
    return protect(given, own=frozenset(map(bare, own)), mask=mask, seal=keys.author).mentions[0]


def test_nobody_is_named_after_it(tmp_path: Path) -> None:
    mention = protected(tmp_path, batch(media=(Media(url="https://a.example", alt="my number 555-0100"),)))
    assert isinstance(mention.author, Author)
    assert "Ann" not in repr(mention)
    assert mention.text == "call [phone]"
    assert mention.media[0].alt == "my number [phone]"


def test_the_agencys_own_posts_are_known_by_handle_or_id(tmp_path: Path) -> None:
    assert protected(tmp_path, batch(), "@ann@example.org").own
    assert protected(tmp_path, batch(), "42").own
    assert not protected(tmp_path, batch(), "@other").own


def test_the_same_person_has_one_pseudonym_within_an_epoch_and_another_in_the_next(tmp_path: Path) -> None:
    person = Person(id="42", handle="ann")
    first, again = open_keys(tmp_path, NOW, 90), open_keys(tmp_path, NOW + timedelta(hours=1), 90)
    later = open_keys(tmp_path, NOW + timedelta(days=90), 90)
    assert first.author("x", person).pseudonym == again.author("x", person).pseudonym
    assert first.author("x", person).pseudonym != later.author("x", person).pseudonym
    assert first.author("x", person).pseudonym != first.author("y", person).pseudonym
    assert first.handle(again.author("x", person)) == "ann"


def test_keys_are_for_the_owner_alone(tmp_path: Path) -> None:
    open_keys(tmp_path, NOW, 90)
    files = list((tmp_path / "keys").iterdir())
    assert len(files) == 2
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700


def test_epochs_are_as_long_as_asked() -> None:
    assert epoch_of(NOW, 90) == epoch_of(NOW + timedelta(days=1), 90)
    assert epoch_of(NOW, 1) != epoch_of(NOW + timedelta(days=1), 1)
