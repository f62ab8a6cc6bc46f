"""Who takes part in the story, what they decide, and when: all of it follows from the number of members and a seed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from functools import cached_property

import numpy as np

from recsys.canonical import Pseudonym
from recsys.synthetic import NOW

BUYER = "a buyer that does not exist"
PRICE_CENTS = 5_500_000
YES = Fraction(995, 1000)
"""Of the votes cast, as in June 2025."""

_SILENT = Fraction(1, 20)
_KEEP_OUT = Fraction(1, 20)


@dataclass(frozen=True)
class Days:
    """When what happens."""

    joined: datetime = NOW - timedelta(days=40)
    agreed: datetime = NOW - timedelta(days=39)
    trained: datetime = NOW - timedelta(days=35)
    opens: datetime = NOW - timedelta(days=30)
    voted: datetime = NOW - timedelta(days=25)
    closes: datetime = NOW - timedelta(days=20)
    packed: datetime = NOW - timedelta(days=16)
    paid: datetime = NOW - timedelta(days=10)
    left: datetime = NOW - timedelta(days=1)
    audited: datetime = NOW


DAYS = Days()


@dataclass(frozen=True)
class Cast:
    """What each member does.

    Parameters
    ----------
    members
        Names of those who handed in an export that could be read, in any order.
    seed
        Decides who does what.
    """

    members: tuple[str, ...]
    seed: int

    @cached_property
    def _order(self) -> tuple[str, ...]:
        order = np.random.default_rng([self.seed, 3]).permutation(len(self.members))
        names = sorted(self.members)
        return tuple(names[place] for place in order)

    @property
    def sharing(self) -> tuple[str, ...]:
        """Who lets the buyer use a model made with their own listening; one in twenty does not, whatever the vote."""
        return tuple(sorted(self._order[int(len(self._order) * _KEEP_OUT) :]))

    @property
    def choices(self) -> dict[str, str]:
        """What each voter says: yes, but for one in two hundred; one member in twenty says nothing."""
        voters = self._order[: len(self._order) - int(len(self._order) * _SILENT)]
        no = round(len(voters) * (1 - YES))
        return {name: "no" if place < no else "yes" for place, name in enumerate(voters)}

    @property
    def leaver(self) -> str:
        """Who leaves in the end; they shared."""
        return self.sharing[len(self.sharing) // 2]


def made_up_key(seed: int, whose: str | Pseudonym) -> bytes:
    """Give the bytes of a key that is no secret: nobody of the story exists, and the same story has the same papers."""
    return hashlib.sha256(f"recsys replay {seed}: no secret, nobody exists: {whose}".encode()).digest()
