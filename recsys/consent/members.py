"""Members' signing keys, where the collective keeps them for them."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from recsys.canonical import Pseudonym
from recsys.transparency import SigningKey
from recsys.transparency.keys import SEED_BYTES

_FILES_AT_ONCE = 16


def _random_seed(_member: Pseudonym) -> bytes:
    return secrets.token_bytes(SEED_BYTES)


class MemberKeys:
    """A folder of signing keys, one for each pseudonym, each made when it is first asked for.

    Whoever can read the folder can sign in the members' names. A member who does not want that keeps a key file of
    their own, signs with it elsewhere (``recsys consent sign``), and is not in this folder.

    Parameters
    ----------
    folder
        Holds ``<pseudonym>.pem``; only its owner may read it.
    make
        Gives the 32 secret bytes of a member's new key; drawn at random unless given.
    """

    def __init__(self, folder: Path, *, make: Callable[[Pseudonym], bytes] = _random_seed) -> None:
        self.folder = folder
        self._make = make

    def of(self, member: Pseudonym) -> SigningKey:
        """Give a member's key."""
        return SigningKey.at(self._path(member), make=lambda: self._make(member))

    def make_missing(self, members: Iterable[Pseudonym]) -> None:
        """Make the keys that are not there yet, several at a time: a disk makes many files durable at once."""
        with ThreadPoolExecutor(_FILES_AT_ONCE) as pool:
            list(pool.map(self.of, (member for member in members if not self.has(member))))

    def has(self, member: Pseudonym) -> bool:
        """Tell whether this member's key is kept here."""
        return self._path(member).exists()

    def _path(self, member: Pseudonym) -> Path:
        return self.folder / f"{Pseudonym.read(member)}.pem"
