"""Proofs of many members: sketch, compare, prove."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from datetime import datetime
from functools import partial

from recsys.canonical import Pseudonym
from recsys.listens import Contributions
from recsys.parallel import in_processes
from recsys.proof.neighbours import likenesses
from recsys.proof.points import Scorer
from recsys.proof.prove import Circumstances, Proof, prove
from recsys.proof.store import Award, ProofStore, Sketched

Progress = Callable[[int, int], None]


def prove_members(
    store: ProofStore,
    *,
    at: datetime,
    scorer: Scorer,
    only: Collection[Pseudonym] | None = None,
    signed_by: Callable[[Pseudonym], str | None] | None = None,
    progress: Progress | None = None,
    workers: int = 0,
) -> Iterator[tuple[Pseudonym, Proof]]:
    """Prove contributions, in the order in which members came.

    The pool's sketches are brought up to date first. Members are read one at a time in each process.

    Parameters
    ----------
    store
        Sketches, awards and contributions.
    at
        When the proofs are made.
    scorer
        Turns figures into points.
    only
        Whose proofs are wanted; everybody's unless given. They are compared with everybody all the same.
    signed_by
        Gives the id of a member's key whose signature over the contributions was verified.
    progress
        Called with the number of members sketched and of those to sketch.
    workers
        Processes; 0 means as many as this process may use cores.
    """
    sketched = store.refresh(progress=progress, workers=workers)
    near = likenesses([one.member for one in sketched], [one.sketch for one in sketched])
    chosen = [one for one in sketched if only is None or one.member in only]
    comparable = sum(one.sketch.comparable for one in sketched)

    def circumstances(one: Sketched) -> Circumstances:
        return Circumstances(
            at=at,
            likenesses=near.get(one.member, ()),
            compared_with=comparable - 1 if one.sketch.comparable else 0,
            awards=store.awards(one.member),
            signed_by=signed_by(one.member) if signed_by else None,
        )

    tasks = [(one.member, circumstances(one)) for one in chosen]
    yield from in_processes(partial(_prove, store.contributions, scorer), tasks, workers=workers)


def award(store: ProofStore, member: Pseudonym, proof: Proof) -> None:
    """Record what a proof awards, so that the next one awards the difference only."""
    if proof.points:
        store.award(member, Award(proof.points, proof.metadata["at"], proof.metadata["scorer"]))


def _prove(
    contributions: Contributions, scorer: Scorer, task: tuple[Pseudonym, Circumstances]
) -> tuple[Pseudonym, Proof]:
    member, circumstances = task
    return member, prove(contributions.read(member), circumstances, scorer)
