"""Which accounts are one listener's, as far as what they handed in shows it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping

from recsys.canonical import Pseudonym
from recsys.proof import VALID_FROM, Likeness, ProofStore, likenesses

Groups = tuple[tuple[Pseudonym, ...], ...]
"""Accounts of one listener each, two or more, in the order in which they came."""


def same_listeners(
    proofs: ProofStore, *, progress: Callable[[int, int], None] | None = None, workers: int = 0
) -> Groups:
    """Find accounts whose contributions are so alike that the proof of the later one is not valid.

    It is the check that :mod:`recsys.proof` makes for points: less than :data:`recsys.proof.VALID_FROM` of a history is
    its own. Who handed nothing in is nobody's double.
    """
    sketched = proofs.refresh(progress=progress, workers=workers)
    order = [one.member for one in sketched]
    return grouped(order, likenesses(order, [one.sketch for one in sketched]))


def grouped(order: Iterable[Pseudonym], near: Mapping[str, Iterable[Likeness]]) -> Groups:
    """Join accounts to the earlier ones that they are like, and these to theirs."""
    first: dict[str, Pseudonym] = {}
    groups: dict[Pseudonym, list[Pseudonym]] = {}
    for member in order:
        alike = [one.other for one in near.get(member, ()) if one.earlier and 1 - one.overlap < VALID_FROM]
        heads = sorted({first[other] for other in alike}, key=list(groups).index)
        head = heads[0] if heads else member
        joined = groups.setdefault(head, [])
        for other in heads[1:]:
            joined += groups.pop(other)
        joined.append(member)
        first.update(dict.fromkeys(joined, head))
    place = {member: number for number, member in enumerate(first)}
    return tuple(tuple(sorted(group, key=place.__getitem__)) for group in groups.values() if len(group) > 1)


def doubles(groups: Groups, voters: Collection[Pseudonym]) -> dict[Pseudonym, Pseudonym]:
    """Name every voter who may not vote since an earlier account of the same listener may, and that account."""
    found: dict[Pseudonym, Pseudonym] = {}
    for group in groups:
        voting = [member for member in group if member in voters]
        found.update(dict.fromkeys(voting[1:], voting[0]) if voting else {})
    return found
