"""Packing: from a finished run to one sealed file, or a refusal that says why."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from recsys import __version__
from recsys.als import ALSModel
from recsys.bundle import archive
from recsys.bundle.cards import failings, render
from recsys.bundle.contents import (
    DATASET_CARD,
    EVIDENCE,
    MANIFEST,
    PRIVACY,
    SCORES,
    SIGNATURE,
    TERMS,
    Manifest,
    listed,
)
from recsys.bundle.evidence import evidence
from recsys.bundle.facts import BundleFacts
from recsys.bundle.figures import figures
from recsys.bundle.gate import Cleared, clear
from recsys.bundle.model import model_entries
from recsys.bundle.register import Register
from recsys.bundle.seal import SealKey, check_seal, seal
from recsys.bundle.terms import Terms
from recsys.bundle.watermark import mark
from recsys.bundle.weaken import Shared, weaken
from recsys.canonical import atomic_path, canonical_json, utc_text
from recsys.dataset import DatasetVersion
from recsys.dataset.card import FORMATS, gather
from recsys.dataset.card import render as dataset_cards
from recsys.errors import ConfigError
from recsys.evaluation import Split
from recsys.experiment import METRICS, Experiment
from recsys.experiment.run import split_of
from recsys.home import Home
from recsys.privacy import Limits, PrivacyAudit, audit
from recsys.tracking import FinishedRun, Tracker
from recsys.transparency import Envelope

Progress = Callable[[int, int, str], None]
_STEPS = ("asking the ledger", "weakening", "measuring", "trying attacks", "writing cards", "sealing")


@dataclass(frozen=True, eq=False)
class Packed:
    """A bundle that was packed.

    Attributes
    ----------
    path
        The file.
    manifest
        What it is; its ``digest`` names the bundle.
    terms
        What it may be used for.
    scores, privacy
        What was measured: the bundle's ``scores.json`` and ``privacy.json``.
    seal_id
        Name of the key that sealed it.
    """

    path: Path
    manifest: Manifest
    terms: Terms
    scores: Mapping[str, Any]
    privacy: Mapping[str, Any]
    seal_id: str

    @property
    def digest(self) -> str:
        """The bundle's name."""
        return self.manifest.digest

    @property
    def weaker(self) -> bool:
        """Whether it is measurably weaker than the full model, by the first of the metrics."""
        return bool(self.scores["weaker"][METRICS[0].name]["low"] > 0)

    def as_dict(self) -> dict[str, Any]:
        """Give it as plain values for JSON."""
        return {
            "path": str(self.path),
            "digest": self.digest,
            "manifest": json.loads(self.manifest.to_bytes()),
            "terms": self.terms.as_dict(),
            "scores": dict(self.scores),
            "privacy": dict(self.privacy),
            "seal": self.seal_id,
            "measurably_weaker": self.weaker,
        }


def pack(
    home: Home,
    run_id: str | None,
    terms: Terms,
    out: Path,
    *,
    at: datetime,
    approval: Envelope | None = None,
    progress: Progress | None = None,
) -> Packed:
    """Pack what the terms let out of a run into one sealed file; the same inputs give the same bytes.

    Parameters
    ----------
    home
        The collective.
    run_id
        The run; the latest finished one if ``None``.
    terms
        For whom, for what, until when, and how much of the model.
    out
        The file, which appears whole or not at all.
    at
        The instant for which members' consent is asked, and at which the bundle is packed.
    approval
        The members' approval, where the terms need one.
    progress
        Called with (steps done, steps in all, the next step).

    Raises
    ------
    NotForSaleError, VersionWithdrawnError, TermsInvalidError, SignatureInvalidError
        As :func:`recsys.bundle.gate.clear` says.
    LeakError
        If the model tells more about its members than the terms allow.
    """
    told = progress or (lambda _done, _total, _note: None)
    steps = iter(range(len(_STEPS)))

    def step() -> None:
        number = next(steps)
        told(number, len(_STEPS), _STEPS[number])

    if out.is_dir():
        raise ConfigError(f"{out} is a folder; name the file to write, for example sample.recsys")
    step()
    run = Tracker(home.path).find(run_id)
    cleared = clear(home, run, terms, at=at, approval=approval)
    experiment = Experiment.of_run(run.params)
    split = split_of(run, cleared.version)
    step()
    register = Register.at(home.path)
    shared = _marked(_spelt(weaken(cleared.named, split.train, terms), cleared.version, terms), terms, register)
    step()
    scores = figures(cleared.named, shared, split, experiment)
    step()
    privacy = _audited(shared, split, terms)
    step()
    weak = failings(shared.named, split, shared.kept)
    scores["touches"]["sample"] += 1  # to find its failings, the same listeners are asked again
    entries = _entries(home, run, cleared, terms, shared, scores=scores, privacy=privacy, weaknesses=weak, at=at)
    step()
    return _sealed(home, run, terms, shared, entries, scores=scores, privacy=privacy, at=at, out=out)


