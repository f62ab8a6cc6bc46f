"""What a dataset version says of itself, and the digest that seals it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from recsys import __version__
from recsys.canonical import canonical_json, sha256_hex
from recsys.errors import VersionBrokenError

FORMAT = "recsys-dataset/2"
CONSENTED = "consented"
PUBLIC_BENCHMARK = "public-benchmark"
QUERIED = "queried"
FIRST = "1.0.0"
"""Number of the first version of a line."""


def line_of(purpose: str | None, recipient: str | None = None) -> str:
    """Name the line of versions for a purpose; for a buyer by the SHA-256 of the name, since lines name files."""
    line = f"{CONSENTED}-{purpose}"
    return f"{line}-{sha256_hex(recipient.encode())[:16]}" if recipient else line


@dataclass(frozen=True)
class Manifest:
    """The facts of a dataset version; its canonical JSON (RFC 8785) is what the digest names.

    Attributes
    ----------
    version
        Semantic version of the line, derived from comparing with the parent (:mod:`recsys.dataset.change`).
    provenance
        ``"consented"``, ``"public-benchmark"``, or ``"queried"``: others asked the members.
    purpose
        What the members agreed to; ``None`` where no ledger of ours was asked.
    recipient
        The buyer that the members agreed to, where the purpose names one.
    at
        The instant for which consent was asked (UTC text); ``None`` for a benchmark.
    ledger
        ``count`` and ``hash`` of the consent ledger's head at the build; ``None`` for a benchmark.
    parent
        Digest of the version before this one on the same line, or ``None``.
    change
        What came, went or changed since the parent, by number; ``None`` for the first version.
    artists
        ``count`` and ``hash`` of the artists' registry at the build, and how it was read; ``None`` if it was not asked.
    rules
        What counts and what is left out.
    counts
        Members, artists, pairs, plays, milliseconds, contributions; members and plays by source; and how much was
        refused or left out, by reason.
    period
        First and last month in which at least five members listened; ``None`` if no file tells the time.
    content
        SHA-256 of each part: ``members``, ``artists``, ``pairs``, ``spellings``, ``contributions``.
    source
        For a benchmark: its name and the SHA-256 of each file it was read from. For an answer: what is known of the
        query.
    code
        The version of this package that built it.
    """

    provenance: str
    purpose: str | None
    at: str | None
    ledger: Mapping[str, Any] | None
    parent: str | None
    rules: Mapping[str, Any]
    counts: Mapping[str, Any]
    content: Mapping[str, str]
    source: Mapping[str, Any] | None = None
    recipient: str | None = None
    version: str = FIRST
    change: Mapping[str, int] | None = None
    artists: Mapping[str, Any] | None = None
    period: Mapping[str, str] | None = None
    code: str = __version__
    format: str = FORMAT

    def to_bytes(self) -> bytes:
        """Write the manifest as canonical JSON."""
        return canonical_json(asdict(self))

    @property
    def digest(self) -> str:
        """SHA-256 of the manifest: the name of the version, 64 hex digits."""
        return sha256_hex(self.to_bytes())

    @property
    def line(self) -> str:
        """The line of versions that this one belongs to; each line has a latest version of its own."""
        if self.source is not None:
            return f"{self.provenance}-{self.source['name']}"
        return line_of(self.purpose, self.recipient)

    @classmethod
    def from_bytes(cls, data: bytes) -> Manifest:
        """Read a manifest back.

        Raises
        ------
        VersionBrokenError
            If the bytes are not a manifest of this format.
        """
        try:
            fields = json.loads(data)
            if fields["format"] != FORMAT:
                raise VersionBrokenError(
                    f"the manifest's format is {fields['format']!r}; this recsys reads {FORMAT!r}: use the recsys that "
                    "wrote it, or move its folder and datasets/latest away and build the version again"
                )
            return cls(**fields)
        except (ValueError, TypeError, KeyError) as error:
            raise VersionBrokenError(f"manifest.json is not a dataset manifest: {error}") from error

    def same_data_as(self, other: Manifest) -> bool:
        """Tell whether nothing but the asking differs: data, rules, ledger and registry are those of `other`."""
        apart = {"parent": None, "at": None, "version": None, "change": None}
        return {**asdict(self), **apart} == {**asdict(other), **apart}
