"""Where the story is played, and the note of what is known so far: a story that was interrupted goes on from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from recsys import synthetic
from recsys.bundle import Limits
from recsys.canonical import canonical_json, write_atomically
from recsys.collective import Members
from recsys.consent import MemberKeys
from recsys.errors import ConfigError
from recsys.experiment import Experiment
from recsys.home import Home
from recsys.replay.cast import Cast, made_up_key
from recsys.synthetic.founding import claim, found_collective

FEWEST = 200
_ENOUGH = 5_000
_STORY = "story.json"

Step = Callable[[str], Callable[..., None]]
Facts = dict[str, Any]


@dataclass(frozen=True, eq=False)
class Stage:
    """Where the story is played.

    Parameters
    ----------
    out
        The folder for everything: papers, and the collective's state in ``home/``.
    members, seed
        How many people to make up, and what decides them.
    experiment
        How to train.
    step
        Called with the name of each act; what it returns is called with (done, total) and, at times, a note.
    """

    out: Path
    members: int
    seed: int
    experiment: Experiment
    step: Step

    @cached_property
    def home(self) -> Home:
        """The collective's state."""
        return Home(self.out / "home")

    @cached_property
    def cast(self) -> Cast:
        """Who takes part: those whose export could be read, whether or not they left since."""
        there = {*self.home.contributions.members, *Members(self.home).roster()}
        names = (synthetic.member_name(index) for index in range(self.members))
        return Cast(tuple(name for name in names if self.home.pseudonyms.of(name) in there), self.seed)

    @property
    def limits(self) -> Limits:
        """What the model may tell about its members; on few of them intervals are too wide to show that it does not."""
        return Limits() if self.members >= _ENOUGH else Limits(max_membership_auc=None, max_tpr_at_1pct_fpr=None)

    @property
    def keys(self) -> MemberKeys:
        """The members' signing keys."""
        return MemberKeys(self.home.path / "keys" / "members", make=lambda member: made_up_key(self.seed, member))

    def open(self) -> Facts:
        """Claim the folder, or find what was played here before.

        Raises
        ------
        ConfigError
            If it holds another story, or anything else.
        """
        told = {"members": self.members, "seed": self.seed}
        if self.members < FEWEST or self.seed < 0:
            raise ConfigError(
                f"{self.members} members with seed {self.seed}: give {FEWEST} or more, and a seed from 0 up"
            )
        facts = claim(self.out / _STORY, told, tale="story", option="--out")
        found_collective(
            self.home.path, "money that does not exist, to the cent", lambda whose: made_up_key(self.seed, whose)
        )
        return facts

    def note(self, facts: Facts) -> None:
        """Write down what is known so far."""
        write_atomically(self.out / _STORY, canonical_json(facts))
