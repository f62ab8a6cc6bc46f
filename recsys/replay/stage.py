"""Where the story is played, and the note of what is known so far: a story that was interrupted goes on from it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from recsys import synthetic
from recsys.bundle import Limits
from recsys.canonical import Pseudonyms, canonical_json, write_atomically
from recsys.collective import Members
from recsys.consent import MemberKeys
from recsys.errors import ConfigError
from recsys.experiment import Experiment
from recsys.home import Home
from recsys.replay.cast import Cast, made_up_key
from recsys.transparency import SigningKey

FEWEST = 200
_ENOUGH = 5_000
_STORY = "story.json"
_SELF_PORTRAIT = b"""# What a collective states of itself; `recsys dataset card` writes it into every card.
name = "a collective that does not exist"
made_up = true
recruitment = "nobody was: a program made them up"
compensation = "money that does not exist, to the cent"
"""

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
        story = self.out / _STORY
        if story.exists():
            facts: Facts = json.loads(story.read_bytes())
            if {name: facts.get(name) for name in told} != told:
                raise ConfigError(
                    f"{self.out} holds the story of {facts.get('members')} members with seed {facts.get('seed')}; "
                    "give this one another folder: --out DIR"
                )
            self._found()
            return facts
        if self.out.exists() and any(self.out.iterdir()):
            raise ConfigError(f"{self.out} holds something that is no story; give it another folder: --out DIR")
        self.note(told)
        self._found()
        return told

    def _found(self) -> None:
        """Found the collective, unless it is."""
        write_atomically(self.home.path / "collective.toml", _SELF_PORTRAIT)
        Pseudonyms.at(self.home.path / "keys" / "member.key", make=lambda: made_up_key(self.seed, "members"))
        SigningKey.at(self.home.path / "keys" / "operator.key", make=lambda: made_up_key(self.seed, "operator"))

    def note(self, facts: Facts) -> None:
        """Write down what is known so far."""
        write_atomically(self.out / _STORY, canonical_json(facts))
