"""All that the cards of a bundle may say: gathered while packing, so that nobody types a fact into a card."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from recsys.dataset.card import Facts


@dataclass(frozen=True)
class BundleFacts:
    """What is known of a bundle when its cards are written.

    Attributes
    ----------
    kind
        ``"sample"`` or ``"full"``.
    buyer
        Whom the bundle is made for.
    run
        The tracked run that trained the model.
    packed_at
        When it was packed, as :func:`recsys.canonical.utc_text` writes it.
    code
        Version of recsys that packed it.
    n_artists, factors
        Shape of the artists' factors in the bundle.
    dtype
        Their type, ``"float16"`` or ``"float32"``.
    confidence
        How plays become weights: a :data:`recsys.models.Kind`.
    neighbours
        Whether likenesses of artists are in the bundle beside the factors.
    params
        The run's settings, by name.
    terms
        The terms as plain values: ``Terms.as_dict()``.
    scores
        ``"sample"``, ``"full"`` and ``"popularity"``: each as ``Scores.as_dict()`` gives it, on the same test
        listeners; ``"weaker"``: what the sample lost against the full model, by metric, each
        ``{"mean", "low", "high"}`` (full less sample). Any but ``"sample"`` may be missing.
    evidence
        The bundle's ``evidence.json``.
    privacy
        The bundle's ``privacy.json``: ``PrivacyAudit.as_dict()``.
    dataset
        The facts of the dataset version, as its own cards tell them.
    weaknesses
        What the model is bad at, in sentences: :func:`recsys.report.weaknesses` of the model in the bundle.
    files
        SHA-256 of the bundle's other files, by name, as far as they are known before the cards.
    """

    kind: str
    buyer: str
    run: str
    packed_at: str
    code: str
    n_artists: int
    factors: int
    dtype: str
    confidence: str
    neighbours: bool
    params: Mapping[str, Any]
    terms: Mapping[str, Any]
    scores: Mapping[str, Any]
    evidence: Mapping[str, Any]
    privacy: Mapping[str, Any]
    dataset: Facts
    weaknesses: tuple[str, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
