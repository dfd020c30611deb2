"""Keys of pseudonyms: kept in files outside the database, changed on schedule, destroyed for good.

A pseudonym is HMAC-SHA256(key of the epoch, platform | person). Without the key nobody can tell who it was, nor join
two epochs: destroying the file is erasure. The handle, where one is needed to answer, is sealed with another key.
"""

import hmac
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path

from cryptography.fernet import Fernet

from core.mention import Author, Person


@dataclass(frozen=True, slots=True, repr=False)
class Keys:
    """The keys of one epoch."""

    epoch: str
    pseudonym: bytes
    seal: Fernet

    def author(self, platform: str, person: Person) -> Author:
        """The person as we may remember them."""
        digest = hmac.new(self.pseudonym, f"{platform}|{person.id}".encode(), sha256).hexdigest()
        sealed = self.seal.encrypt(person.handle.encode()) if person.handle else b""
        return Author(pseudonym=digest, epoch=self.epoch, sealed_handle=sealed)

    def handle(self, author: Author) -> str:
        """The handle behind an author of this epoch; "" if none is kept."""
        return self.seal.decrypt(author.sealed_handle).decode() if author.sealed_handle else ""


def epoch_of(now: datetime, days: int) -> str:
    """The name of the epoch `now` lies in: the first day of it, e.g. "2026-01-04"."""
    length = timedelta(days=days)
    zero = datetime(2020, 1, 1, tzinfo=now.tzinfo)
    return (zero + ((now - zero) // length) * length).strftime("%Y-%m-%d")


def open_keys(data_dir: Path, now: datetime, days: int) -> Keys:
    """The keys of the current epoch; made at first use, readable by the owner alone."""
    epoch = epoch_of(now, days)
    folder = data_dir / "keys"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    pseudonym = _read_or_make(folder / f"{epoch}.pseudonym", lambda: os.urandom(32))
    seal = _read_or_make(folder / f"{epoch}.seal", Fernet.generate_key)
    return Keys(epoch, pseudonym, Fernet(seal))


def _read_or_make(path: Path, make: Callable[[], bytes]) -> bytes:
    if not path.exists():
        draft = path.with_suffix(path.suffix + f".{os.getpid()}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(make())
        try:
            os.link(draft, path)  # whoever is first wins; all read the same key after
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_bytes()
