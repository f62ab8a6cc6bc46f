"""Which planted frauds the proof of contribution finds, and which honest members it accuses."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from recsys.bench.machine import circumstances
from recsys.bench.report import Column, Report, Row, silent
from recsys.canonical import Pseudonyms
from recsys.listens import Contributions, ingest
from recsys.proof import SCORERS, VALID_FROM, Proof, ProofStore, prove_members
from recsys.synthetic import NOW
from recsys.synthetic.frauds import Kind, Planted, make_pool, plan

_KEY_BYTES = 32

_COPIES = {"partial", "year", "order", "totals"}
_SIGNS: Mapping[Kind, set[str]] = {
    Kind.SECOND_ACCOUNT: _COPIES,
    Kind.SHUFFLED: _COPIES,
    Kind.EDITED: _COPIES,
    Kind.SHIFTED: _COPIES,
    Kind.FARM: {"tracks"},
    Kind.BOT: {"gaps", "durations"},
    Kind.FULL_DAYS: {"day_hours", "overlap"},
    Kind.OVERLONG: {"track_length", "overlap"},
    Kind.STAMPED: {"stamps"},
    Kind.SLEEPLESS: {"nights"},
    Kind.PASTED: {"copied_blocks"},
    Kind.SPLIT: _COPIES | {"tracks"},
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
    f"found: the proof is not valid, since authenticity or uniqueness is below {VALID_FROM}; recall: found / planted",
    "precision: of all members whom the measures of this kind accuse, the share that are frauds of any kind",
    "the first account of a farm comes before those that are like it, and so is not found",
    "a third of the pool hands in account data, which tell neither seconds nor which plays were broken off",
    "one listener who splits plays over two accounts cannot be found: no play is told twice, as between twins in taste",
    "a history made up well enough to obey every measure is not found either, and none is planted",
)


def run(
    members: int = 2_000,
    *,
    seed: int = 0,
    date: str = "",
    out: Path | None = None,
    progress: Callable[[str], object] = silent,
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
    notes = [*_NOTES, _honest_likeness(people, proofs)]
    return Report("Planted frauds, and what finds them", about, _COLUMNS, _table(people, proofs), notes).saved(
        out, "frauds"
    )


def _proofs(
    folder: Path, people: Sequence[Planted], progress: Callable[[str], object], workers: int
) -> dict[int, Proof]:
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


def _table(people: Sequence[Planted], proofs: Mapping[int, Proof]) -> list[Row]:
    accused = {index: set(proof.doubts()) for index, proof in proofs.items() if not proof.valid}
    kind_of = {member.index: member.kind for member in people}
    return [_row(kind, kind_of, accused) for kind in Kind]


def _row(kind: Kind, kind_of: Mapping[int, Kind], accused: Mapping[int, set[str]]) -> Row:
    planted = [index for index, other in kind_of.items() if other is kind]
    found = [index for index in planted if index in accused]
    by = Counter(sign for index in found for sign in accused[index])
    pointed_at = [index for index, found_by in accused.items() if found_by & _SIGNS.get(kind, set())]
    return {
        "kind": kind.value,
        "planted": len(planted),
        "found": len(found),
        "recall": None if kind.honest else len(found) / len(planted),
        "precision": sum(not kind_of[index].honest for index in pointed_at) / len(pointed_at) if found else None,
        "by": ", ".join(f"{sign} {count}" for sign, count in sorted(by.items(), key=lambda one: (-one[1], one[0]))),
    }


def _honest_likeness(people: Sequence[Planted], proofs: Mapping[int, Proof]) -> str:
    """Say how alike the honest are, for that is what copies must stand out from."""
    honest = [proofs[member.index] for member in people if member.kind.honest]
    alike = [proof for proof in honest if proof.attributes["uniqueness"]["like"]]
    most = max((like["shared"] for proof in alike for like in proof.attributes["uniqueness"]["like"]), default=0.0)
    return (
        f"of {len(honest):,} honest members {len(alike)} are somewhat like an earlier one: the most that is shared is "
        f"{most:.2f}, the least uniqueness {min(proof.uniqueness for proof in honest):.2f}, the least authenticity "
        f"{min(proof.authenticity for proof in honest):.2f}"
    )
