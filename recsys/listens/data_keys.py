"""The key of each member's contributions, and its end.

What a member handed in is stored encrypted under a key of that member alone. Where the key is destroyed, every copy of
those files, in whatever backup, is noise: this is crypto-shredding (NIST SP 800-88 Rev. 1, section 2.6, "cryptographic
erase"). It is as good as the destruction of the key is: overwriting a file in place reaches the old bytes on most file
systems, but not on those that copy on write, and no backup of the keys. Keep the keys' backups apart from those of the
contributions, and few.
"""

from __future__ import annotations

import json
import os
import secrets
from contextlib import AbstractContextManager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from recsys.canonical import Pseudonym, canonical_json, create_once, one_at_a_time, sync_one, write_atomically
from recsys.errors import ConfigError, MemberErasedError

_KEY_BYTES = 32


@dataclass(frozen=True)
class Tombstone:
    """What is left where a member's data key was destroyed.

    Parameters
    ----------
    at
        When (UTC text).
    entries
        How many entries the consent ledger had then: only a grant recorded later can mean that the member came back.
    """

    at: str
    entries: int


class DataKeys:
    """A folder of data keys: ``<pseudonym>.key`` of 32 bytes, and ``<pseudonym>.destroyed`` where one was.

    Keys are made on first use. A tombstone forbids a new key until it is lifted, so that an export which still lies
    about is not taken in again behind its member's back.

    Parameters
    ----------
    folder
        The folder itself, for example ``home / "keys" / "data"``.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def make(self, member: Pseudonym) -> AESGCM:
        """Give the cipher of a member; the key is made if there is none, once however many ask at a time.

        Raises
        ------
        MemberErasedError
            If the member's key was destroyed.
        """
        path = self._path(member)
        if not path.exists() or self.tombstone(member):
            with self._alone():
                self.refuse_erased(member)
                if not path.exists():
                    create_once(path, AESGCM.generate_key(8 * _KEY_BYTES))
        return self.of(member)

    def of(self, member: Pseudonym) -> AESGCM:
        """Give the cipher of a member who has a key.

        Raises
        ------
        MemberErasedError
            If the key was destroyed.
        ConfigError
            If there is no key, or none that can be one.
        """
        self.refuse_erased(member)
        path = self._path(member)
        try:
            key = path.read_bytes()
        except OSError as error:
            raise ConfigError(
                f"{path} cannot be read ({error.strerror}), and what this member handed in cannot be read without it; "
                "put the key back from a backup"
            ) from None
        if len(key) != _KEY_BYTES:
            raise ConfigError(f"{path} has {len(key)} bytes, expected {_KEY_BYTES}; put the key back from a backup")
        return AESGCM(key)

    def destroy(self, member: Pseudonym, tombstone: Tombstone) -> list[Path]:
        """Destroy a member's key beyond recovery; give the files that held it.

        The tombstone is there before the key goes, so that a crash between the two leaves a member without access,
        never one who can be read again. Doing it again finishes what was begun; an older tombstone stays.
        """
        with self._alone():
            if not self._stone(member).exists():
                write_atomically(self._stone(member), canonical_json(asdict(tombstone)))
            left = [path for path in sorted(self.folder.iterdir()) if path.name.lstrip(".").startswith(f"{member}.key")]
            for path in left:  # the key, and what a process that was killed while making it left behind
                _shred(path)
            sync_one(self.folder)
        return left

    def tombstone(self, member: Pseudonym) -> Tombstone | None:
        """Give what stands where the member's key was destroyed, or ``None``.

        Raises
        ------
        ConfigError
            If it cannot be read.
        """
        path = self._stone(member)
        try:
            return Tombstone(**json.loads(path.read_bytes()))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError) as error:
            raise ConfigError(f"{path} is no tombstone ({error}); put it back from a backup") from error

    def tombstones(self) -> dict[Pseudonym, Tombstone]:
        """Give every tombstone by member."""
        found = self.folder.glob("*.destroyed") if self.folder.is_dir() else ()
        members = sorted(Pseudonym(path.stem) for path in found)
        return {member: stone for member in members if (stone := self.tombstone(member))}

    def refuse_erased(self, member: Pseudonym) -> None:
        """Refuse a member whose data were erased and who has not come back.

        Raises
        ------
        MemberErasedError
            If so.
        """
        if stone := self.tombstone(member):
            raise MemberErasedError(
                f"the data of {member[:12]} were erased at {stone.at}; they can contribute again after they agree "
                "anew: recsys consent grant MEMBER PURPOSE"
            )

    def lift(self, member: Pseudonym) -> None:
        """Let a member who came back contribute again, under a new key; what was destroyed stays destroyed."""
        with self._alone(), suppress(FileNotFoundError):
            self._stone(member).unlink()
            sync_one(self.folder)

    def _alone(self) -> AbstractContextManager[None]:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return one_at_a_time(self.folder / ".lock")

    def _path(self, member: Pseudonym) -> Path:
        return self.folder / f"{member}.key"

    def _stone(self, member: Pseudonym) -> Path:
        return self.folder / f"{member}.destroyed"


def _shred(path: Path) -> None:
    """Overwrite a file's bytes where they lie, then remove it."""
    with path.open("r+b") as file:
        file.write(secrets.token_bytes(max(_KEY_BYTES, path.stat().st_size)))
        file.flush()
        os.fsync(file.fileno())
    path.unlink()
