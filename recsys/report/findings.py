"""What there is to say of a model, in figures, before anybody lays it out.

Everything is measured on held-out listeners, and nothing tells of one of them: figures are means over groups, and the
examples start from well-known artists, not from anybody's history.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recsys.evaluation import (
    STANDARD,
    Fame,
    Lists,
    LongTail,
    Miscalibration,
    Novelty,
    Popular,
    Popularity,
    Scores,
    Split,
    ask,
    by_segment,
    catalogue,
    measure,
    segments,
)
from recsys.named import NamedModel

_LONGEST = 100
_SHOWN = 20
_EXAMPLES, _LIKED, _LISTED, _REASONS = 4, 3, 5, 2
_WELL_KNOWN = 200

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Example:
    """Somebody who likes a few well-known artists, what they are recommended, and which of the liked speak for it."""

    liked: tuple[str, ...]
    listed: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, eq=False)
class Findings:
    """What was found of a model and of popularity, on the same held-out listeners.

    Attributes
    ----------
    finding, popularity
        What lists find.
    character, popular_character
        What lists are like, and what the catalogue sees of them.
    segments
        By group of listeners: the model's figures and popularity's.
    exposure
        Artists in the order of their listeners, best known first: the share of all listening and of all
        recommendations that the first of them have; each of shape (artists + 1,).
    examples
        A few.
    losses
        Training loss after each sweep.
    """

    finding: Scores
    popularity: Scores
    character: dict[str, float]
    popular_character: dict[str, float]
    segments: dict[str, tuple[Scores, Scores]]
    exposure: dict[str, Floats]
    examples: tuple[Example, ...]
    losses: tuple[float, ...]


def find(named: NamedModel, split: Split, *, losses: tuple[float, ...] = ()) -> Findings:
    """Look at a model from all sides.

    Parameters
    ----------
    named
        The model, with the names of its artists.
    split
        Whom it was trained on and who is held out, with their plays.
    losses
        Training loss after each sweep, if it is known.
    """
    fame = Fame.among(split.train)
    ours = ask(named.recommender, split, _LONGEST)
    popular = ask(Popularity(split.train), split, _LONGEST)
    finding, baseline = (measure(lists, STANDARD) for lists in (ours, popular))
    groups = segments(ours, fame)
    ours_by, popular_by = by_segment(finding, groups), by_segment(baseline, groups)
    return Findings(
        finding,
        baseline,
        _character(ours, fame),
        _character(popular, fame),
        {name: (ours_by[name], popular_by[name]) for name in ours_by},
        {"listening": _lorenz(fame.listeners, fame), "recommendations": _lorenz(_times(ours), fame)},
        examples(named, fame),
        losses,
    )


def _character(lists: Lists, fame: Fame) -> dict[str, float]:
    kinds = (Popular, Novelty, LongTail, Miscalibration)
    means = {name: one.mean for name, one in measure(lists, [kind(_SHOWN, fame) for kind in kinds]).items()}
    return {**means, **catalogue(lists, _SHOWN)}


def _times(lists: Lists) -> NDArray[np.int64]:
    ids = lists.ids[:, :_SHOWN]
    return np.bincount(ids[ids >= 0], minlength=lists.n_items).astype(np.int64)


def _lorenz(counts: NDArray[np.int64], fame: Fame) -> Floats:
    ordered = counts[np.argsort(-fame.listeners, kind="stable")]
    return np.concatenate([[0.0], np.cumsum(ordered) / max(int(ordered.sum()), 1)])


def examples(named: NamedModel, fame: Fame) -> tuple[Example, ...]:
    """Make up listeners: each likes a well-known artist and those nearest to it; the first are far from one another."""
    known = np.argsort(-fame.listeners, kind="stable")[:_WELL_KNOWN]
    unit = named.model.item_factors[known].astype(np.float64)
    unit /= np.maximum(np.linalg.norm(unit, axis=1, keepdims=True), 1e-12)
    alike = unit @ unit.T
    firsts = [0]
    while len(firsts) < min(_EXAMPLES, len(known)):
        firsts.append(int(np.argmin(alike[firsts].max(axis=0))))
    tastes = [known[np.argsort(-alike[first], kind="stable")[:_LIKED]] for first in firsts]
    return tuple(_example(named, [named.artists.names[i] for i in taste.tolist()]) for taste in tastes)


def _example(named: NamedModel, liked: list[str]) -> Example:
    listed = []
    for artist, _ in named.recommend(liked, _LISTED).artists:
        parts = named.explain(liked, artist, _REASONS).artists
        listed.append((artist, tuple(reason for reason, part in parts if part > 0)))
    return Example(tuple(liked), tuple(listed))
