"""The proof of a contribution: a document whose every figure is measured and explained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import numpy as np

from recsys import __version__
from recsys.canonical import utc_text
from recsys.listens import Listens
from recsys.proof.authenticity import authenticity_of, authenticity_parts
from recsys.proof.history import History
from recsys.proof.neighbours import Likeness
from recsys.proof.parts import Part, measured
from recsys.proof.points import FULL_SCORE, Figures, Measured, Scorer, differential
from recsys.proof.quality import artists_heard, days_spanned, minutes_heard, plays_told, quality_parts
from recsys.proof.store import Award

VALID_FROM = 0.5
"""A proof is valid if authenticity and uniqueness are at least this, and there is anything to prove."""

SIGNED = 0.5
NOT_PROVED = "that the account is the member's: no service signs what it exports"

_NEAREST_SHOWN = 5
_DIGITS = 4
_SHORT = 12


@dataclass(frozen=True)
class Proof:
    """What a contribution is worth; the document's keys are those of Vana's proof of contribution.

    Attributes
    ----------
    valid
        Whether it can be taken in: see :data:`VALID_FROM`.
    score
        What it is worth now, in [0, 1]: differential, after what was awarded before.
    authenticity, ownership, quality, uniqueness
        In [0, 1], with their parts in `attributes`.
    attributes
        All that was measured.
    metadata
        Whose, of what, when, by what.
    """

    valid: bool
    score: float
    authenticity: float
    ownership: float
    quality: float
    uniqueness: float
    attributes: Mapping[str, Any]
    metadata: Mapping[str, Any]

    def document(self) -> dict[str, Any]:
        """Give the proof as a JSON value."""
        return asdict(self)

    def doubts(self) -> list[str]:
        """Name the measures that alone would make the proof invalid, sorted."""
        parts = self.attributes["authenticity"].items()
        found = {name for name, part in parts if part["value"] is not None and part["value"] < VALID_FROM}
        alike = self.attributes["uniqueness"]["like"]
        return sorted(found | {like["view"] for like in alike if 1 - like["overlap"] < VALID_FROM})

    @property
    def points(self) -> int:
        """Points that are still to be awarded."""
        return int(self.attributes["differential_points"])


@dataclass(frozen=True)
class Circumstances:
    """What a proof has to know beside the listens.

    Attributes
    ----------
    at
        When it is made.
    likenesses
        Members whose histories are too alike.
    compared_with
        With how many members the history was compared; 0 where it holds too little to be compared.
    awards
        What the member was awarded before, by any table.
    signed_by
        Id of the member's key, if a signature by it over the contribution was verified.
    """

    at: datetime
    likenesses: Sequence[Likeness] = ()
    compared_with: int = 0
    awards: Sequence[Award] = ()
    signed_by: str | None = None


def prove(listens: Listens, circumstances: Circumstances, scorer: Scorer | None = None) -> Proof:
    """Measure a contribution. The order of its rows does not matter.

    Parameters
    ----------
    listens
        All that the member handed in.
    circumstances
        The rest.
    scorer
        Turns figures into points; :class:`recsys.proof.points.Measured` unless given.
    """
    history, scorer = History.of(listens.table), scorer or Measured()
    quality, authenticity = quality_parts(history), authenticity_parts(history)
    uniqueness, alike = _uniqueness(circumstances)
    figures = Figures(
        quality=float(np.mean(measured(quality))),
        authenticity=authenticity_of(authenticity) if len(history) else 0.0,
        uniqueness=uniqueness,
        ownership=SIGNED if circumstances.signed_by else 0.0,
    )
    points = scorer.score(history, figures)
    before = [award.points for award in circumstances.awards if award.scorer == scorer.name]
    valid = len(history) > 0 and min(figures.authenticity, figures.uniqueness) >= VALID_FROM
    now = differential(points.points, before) if valid else 0
    return Proof(
        valid=valid,
        score=round(min(1.0, now / FULL_SCORE), _DIGITS),
        **{name: round(figure, _DIGITS) for name, figure in asdict(figures).items()},
        attributes={
            **_facts(history, circumstances.awards),
            **points.attributes,
            "total_points": points.points,
            "differential_points": now,
            "quality": _documents(quality),
            "authenticity": _documents(authenticity),
            "uniqueness": alike,
            "ownership": {"signed_by": circumstances.signed_by, "not_proved": NOT_PROVED},
        },
        metadata={
            "member": str(listens.member),
            "exports": list(listens.exports),
            "at": utc_text(circumstances.at),
            "scorer": scorer.name,
            "version": __version__,
        },
    )


def _facts(history: History, awards: Sequence[Award]) -> dict[str, Any]:
    """Give the attributes that Unwrapped's document has too."""
    rewarded = sum(award.points > 0 for award in awards)
    return {
        "track_count": plays_told(history),
        "total_minutes": round(minutes_heard(history), 1),
        "unique_artists": artists_heard(history),
        "activity_period_days": days_spanned(history),
        "data_validated": len(history) > 0,
        "previously_contributed": bool(awards),
        "previously_rewarded": rewarded > 0,
        "times_rewarded": rewarded,
    }


def _uniqueness(circumstances: Circumstances) -> tuple[float, dict[str, Any]]:
    """Give uniqueness: what is left of 1 after the overlap with the most alike of those who came earlier.

    One half where nothing could be compared.
    """
    most = max((like.overlap for like in circumstances.likenesses if like.earlier), default=0.0)
    compared = circumstances.compared_with
    found = {
        "compared_with": compared,
        "like": [_shown(like) for like in circumstances.likenesses if like.earlier][:_NEAREST_SHOWN],
        "copied_by": [_shown(like) for like in circumstances.likenesses if not like.earlier][:_NEAREST_SHOWN],
    }
    return (1.0 - most if compared else 0.5), found


def _shown(like: Likeness) -> dict[str, Any]:
    return {
        "other": like.other[:_SHORT],
        "view": like.view,
        "shared": round(like.shared, 2),
        "overlap": round(like.overlap, 2),
    }


def _documents(parts: Mapping[str, Part]) -> dict[str, Any]:
    return {name: part.document() for name, part in parts.items()}
