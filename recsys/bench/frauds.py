"""Which planted frauds the proof of contribution finds, and which honest members it accuses."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from recsys.bench.machine import circumstances
from recsys.bench.report import Column, Progress, Report, Row, silent
from recsys.canonical import Pseudonyms
from recsys.listens import Contributions, ingest
from recsys.proof import SCORERS, VALID_FROM, Proof, ProofStore, prove_members
from recsys.synthetic import NOW
from recsys.synthetic.frauds import Kind, Planted, make_pool, plan

_KEY_BYTES = 32

COPIES = {"partial", "year", "order", "totals"}
_SIGNS: Mapping[Kind, set[str]] = {
    Kind.SECOND_ACCOUNT: COPIES,
    Kind.SHUFFLED: COPIES,
    Kind.EDITED: COPIES,
    Kind.SHIFTED: COPIES,
    Kind.FARM: {"tracks"},
    Kind.BOT: {"gaps", "durations"},
    Kind.FULL_DAYS: {"day_hours", "overlap"},
    Kind.OVERLONG: {"track_length", "overlap"},
    Kind.STAMPED: {"stamps"},
    Kind.SLEEPLESS: {"nights"},
    Kind.PASTED: {"copied_blocks"},
    Kind.SPLIT: COPIES | {"tracks"},
}
"""For each kind of fraud: the measures that are there to find it."""

_COLUMNS = (
    Column("kind", "kind"),
    Column("planted", "planted", "{:,}".format),
    Column("found", "found", "{:,}".format),
    Column("recall", "recall", "{:.0%}".format),
    Column("precision", "precision", "{:.0%}".format),
    Column("by", "found by"),
)
_NOTES = (
    "found: the proof is not valid, since authenticity or uniqueness is below {:.1f}; recall: found / planted".format(
        VALID_FROM
    ),
    "precision: of all members whom the measures of this kind accuse, the share that are frauds of any kind",
    "one listener who splits listening over two accounts cannot be found: no play is told twice, and the two are as alike "
    "as honest twins in taste are",
    "a history that is made up well enough to obey every measure is not found either, and none is planted",
)


def run(
    members: int = 2_000,
    *,
    seed: int = 0,
    date: str = "",
    out: Path | None = None,
    progress: Progress = silent,
    workers: int = 0,
) -> Report:
    """Plant frauds in a pool, take it in as exports, prove every contribution, and count.

    Parameters
    ----------
    members
        Size of the pool; a hundredth of it is planted of each kind, a tenth are honest twins in taste.
    seed
        Decides the pool.
    date, out, progress
        As in :func:`recsys.bench.als.run`.
    workers
        Processes; 0 means as many as this process may use cores.

    Raises
    ------
    ConfigError
        If the pool is too small to hide frauds in.
    """
    people = plan(members, seed)
    with TemporaryDirectory() as folder:
        progress(f"making {members:,} exports")
        make_pool(Path(folder), people, seed=seed, workers=workers)
        proofs = _proofs(Path(folder), people, progress, workers)
    about = circumstances([], workers or len(os.sched_getaffinity(0)), date) | {"members": members, "seed": seed}
    notes = [*_NOTES, _likeness(people, proofs)]
    return Report("Planted frauds, and what finds them", about, _COLUMNS, _table(people, proofs), notes).saved(
        out, "frauds"
    )


def _proofs(folder: Path, people: Sequence[Planted], progress: Progress, workers: int) -> dict[int, Proof]:
    """Take the pool in, the honest first, and prove every contribution."""
    names = Pseudonyms(bytes(_KEY_BYTES))
    store = ProofStore(folder / "home" / "proof", Contributions(folder / "home" / "contributions"))
    for room in ("early", "late"):
        progress(f"reading and sketching: {room}")
        ingest(folder / room, store.contributions, names, workers=workers)
        store.refresh(workers=workers)
    progress("proving")
    index = {names.of(member.name): member.index for member in people}
    proved = prove_members(store, at=NOW, scorer=SCORERS["measured"], workers=workers)
    return {index[member]: proof for member, proof in proved}


def signs(proof: Proof) -> set[str]:
    """Name the measures that alone would make a proof invalid."""
    parts = proof.attributes["authenticity"].items()
    found = {name for name, part in parts if part["value"] is not None and part["value"] < VALID_FROM}
    alike = proof.attributes["uniqueness"]["like"]
    return found | {like["view"] for like in alike if 1 - like["overlap"] < VALID_FROM}
