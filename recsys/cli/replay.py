"""recsys replay."""

from __future__ import annotations

from pathlib import Path

from recsys.cli.common import Common

_ALS = {"factors": 32, "iterations": 12}


def replay(*, out: Path, members: int = 10_000, seed: int = 0, common: Common = Common()) -> int:  # noqa: B008 - frozen
    """Tell the story of a sale again: joined, trained, voted, licensed, paid to the cent, one member leaves, audited.

    Its members do not exist; everything else is real. An interrupted story goes on where it stopped. --home is not
    looked at: the collective lives in OUT/home.

    Parameters
    ----------
    out
        Folder for everything: payouts.csv, ballots.json, licence.json, sample.recsys, model.recsys, audit.md, home/.
    members
        How many people to make up.
    seed
        Decides them.
    """
    from recsys.cli.exits import UNSOUND
    from recsys.experiment import Experiment
    from recsys.replay import Stage, tell

    with common.steps() as step:
        told = tell(Stage(out, members, seed, Experiment(name="replay", seed=seed, als=_ALS), step))
    common.show(
        {**told.facts, "audit": told.verdict.as_dict()},
        *(f"{place}. {line}" for place, line in enumerate(told.words(), start=1)),
        "",
        *told.verdict.words(),
        f"papers in {out}: payouts.csv, ballots.json, licence.json, sample.recsys, model.recsys, audit.md",
    )
    return 0 if told.verdict.sound else UNSOUND
