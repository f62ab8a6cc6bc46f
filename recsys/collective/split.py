"""How a price is to be split: what a proposal says about the money, in exact fractions.

The price is cut three ways: a treasury's share, an artists' share, and the rest, which is the members'. The members'
part is divided by one rule, or by a blend of several, each over its own fraction of that part.

Fractions are exact and are written ``"1/5"``. They are read from ``"1/5"``, ``"20%"``, ``"0.2"`` and numbers; a float
means the decimal that it is written as, so that 0.2 is 1/5 and not the binary number beside it.

Vana's 80/20 can be read in two ways, and a proposal must say which it means. Its fee contract sends 80% of a price to
the *pool* whose data are used and 20% to whoever runs the query engine: the pool's part is the members', so the
treasury has ``1/5`` (:data:`VANA`). Whoever means that the pool's treasury keeps 80% and hands 20% out writes ``4/5``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from types import MappingProxyType
from typing import Any

from recsys.errors import ProposalInvalidError

RULES = ("equal", "points", "sqrt", "value")
"""The rules by which members can be paid: see :mod:`recsys.payouts.rules`."""

_LONGEST = 40
_FRACTION = re.compile(r"\d{1,9}/\d{1,9}|\d{1,9}(\.\d{1,9})?\s?%?", re.ASCII)


@dataclass(frozen=True)
class Split:
    """How a price is cut.

    Parameters
    ----------
    treasury
        Share of the price that stays with the collective, in [0, 1].
    artists
        Share of the price that is set aside for artists, in [0, 1]; the members have the rest.
    rules
        Rule -> its fraction of the members' part; none is zero and they add up to 1. Names are in :data:`RULES`.

    Raises
    ------
    ProposalInvalidError
        If a fraction is out of range, a rule is unknown, or the fractions do not add up.
    """

    treasury: Fraction = Fraction(0)
    artists: Fraction = Fraction(0)
    rules: Mapping[str, Fraction] = field(default_factory=lambda: {"equal": Fraction(1)})

    def __post_init__(self) -> None:
        for name, share in (("treasury", self.treasury), ("artists", self.artists)):
            if not 0 <= share <= 1:
                raise ProposalInvalidError(f"{name} is {share}; a share of the price lies between 0 and 1")
        if self.members < 0:
            raise ProposalInvalidError(
                f"treasury {self.treasury} and artists {self.artists} come to more than the whole price; lower one"
            )
        unknown = sorted(set(self.rules) - set(RULES))
        if unknown or not self.rules:
            raise ProposalInvalidError(f"rules are {unknown or 'none'}; name one or more of {', '.join(RULES)}")
        if min(self.rules.values()) <= 0 or sum(self.rules.values()) != 1:
            said = ", ".join(f"{name} {share}" for name, share in self.rules.items())
            raise ProposalInvalidError(f"the rules' fractions are {said}; each must be above 0, and together exactly 1")
        object.__setattr__(self, "rules", MappingProxyType({name: self.rules[name] for name in sorted(self.rules)}))

    def __hash__(self) -> int:
        return hash((self.treasury, self.artists, tuple(self.rules.items())))

    @property
    def members(self) -> Fraction:
        """The members' share of the price."""
        return 1 - self.treasury - self.artists

    @classmethod
    def from_dict(cls, found: Mapping[str, Any]) -> Split:
        """Read what :meth:`as_dict` wrote, or what a person wrote in a file of settings.

        Raises
        ------
        ProposalInvalidError
            If a field is unknown, or what stands in it is no fraction.
        """
        unknown = sorted(set(found) - {"treasury", "artists", "rules"})
        if unknown:
            raise ProposalInvalidError(f"a split has no {', '.join(unknown)}; it has treasury, artists and rules")
        rules = found.get("rules", {"equal": 1})
        if isinstance(rules, str):
            rules = {rules: 1}
        if not isinstance(rules, Mapping):
            raise ProposalInvalidError(f"rules are {rules!r}; write one name, or a table of names and fractions")
        return cls(
            treasury=fraction(found.get("treasury", 0)),
            artists=fraction(found.get("artists", 0)),
            rules={str(name): fraction(share) for name, share in rules.items()},
        )

    def as_dict(self) -> dict[str, Any]:
        """Give the split as JSON, fractions as text."""
        return {
            "treasury": str(self.treasury),
            "artists": str(self.artists),
            "rules": {name: str(share) for name, share in self.rules.items()},
        }

    def words(self) -> str:
        """Say it in a sentence."""
        parts = [
            f"{share} to {whom}"
            for whom, share in (("the treasury", self.treasury), ("artists", self.artists))
            if share
        ]
        rules = " and ".join(f"{share} by {name}" if share != 1 else f"by {name}" for name, share in self.rules.items())
        return ", ".join([*parts, f"{self.members} to the members ({rules})"])


def fraction(written: object) -> Fraction:
    """Read an exact fraction from ``"1/5"``, ``"20%"``, ``"0.2"``, 0.2 (the decimal as written) or a whole number.

    Raises
    ------
    ProposalInvalidError
        If it is none of these.
    """
    text = str(written).strip()
    if isinstance(written, bool) or not _FRACTION.fullmatch(text):
        raise ProposalInvalidError(f"{text[:_LONGEST]!r} is no fraction; write it as 1/5, 20% or 0.2, in nine digits")
    try:
        return Fraction(text.removesuffix("%").strip()) / (100 if text.endswith("%") else 1)
    except ZeroDivisionError as error:
        raise ProposalInvalidError(f"{text!r} divides by zero; write it as 1/5, 20% or 0.2") from error


VANA = Split(treasury=Fraction(1, 5))
"""Four fifths to the pool's members, one fifth to whoever runs it: Vana's fee for data access (VRC-15)."""
