"""A synthetic collective, taken through the real pipeline from ingest to report.

The members do not exist; everything else is real: Spotify-format zips, the consent ledger, a dataset version, training
and an MLflow run. All keys are derived from the seed, so the same seed gives the same digest; a real collective's
are drawn at random. Each step keeps what it finished, so a demo that was killed goes on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from recsys import synthetic
from recsys.consent import ConsentedListens, MemberKeys, admit, read_decisions
from recsys.dataset import build_next
from recsys.errors import ConfigError
from recsys.experiment import Experiment, Outcome, run
from recsys.home import Home
from recsys.listens import IngestReport, ingest
from recsys.synthetic import PURPOSE
from recsys.synthetic.founding import claim, found_collective

_MARK = "demo.json"
_FEWEST = 50  # fewer share too few artists to hold anybody out

Step = Callable[[str], Callable[..., None]]


@dataclass(frozen=True, eq=False)
class Demo:
    """What the demo came to: who handed in, who was admitted, and how the model did."""

    members: int
    ingested: IngestReport
    admitted: ConsentedListens
    counts: dict[str, Any]
    outcome: Outcome

    def as_dict(self) -> dict[str, Any]:
        """Give it as plain values for JSON."""
        return {
            "members": self.members,
            "broken_exports": len(self.ingested.broken),
            "rows_read": self.ingested.rows.rows_read,
            "admitted": len(self.admitted),
            "refused": {standing.value: count for standing, count in self.admitted.refused.items()},
            "counts": self.counts,
            **self.outcome.as_dict(),
        }


def play(home: Home, *, members: int, seed: int, experiment: Experiment, step: Step) -> Demo:
    """Make the collective of `seed` in `home` and take it through the pipeline.

    Parameters
    ----------
    home
        An empty folder, or one in which the same demo was played before.
    members, seed
        How many people to make up, and what decides them.
    experiment
        How to train.
    step
        Called with the name of each step; what it returns is called with (done, total) and, at times, a note.

    Raises
    ------
    ConfigError
        If `home` holds a real collective, or another demo.
    """
    if members < _FEWEST or seed < 0:
        raise ConfigError(f"{members} members with seed {seed}: give {_FEWEST} members or more, and a seed from 0 up")
    claim(home.path / _MARK, {"members": members, "seed": seed}, tale="demo", option="--home")
    keys_of = {"members": "", "operator": "operator"}
    found_collective(
        home.path, "nothing, for want of anybody to give it to", lambda whose: _demo_key(seed, keys_of[whose])
    )
    world = home.path / "demo"
    synthetic.make_collective(world, members=members, seed=seed, progress=step("making exports"))
    ingested = ingest(world / "exports", home.contributions, home.pseudonyms, progress=step("reading exports"))
    decisions = list(read_decisions(world / "consents.jsonl"))
    keys = MemberKeys(home.path / "keys" / "members", make=lambda member: _demo_key(seed, member))
    keys.make_missing({home.ledger.pseudonym(decision.member) for decision in decisions})
    home.ledger.record(decisions)
    admitted = admit(home.contributions, home.ledger, PURPOSE, synthetic.NOW)
    artists = home.artists.preferences(at=synthetic.NOW, policy=home.collective.artist_policy)
    building = step("building the version")
    version, _ = build_next(home.datasets, admitted, artists=artists, collective=home.collective, progress=building)
    training = step("training")
    outcome = run(experiment, home, progress=lambda done, total, loss: training(done, total, f"loss {loss:.6g}"))
    return Demo(members, ingested, admitted, dict(version.manifest.counts), outcome)


def _demo_key(seed: int, whose: str = "") -> bytes:
    return hashlib.sha256(f"recsys demo {seed}: no secret, nobody exists{whose}".encode()).digest()
