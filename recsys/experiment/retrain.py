"""A run repeated without members who have left, with the receipt that proves it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from recsys import __version__
from recsys.canonical import Pseudonym, sha256_file, utc_text, write_atomically
from recsys.consent import Standing, admit
from recsys.dataset import DatasetVersion, Manifest, build_next
from recsys.errors import ConfigError, ConsentError
from recsys.experiment.config import Experiment
from recsys.experiment.receipt import ErasureReceipt, Side
from recsys.experiment.run import Outcome, Progress, run
from recsys.home import Home
from recsys.listens import ArtistIds
from recsys.tracking import FinishedRun, Tracker

DOCUMENT = "erasure-receipt.json"


@dataclass(frozen=True, eq=False)
class Retrained:
    """What retraining came to: the new run, the receipt, and the files it was written to (JSON, and plain words)."""

    outcome: Outcome
    receipt: ErasureReceipt
    files: tuple[Path, Path]


def retrain(
    home: Home,
    run_id: str | None,
    without: Sequence[str],
    *,
    at: datetime,
    ids: ArtistIds | None = None,
    building: Callable[[int, int], None] | None = None,
    training: Progress | None = None,
) -> Retrained:
    """Build the next version by the rules of a run's version, and train on it as that run did.

    The version holds everybody who agrees at `at`, and no exception is made by hand: those who are named must have
    withdrawn, so that anybody can rebuild it from ledger and contributions. Why the model is the same, bit for bit, as
    if they had never come, says :func:`recsys.experiment.train`.

    Parameters
    ----------
    home
        Where versions and runs are kept.
    run_id
        The run that is repeated; the latest finished one if ``None``.
    without
        Members' names or pseudonyms.
    at
        The instant for which consent is asked.
    ids
        The operator's own map of artists, if the run's version was built with one.
    building, training
        Called with the progress of each.

    Raises
    ------
    ConfigError
        If nobody is named, or somebody whose data the run had not used.
    ConsentError
        If somebody who is named still agrees.
    """
    tracker = Tracker(home.path)
    found = tracker.find(run_id)
    manifest = home.datasets.manifest(found.dataset_digest)
    members = _leavers(home, found, manifest, without, at)
    version = _next_version(home, manifest, ids, at, building)
    experiment = Experiment.of_run(found.params, name=found.tags.get("mlflow.runName", "als"), version=version.digest)
    outcome = run(experiment, home, progress=training)
    made = tracker.find(outcome.run_id)
    stones = {member: home.contributions.keys.tombstone(member) for member in members}
    receipt = ErasureReceipt(
        at=utc_text(at),
        purpose=str(manifest.purpose),
        recipient=manifest.recipient,
        members=members,
        before=_side(found, manifest),
        after=_side(made, version.manifest),
        params=dict(made.params),
        withdrawals=tuple(_proof(home, member, manifest, at) for member in members),
        erased={member: stone.at for member, stone in stones.items() if stone},
        code=__version__,
    )
    return Retrained(outcome, receipt, _write(home, receipt))


def _leavers(
    home: Home, found: FinishedRun, manifest: Manifest, without: Sequence[str], at: datetime
) -> tuple[Pseudonym, ...]:
    """Check that everybody who is named was there and has left."""
    members = tuple(sorted({_pseudonym(home, name) for name in without}))
    if not members:
        raise ConfigError("name whom to leave out: recsys retrain RUN --without MEMBER")
    was_there = set(home.datasets.members(found.dataset_digest))
    stands = home.ledger.standings(manifest.purpose, at, manifest.recipient) if manifest.purpose else {}
    for member in members:
        if member not in was_there:
            raise ConfigError(
                f"run {found.id} used no data of {member[:12]}: they are not in version {found.dataset_digest[:12]}"
            )
        if stands.get(member) is Standing.GIVEN:
            raise ConsentError(
                f"{member[:12]} still agrees to {manifest.purpose} at {utc_text(at)}, and versions hold everybody who "
                "agrees; record first what they decided: recsys consent withdraw MEMBER"
            )
    return members


def _pseudonym(home: Home, name: str) -> Pseudonym:
    """Take a pseudonym as it is, and a name to its pseudonym."""
    try:
        return Pseudonym.read(name)
    except ValueError:
        return home.pseudonyms.of(name)


def _next_version(
    home: Home,
    manifest: Manifest,
    ids: ArtistIds | None,
    at: datetime,
    progress: Callable[[int, int], None] | None,
) -> DatasetVersion:
    if (ids.digest if ids else None) != manifest.rules["artist_ids"]:
        raise ConfigError(
            "the run's version was built with another map of artists; give that one: --artist-ids FILE"
            if manifest.rules["artist_ids"]
            else "the run's version was built without a map of artists; leave --artist-ids out"
        )
    version, _ = build_next(
        home.datasets,
        admit(
            home.contributions,
            home.ledger,
            str(manifest.purpose),
            at,
            recipient=manifest.recipient,
            policy=home.policy,
        ),
        min_listeners=manifest.rules["min_listeners"],
        ids=ids,
        artists=home.artists.preferences(at=at, policy=home.collective.artist_policy),
        collective=home.collective,
        progress=progress,
    )
    return version


def _proof(home: Home, member: Pseudonym, manifest: Manifest, at: datetime) -> dict[str, Any]:
    proof = home.ledger.prove(member, str(manifest.purpose), at, recipient=manifest.recipient)
    told: dict[str, Any] = json.loads(proof.to_json())
    return told


def _side(found: FinishedRun, manifest: Manifest) -> Side:
    files = {path.name: sha256_file(path) for path in sorted(found.model_folder().iterdir())}
    return Side(found.id, found.dataset_digest, dict(manifest.content), files)


def _write(home: Home, receipt: ErasureReceipt) -> tuple[Path, Path]:
    """Write the receipt for programs and for people, and beside the new run."""
    document = receipt.signed(home.operator).to_json()
    paths = tuple(home.path / "receipts" / f"{receipt.after.run}.{kind}" for kind in ("json", "txt"))
    write_atomically(paths[0], document)
    write_atomically(paths[1], "\n".join([*receipt.words(), ""]).encode())
    Tracker(home.path).reopen(receipt.after.run).document(DOCUMENT, json.loads(document))
    return paths[0], paths[1]
