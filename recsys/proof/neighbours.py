"""Members whose histories are too alike: locality-sensitive hashing over the sketches of a pool.

Signatures that agree in all rows of one band are a pair to look at (Leskovec et al., Mining of Massive Datasets, 3.4);
only such pairs are compared. Bands are sorted arrays, 8 bytes a member, one band at a time: a table of buckets as
`datasketch.MinHashLSH` keeps it takes some 30 kB a member.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recsys.proof.history import mixed
from recsys.proof.parts import rising
from recsys.proof.sketch import LEAST_TOKENS, VIEWS, Signatures, Sketch, View

_NEAREST_IN_BUCKET = 64

Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class Likeness:
    """How alike another member's history is.

    Attributes
    ----------
    other
        The other member.
    view
        Where they are most alike.
    shared
        What they share in that view: see :class:`recsys.proof.sketch.View`.
    overlap
        `shared` on a scale from 0, the most that honest listeners share, to 1, what only copies share.
    earlier
        Whether the other came first.
    """

    other: str
    view: str
    shared: float
    overlap: float
    earlier: bool


def likenesses(members: Sequence[str], sketches: Sequence[Sketch]) -> dict[str, list[Likeness]]:
    """Find for each member those whose histories are too alike, the most alike first.

    Parameters
    ----------
    members
        In the order in which they came.
    sketches
        Sketch r is of ``members[r]``.
    """
    best: dict[tuple[int, int], tuple[float, float, str]] = {}
    for place, view in enumerate(VIEWS):
        sizes = np.array([sketch.sizes[place] for sketch in sketches], np.int64)
        chosen = np.flatnonzero(sizes >= LEAST_TOKENS)
        if len(chosen) < 2:  # noqa: PLR2004 - a pair
            continue
        signatures = np.stack([sketches[row].signatures[place] for row in chosen.tolist()])
        first, second = _candidates(signatures, view)
        shared = _shared(signatures, sizes[chosen], first, second, view)
        for one, other, share in zip(chosen[first].tolist(), chosen[second].tolist(), shared.tolist(), strict=True):
            overlap = rising(share, view.honest, view.copied)
            if overlap > best.get((one, other), (0.0,))[0]:
                best[one, other] = overlap, share, view.name
    found: dict[str, list[Likeness]] = defaultdict(list)
    for (one, other), (overlap, share, name) in best.items():
        found[members[other]].append(Likeness(members[one], name, share, overlap, earlier=True))
        found[members[one]].append(Likeness(members[other], name, share, overlap, earlier=False))
    return {member: sorted(near, key=lambda like: (-like.overlap, like.other)) for member, near in found.items()}


def _candidates(signatures: Signatures, view: View) -> tuple[Numbers, Numbers]:
    """Give the pairs that share a bucket, the earlier member first, each pair once.

    In a bucket of very many, each is compared with the 64 before it: all of them are found, not all their pairs.
    """
    pairs = [np.zeros(0, np.int64)]
    for band in range(view.bands):
        bucket = np.zeros(len(signatures), np.uint64)
        for row in range(band * view.rows, (band + 1) * view.rows):
            bucket = mixed(bucket, signatures[:, row])
        order = np.argsort(bucket, kind="stable")
        ranked = bucket[order]
        for step in range(1, _NEAREST_IN_BUCKET + 1):
            same = np.flatnonzero(ranked[step:] == ranked[:-step])
            if not len(same):
                break
            pairs.append(order[same] * len(signatures) + order[same + step])
    once = np.unique(np.concatenate(pairs))
    return once // len(signatures), once % len(signatures)


def _shared(signatures: Signatures, sizes: Numbers, first: Numbers, second: Numbers, view: View) -> NDArray[np.float64]:
    agreeing = [(signatures[one] == signatures[other]).mean() for one, other in zip(first, second, strict=True)]
    jaccard = np.array(agreeing, np.float64)
    if not view.contained:
        return jaccard
    small, large = np.minimum(sizes[first], sizes[second]), np.maximum(sizes[first], sizes[second])
    return np.asarray(np.minimum(1.0, jaccard * (small + large) / ((1 + jaccard) * small)), np.float64)
