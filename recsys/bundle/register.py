"""What was packed for whom: kept by the collective, so that a copy that leaks can be told from all others.

A record and the artists' factors of each bundle lie in the home, named by the bundle's digest. The secret behind the
marks lies among the collective's keys; without it no mark can be read, nor made to look like another buyer's.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from recsys.bundle.watermark import signs
from recsys.canonical import atomic_path, canonical_json, create_once, write_atomically
from recsys.errors import BundleInvalidError

_FACTORS = "item_factors"


@dataclass(frozen=True)
class Entry:
    """A bundle that was packed.

    Attributes
    ----------
    digest
        The bundle's digest.
    buyer, run
        Whom it was packed for, and of which training run.
    packed_at
        When, as :func:`recsys.canonical.utc_text` writes it.
    names
        Names of its artists; row i of its factors belongs to ``names[i]``.
    """

    digest: str
    buyer: str
    run: str
    packed_at: str
    names: tuple[str, ...]


@dataclass(frozen=True)
class Register:
    """The bundles that a collective has packed.

    Attributes
    ----------
    folder
        Where the records lie.
    key_path
        Where the secret of the marks lies.
    """

    folder: Path
    key_path: Path

    @classmethod
    def at(cls, home: Path) -> Register:
        """Take the register of a home folder; nothing is made before it is needed."""
        return cls(home / "bundles", home / "keys" / "watermark.key")

    @property
    def key(self) -> bytes:
        """The secret behind the marks, 32 bytes; a new collective's is made here."""
        if not self.key_path.exists():
            self.key_path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            create_once(self.key_path, secrets.token_bytes(32))
        return self.key_path.read_bytes()

    def enter(
        self, digest: str, *, buyer: str, run: str, packed_at: str, names: Sequence[str], factors: NDArray[Any]
    ) -> Entry:
        """Keep a bundle's record and its factors, as :class:`Entry` has them; a bundle entered twice is one.

        Parameters
        ----------
        factors
            The artists' factors as they are in the bundle, marked.
        """
        entry = Entry(digest, buyer, run, packed_at, tuple(names))
        with atomic_path(self.folder / f"{digest}.safetensors") as partial:
            save_file({_FACTORS: np.ascontiguousarray(factors)}, partial)
        write_atomically(self.folder / f"{digest}.json", canonical_json(asdict(entry)))
        return entry

    def entries(self) -> list[Entry]:
        """Give all records, in the order of their packing."""
        found = [self._read(path) for path in self.folder.glob("*.json")]
        return sorted(found, key=lambda entry: (entry.packed_at, entry.digest))

    def _read(self, path: Path) -> Entry:
        try:
            told = json.loads(path.read_bytes())
            return Entry(**{**told, "names": tuple(told["names"])})
        except (ValueError, TypeError, KeyError) as error:
            raise BundleInvalidError(f"{path} is no record of a bundle: {error}; restore it from a backup") from error

    def unmarked(self, entry: Entry) -> NDArray[np.float32]:
        """Give the factors of a bundle as they were before they were marked, shape (artists, factors).

        Raises
        ------
        BundleInvalidError
            If they are not there or are damaged.
        """
        path = self.folder / f"{entry.digest}.safetensors"
        try:
            factors = load_file(path)[_FACTORS].astype(np.float32)
        except (OSError, SafetensorError, KeyError) as error:
            raise BundleInvalidError(
                f"the factors of a bundle cannot be read from {path} ({error}); restore them from a backup"
            ) from error
        if factors.ndim != 2 or len(factors) != len(entry.names):  # noqa: PLR2004 - artists and factors
            raise BundleInvalidError(f"{path} has shape {factors.shape} for {len(entry.names)} names; restore it")
        return factors * signs(entry.buyer, self.key, factors.shape[1])
