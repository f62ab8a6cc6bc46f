"""Opening a bundle: every check in order, and a :class:`SampleModel` only if all hold.

Nothing in a bundle is executed, and nothing is written but copies of its entries in a temporary folder, for
model-signing to look at. Until the seal is checked, no more is read of it than a zip's headers and the manifest; after
that the model is still looked at as if a stranger had made it, since a seal says who made it and not that it is sound.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from recsys.bundle import archive
from recsys.bundle.contents import (
    ARTISTS,
    CARD,
    DOCUMENTS,
    MANIFEST,
    MAX_TEXT_BYTES,
    MODEL,
    NAMES,
    SCRIPT,
    SIGNATURE,
    TERMS,
    Manifest,
    listed,
)
from recsys.bundle.evidence import check_evidence
from recsys.bundle.model import ReadModel, read_model
from recsys.bundle.sample import _OPENED, SampleModel
from recsys.bundle.seal import SealPublic, check_seal
from recsys.bundle.terms import Terms
from recsys.canonical import parse_json
from recsys.errors import BundleInvalidError
from recsys.transparency import VerifyKey
from recsys.verdict import Check, Checks, Verdict


@dataclass
class _Opened:
    """What is known of a bundle so far."""

    path: Path
    key: SealPublic
    at: datetime
    operator: VerifyKey | None
    entries: dict[str, bytes] = field(default_factory=dict)
    documents: dict[str, Any] = field(default_factory=dict)
    manifest: Manifest = field(init=False)
    terms: Terms = field(init=False)
    model: ReadModel = field(init=False)


def open_sample(path: Path, key: Path | SealPublic, *, at: datetime, operator: VerifyKey | None = None) -> SampleModel:
    """Open a bundle, having checked everything about it.

    Parameters
    ----------
    path
        The file.
    key
        The seal's public key (PEM), from wherever you trust it; not from the bundle.
    at
        The instant at which the terms must hold.
    operator
        The collective's public key, if you know it from elsewhere.

    Raises
    ------
    SignatureInvalidError
        If somebody else sealed it, or a signature in it does not hold.
    BundleInvalidError
        If it is damaged or hostile, or is not what its manifest says.
    TermsInvalidError
        If its terms have run out.
    """
    opened = _begin(path, key, at, operator)
    made = tuple(Check(name, True, look(opened)) for name, look in _STEPS)
    model = opened.model
    return SampleModel(
        _OPENED,
        named=model.named,
        manifest=opened.manifest,
        terms=opened.terms,
        card=opened.entries[CARD].decode(),
        documents={name.removesuffix(".json"): opened.documents[name] for name in DOCUMENTS},
        listeners=model.listeners,
        aliases=model.aliases,
        verdict=Verdict(_subject(path), made),
    )


def check(path: Path, key: Path | SealPublic, *, at: datetime, operator: VerifyKey | None = None) -> Verdict:
    """Check a bundle, and say of each check whether it holds; parameters as :func:`open_sample` has them.

    Raises
    ------
    SignatureInvalidError
        If the key itself cannot be read or is of another kind.
    """
    opened, checks = _begin(path, key, at, operator), Checks()
    for name, look in _STEPS:
        first = [check.name for check in checks if check.holds is False and check.name in _NEEDED]
        checks.look(name, lambda look=look: look(opened), needs=first)  # type: ignore[misc] # bound at once
    return Verdict(_subject(path), tuple(checks))


def _begin(path: Path, key: Path | SealPublic, at: datetime, operator: VerifyKey | None) -> _Opened:
    return _Opened(path, key if isinstance(key, SealPublic) else SealPublic.load(key), at, operator)


def _subject(path: Path) -> str:
    return f"bundle {path.name}"


def _file(opened: _Opened) -> str:
    opened.entries = archive.read_file(opened.path)
    size = sum(map(len, opened.entries.values()))
    return f"one plain zip of {len(opened.entries)} entries and {size:,} bytes, and not a byte besides"


def _manifest(opened: _Opened) -> str:
    entries = opened.entries
    if MANIFEST not in entries:
        raise BundleInvalidError(f"{MANIFEST} is missing: this is some other zip, or a part of a bundle")
    opened.manifest = manifest = Manifest.from_bytes(entries[MANIFEST][:MAX_TEXT_BYTES])
    for what, odd in (("missing", NAMES - set(entries)), ("one too many", set(entries) - NAMES)):
        if odd:
            raise BundleInvalidError(f"{', '.join(sorted(odd))} is {what}; ask for the bundle again")
    found = listed({name: entries[name] for name in manifest.files})
    changed = sorted(name for name, about in found.items() if about != dict(manifest.files[name]))
    if changed:
        raise BundleInvalidError(f"{', '.join(changed)} was changed: its bytes are not those that the manifest names")
    large = sorted(name for name in entries if name != MODEL and len(entries[name]) > MAX_TEXT_BYTES)
    if large:
        raise BundleInvalidError(f"{large[0]} has {len(entries[large[0]]):,} bytes, far more than it can need")
    return (
        f"{manifest.digest[:12]}, a {manifest.kind} for {manifest.buyer}; all {len(found)} files are as it names them"
    )


def _seal(opened: _Opened) -> str:
    entries = {name: body for name, body in opened.entries.items() if name != SIGNATURE}
    check_seal(entries, opened.entries[SIGNATURE], opened.key)
    return f"key {opened.key.id[:12]}, the one that you gave, signed every file (checked by model-signing)"


def _documents(opened: _Opened) -> str:
    for name in (TERMS, *DOCUMENTS):
        try:
            opened.documents[name] = parse_json(opened.entries[name])
        except ValueError as error:
            raise BundleInvalidError(f"{name} is no JSON: {error}") from error
        if not isinstance(opened.documents[name], dict):
            raise BundleInvalidError(f"{name} holds a {type(opened.documents[name]).__name__}; expected an object")
    for name in (CARD, SCRIPT):
        try:
            opened.entries[name].decode()
        except UnicodeDecodeError as error:
            raise BundleInvalidError(f"{name} is no text in UTF-8: {error}") from error
    return f"{', '.join(sorted(opened.documents))} can be read; nothing in them was executed"


def _terms(opened: _Opened) -> str:
    terms, manifest = Terms.from_odrl(opened.documents[TERMS]), opened.manifest
    if (terms.kind, terms.buyer) != (manifest.kind, manifest.buyer):
        raise BundleInvalidError(
            "the terms are for another buyer, or of another kind of bundle, than the manifest says"
        )
    opened.terms = terms
    return f"{terms.buyer} may use it for: {terms.purpose}"


def _expiry(opened: _Opened) -> str:
    opened.terms.refuse_expired(opened.at)
    days = (opened.terms.expires - opened.at.astimezone(UTC).date()).days
    return f"it may be used before {opened.terms.expires}: {days:,} more days"


def _model(opened: _Opened) -> str:
    opened.model = read = read_model(opened.entries[MODEL], opened.entries[ARTISTS])
    named = read.named
    shape = f"{len(named.artists):,} artists with {named.model.factors} factors"
    return f"{shape}, all finite numbers; the Gram matrix is theirs; no listener's factors are in it"


def _evidence(opened: _Opened) -> str:
    told = opened.documents["evidence.json"]
    return check_evidence(told, opened.manifest, opened.terms, seal=opened.key, operator=opened.operator)


_STEPS: tuple[tuple[str, Callable[[_Opened], str]], ...] = (
    ("file", _file),
    ("manifest", _manifest),
    ("seal", _seal),
    ("documents", _documents),
    ("terms", _terms),
    ("expiry", _expiry),
    ("model", _model),
    ("consent", _evidence),
)
_NEEDED = {"file", "manifest", "seal", "documents", "terms"}
"""Checks without which those after them mean nothing."""