def _spelt(shared: Shared, version: DatasetVersion, terms: Terms) -> Shared:
    """Add other spellings that enough members use."""
    names = set(shared.named.artists.names)
    aliases = {
        row.spelling: row.artist
        for row in version.collisions()
        if row.artist in names and row.spelling not in names and row.members >= terms.min_listeners
    }
    return replace(shared, aliases={spelling: aliases[spelling] for spelling in sorted(aliases)})


def _marked(shared: Shared, terms: Terms, register: Register) -> Shared:
    """Put the buyer's mark into the factors, which changes no recommendation."""
    factors, gram = mark(shared.factors, shared.gram, terms.buyer, register.key)
    model = ALSModel(shared.named.model.user_factors, factors.astype(np.float32), shared.named.model.objective)
    return replace(shared, factors=factors, gram=gram, named=replace(shared.named, model=model))


def _audited(shared: Shared, split: Split, terms: Terms) -> PrivacyAudit:
    """Try attacks on what is shared; refuse what tells too much."""
    found = audit(shared.named, split.train[:, shared.kept], split.held_out[:, shared.kept])
    limits = terms.limits
    found.refuse(
        Limits(
            max_membership_auc=limits.max_membership_auc,
            max_tpr_at_1pct_fpr=limits.max_tpr_at_1pct_fpr,
            min_listeners=terms.min_listeners,
            max_unicity=limits.max_unicity,
        )
    )
    return found


def _entries(
    home: Home,
    run: FinishedRun,
    cleared: Cleared,
    terms: Terms,
    shared: Shared,
    *,
    scores: Mapping[str, Any],
    privacy: PrivacyAudit,
    weaknesses: tuple[str, ...],
    at: datetime,
) -> dict[str, bytes]:
    """Write every entry but the manifest and the seal."""
    card_facts = gather(home.datasets, cleared.version.digest, home.collective)
    files = {
        **model_entries(shared),
        TERMS: canonical_json(terms.odrl(home.operator.public.did)),
        SCORES: canonical_json(dict(scores)),
        PRIVACY: canonical_json(privacy.as_dict()),
        DATASET_CARD: dataset_cards(card_facts, ["croissant"])[FORMATS["croissant"][0]],
    }
    seal_key = SealKey.at(home.seal_key).public
    told = evidence(home, cleared, run=run.id, packed_at=utc_text(at), files=files, seal=seal_key)
    files[EVIDENCE] = canonical_json(told)
    facts = BundleFacts(
        kind=terms.kind,
        buyer=terms.buyer,
        run=run.id,
        packed_at=utc_text(at),
        code=__version__,
        n_artists=len(shared.kept),
        factors=shared.named.model.factors,
        dtype=str(shared.factors.dtype),
        confidence=shared.named.weighting.kind,
        neighbours=shared.named.beside is not None,
        params=dict(run.params),
        terms=terms.as_dict(),
        scores=scores,
        evidence=told,
        privacy=privacy.as_dict(),
        dataset=card_facts,
        weaknesses=weaknesses,
        files={name: about["sha256"] for name, about in listed(files).items()},
    )
    return files | render(facts)


def _sealed(
    home: Home,
    run: FinishedRun,
    terms: Terms,
    shared: Shared,
    entries: dict[str, bytes],
    *,
    scores: Mapping[str, Any],
    privacy: PrivacyAudit,
    at: datetime,
    out: Path,
) -> Packed:
    """Write the manifest, seal, write the file, and note in the register what was packed for whom."""
    manifest = Manifest(terms.kind, terms.buyer, run.id, run.dataset_digest, utc_text(at), listed(entries))
    entries = {**entries, MANIFEST: manifest.to_bytes()}
    key = SealKey.at(home.seal_key)
    signature = seal(entries, key)
    check_seal(entries, signature, key.public)
    Register.at(home.path).enter(
        manifest.digest,
        buyer=terms.buyer,
        run=run.id,
        packed_at=utc_text(at),
        names=shared.named.artists.names,
        factors=shared.factors,
    )
    with atomic_path(out) as partial, partial.open("wb") as file:
        for piece in archive.pieces({**entries, SIGNATURE: signature}):
            file.write(piece)
    return Packed(out, manifest, terms, scores, privacy.as_dict(), key.public.id)
