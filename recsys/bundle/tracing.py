"""Whose copy leaked: a file that turned up somewhere, held against all that was packed.

What turned up is read as data and no more; it need not be whole, nor sealed.
"""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load

from recsys.bundle.contents import ARTISTS, MAX_BYTES, MODEL
from recsys.bundle.register import Entry, Register
from recsys.bundle.watermark import Suspect, Trace, trace
from recsys.canonical import sha256_hex
from recsys.errors import BundleInvalidError

SURE = 1e-3
"""A buyer is named if a mark agrees so far by chance less often than this, all buyers and models taken together."""

_FACTORS = "item_factors"
_NO_FACTORS = (
    *(OSError, ValueError, KeyError, TypeError, EOFError, MemoryError),  # NumPy's for files that are cut, or lie
    *(RuntimeError, zlib.error, zipfile.BadZipFile, SafetensorError),
)


@dataclass(frozen=True)
class Leak:
    """What is known of a file that turned up.

    Attributes
    ----------
    entry
        The record of the bundle that it is most like; if a buyer is named, one of theirs where there is one.
    found
        What the factors tell.
    tried
        How many different models it was held against.
    """

    entry: Entry
    found: Trace
    tried: int

    @property
    def named(self) -> list[str]:
        """Whose copy it is, the likeliest first: several if copies were put together, nobody if it cannot be told."""
        return [one.buyer for one in self.found.suspects if one.chance * self.tried <= SURE]

    def as_dict(self) -> dict[str, Any]:
        """Give it as plain values for JSON."""
        entry = {name: value for name, value in asdict(self.entry).items() if name != "names"}
        return {"buyers": self.named, "bundle": entry, "models_tried": self.tried, **asdict(self.found)}

    def words(self) -> list[str]:
        """Say it."""
        found, best = self.found, self.found.suspects[0]
        if not found.copied and not self.named:
            return [
                (
                    f"This is no copy of a model that was packed here: that of run {self.entry.run}, which it is most "
                    f"like, explains {1 - found.unexplained:.0%} of it."
                )
            ]
        told = [
            (
                f"This is a copy of the model of run {self.entry.run}, which explains {1 - found.unexplained:.1%} of "
                f"the {found.rows:,} artists that were looked at."
            )
        ]
        if self.named:
            told += [self._named(one) for one in found.suspects[: len(self.named)]]
        elif found.rotated:
            told.append("Its factors were rotated, which takes the mark away: it cannot be told whose copy it was.")
        else:
            told.append(
                f"Whose copy it was cannot be told: of {best.read} signs {best.agree} agree with the mark of "
                f"{best.buyer}, at best, which happens by chance with a probability of {best.chance * self.tried:.2g}."
            )
        return told

    def _named(self, one: Suspect) -> str:
        theirs = f" (bundle {self.entry.digest}, {self.entry.packed_at[:10]})" if one.buyer == self.entry.buyer else ""
        return (
            f"It bears the mark of {one.buyer}{theirs}: {one.agree} of {one.read} signs agree. If the copy "
            f"were nobody's, the mark of one of {len(self.found.suspects)} buyers would agree so far with a "
            f"probability of {one.chance * self.tried:.2g}."
        )


def find_leak(path: Path, register: Register) -> Leak:
    """Find out what a file that turned up is a copy of, and whose.

    Parameters
    ----------
    path
        A bundle, or whatever zip holds its model; or factors alone, as safetensors or NumPy's ``.npy``.
    register
        What was packed for whom.

    Raises
    ------
    BundleInvalidError
        If the file holds no factors, or nothing was packed yet.
    """
    models: dict[tuple[str, tuple[str, ...]], list[Entry]] = {}
    for entry in register.entries():
        content = sha256_hex(register.unmarked(entry).tobytes())
        models.setdefault((content, entry.names), []).append(entry)
    if not models:
        raise BundleInvalidError(f"{register.folder} knows of no bundle; name the home that packed it: --home DIR")
    factors, names = _read(path)
    buyers = sorted({entry.buyer for entries in models.values() for entry in entries})
    leaks = []
    for entries in models.values():
        found = _held_against(factors, names, entries[0], register, buyers)
        theirs = [entry for entry in entries if entry.buyer == found.suspects[0].buyer]
        leaks.append(Leak((theirs or entries)[-1], found, len(models)))
    return min(leaks, key=lambda leak: (not leak.named, leak.found.unexplained))


def _held_against(
    factors: NDArray[Any], names: Sequence[str] | None, entry: Entry, register: Register, buyers: Sequence[str]
) -> Trace:
    places = {name: row for row, name in enumerate(entry.names)}
    known = [row for row, name in enumerate(names or ()) if name in places]
    original = register.unmarked(entry)
    if names is None or not known:
        return trace(factors, original, buyers, register.key)
    rows = np.array([places[names[row]] for row in known], dtype=np.int64)
    return trace(factors[known], original, buyers, register.key, rows=rows)


def _read(path: Path) -> tuple[NDArray[Any], list[str] | None]:
    """Read factors, and the artists' names if they are there."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise BundleInvalidError(
                f"{path.name} has more than {MAX_BYTES:,} bytes; it is no bundle, nor a part of one"
            )
        if zipfile.is_zipfile(path):
            return _from_zip(path)
        if path.suffix == ".npy":
            return _matrix({"": np.load(path, allow_pickle=False)}), None
        return _matrix(load(path.read_bytes())), None
    except _NO_FACTORS as error:
        raise BundleInvalidError(
            f"no factors can be read from {path.name} ({error}); give a bundle, a safetensors file or an .npy file"
        ) from error


def _from_zip(path: Path) -> tuple[NDArray[Any], list[str] | None]:
    with zipfile.ZipFile(path) as file:
        factors = _matrix(load(_entry(file, MODEL)))
        try:
            names = json.loads(_entry(file, ARTISTS))["artists"]
        except (KeyError, TypeError, ValueError):
            return factors, None
    fits = isinstance(names, list) and len(names) == len(factors) and all(isinstance(one, str) for one in names)
    return factors, names if fits else None


def _entry(file: zipfile.ZipFile, name: str) -> bytes:
    with file.open(name) as entry:
        data = entry.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise ValueError(f"{name} has more than {MAX_BYTES:,} bytes")
    return data


def _matrix(tensors: dict[str, NDArray[Any]]) -> NDArray[Any]:
    """Take the artists' factors, or else the largest matrix there is."""
    matrices = {name: one for name, one in tensors.items() if one.ndim == 2 and one.dtype.kind in "fiu" and one.size}  # noqa: PLR2004 - artists and factors
    if not matrices:
        raise ValueError("there is no matrix of numbers in it")
    return matrices.get(_FACTORS, max(matrices.values(), key=lambda one: one.size))
