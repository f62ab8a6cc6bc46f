"""What is in a bundle: the names of its entries, how large each may be, and the manifest that names their bytes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from recsys.canonical import canonical_json, parse_json, sha256_hex
from recsys.errors import BundleInvalidError

FORMAT = "recsys-bundle/1"
SUFFIX = ".recsys"

MANIFEST = "manifest.json"
MODEL = "model.safetensors"
ARTISTS = "artists.json"
CARD = "README.md"
SCORES = "scores.json"
EVIDENCE = "evidence.json"
DATASET_CARD = "dataset_card.json"
SUMMARY = "training_summary.json"
BOM = "bom.json"
PRIVACY = "privacy.json"
TERMS = "terms.json"
SCRIPT = "run_without_recsys.py"
SIGNATURE = "model.sig"

DOCUMENTS = (SCORES, EVIDENCE, DATASET_CARD, SUMMARY, BOM, PRIVACY)
"""JSON that a buyer reads; a :class:`~recsys.bundle.sample.SampleModel` gives it by name without ``.json``."""

NAMES = frozenset({MANIFEST, MODEL, ARTISTS, CARD, TERMS, SCRIPT, SIGNATURE, *DOCUMENTS})
"""Every entry of a bundle: all are there, and nothing else."""

MAX_BYTES = 1 << 30
"""Size of a bundle: 160,000 artists with 1,024 factors in single precision have two thirds of it."""

MAX_TEXT_BYTES = 64 << 20
"""Size of any entry but the model."""

_SHA256 = re.compile(r"[0-9a-f]{64}")
_RUN = re.compile(r"[0-9A-Za-z]{1,64}")


@dataclass(frozen=True)
class Manifest:
    """What a bundle is, and the SHA-256 of every entry but itself and the signature.

    Parameters
    ----------
    kind, buyer
        As in :class:`~recsys.bundle.terms.Terms`.
    run
        The training run that the model is of.
    dataset_version
        Digest of the dataset version.
    packed_at
        When (UTC text).
    files
        For each entry ``sha256`` and ``bytes``.
    format
        How to read the bundle.
    """

    kind: str
    buyer: str
    run: str
    dataset_version: str
    packed_at: str
    files: Mapping[str, Mapping[str, Any]]
    format: str = FORMAT

    def to_bytes(self) -> bytes:
        """Write it as canonical JSON."""
        return canonical_json(asdict(self))

    @property
    def digest(self) -> str:
        """SHA-256 of the manifest: the name of the bundle, 64 hex digits, which licences name."""
        return sha256_hex(self.to_bytes())

    @classmethod
    def from_bytes(cls, data: bytes) -> Manifest:
        """Read a manifest back.

        Raises
        ------
        BundleInvalidError
            If it is of another format, or is none.
        """
        try:
            told = parse_json(data)
            found = told["format"]
            if found != FORMAT:
                raise BundleInvalidError(
                    f"the bundle's format is {str(found)[:80]!r}; this recsys reads {FORMAT!r}: "
                    "take the recsys of its time, or ask for a new bundle"
                )
            manifest = cls(**told)
            whole = manifest.to_bytes() == data
        except (ValueError, TypeError, KeyError) as error:
            raise BundleInvalidError(f"{MANIFEST} is not a bundle's manifest: {error!r}") from error
        if not whole:
            raise BundleInvalidError(f"{MANIFEST} is not in its one form (RFC 8785)")
        _check(manifest)
        return manifest


def listed(entries: Mapping[str, bytes]) -> dict[str, dict[str, Any]]:
    """List entries as a manifest does."""
    return {name: {"sha256": sha256_hex(data), "bytes": len(data)} for name, data in entries.items()}


def _check(manifest: Manifest) -> None:
    texts = (manifest.kind, manifest.buyer, manifest.run, manifest.dataset_version, manifest.packed_at)
    if not all(isinstance(text, str) for text in texts) or not isinstance(manifest.files, Mapping):
        raise BundleInvalidError(f"{MANIFEST} holds something else than texts and a list of files")
    if not _SHA256.fullmatch(manifest.dataset_version) or not _RUN.fullmatch(manifest.run):
        raise BundleInvalidError(f"{MANIFEST} names no run or no dataset version")
    for name, told in manifest.files.items():
        if not isinstance(told, Mapping) or set(told) != {"sha256", "bytes"}:
            raise BundleInvalidError(f"{MANIFEST} does not give SHA-256 and size of {name!r}")
    if set(manifest.files) != NAMES - {MANIFEST, SIGNATURE}:
        odd = sorted(set(manifest.files) ^ (NAMES - {MANIFEST, SIGNATURE}))
        raise BundleInvalidError(f"{MANIFEST} lists other files than a bundle has: {', '.join(odd)[:200]}")
