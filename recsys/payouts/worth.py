"""What the members of a dataset version are worth to others, in words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from recsys.canonical import Pseudonym
from recsys.confidence import confidence
from recsys.dataset import DatasetVersion
from recsys.erasure.marks import usable
from recsys.errors import PayoutError
from recsys.home import Home
from recsys.valuation import METHODS, PoolValues, Values, value_pool

_QUANTILES = (("least", 0.0), ("a quarter are below", 0.25), ("half are below", 0.5), ("most", 1.0))
_ARTISTS = 10
_SURE = 2.0  # errors away from the mean, or from nothing


@dataclass(frozen=True)
class OfMember:
    """What one member is worth, where the mean of all is 1.

    Attributes
    ----------
    worth, error
        Among neighbours, and its standard error.
    share_below
        Share of members who are worth less.
    times
        How many members handed in this history.
    """

    worth: float
    error: float
    share_below: float
    times: int

    def as_dict(self) -> dict[str, Any]:
        """Give it as JSON."""
        return {name: value if np.isfinite(value) else None for name, value in vars(self).items()}

    def words(self, name: str) -> list[str]:
        """Say it to the member."""
        low, high = self.worth - _SURE * self.error, self.worth + _SURE * self.error
        said = [
            f"{name}: your listening helps others {self.worth:.2f} times as much as an average member's does.",
            f"It is worth more than that of {self.share_below:.0%} of members.",
            f"With other listeners to test, it would be between {max(low, 0):.2f} and {high:.2f} in 19 cases of 20.",
        ]
        if low <= 1 <= high:
            said.append("That cannot be told apart from the average.")
        if self.worth <= 0:
            said.append("It adds nothing that can be measured: few listen as you do, or there is little of it.")
        if self.times > 1:
            said.append(f"{self.times:,} members handed in this same history, and share its worth.")
        return said


@dataclass(frozen=True, eq=False)
class Worth:
    """The values of a version's members.

    Attributes
    ----------
    version
        The dataset version.
    found
        The values.
    """

    version: DatasetVersion
    found: PoolValues

    @classmethod
    def measured(
        cls, home: Home, run: str | None, *, seed: int = 0, progress: Callable[[int, int], None] | None = None
    ) -> Worth:
        """Measure the version of a run, the latest unless one is named.

        Raises
        ------
        RunNotFoundError
            If there is no such run.
        VersionWithdrawnError
            If somebody in it has withdrawn.
        """
        from recsys.tracking import Tracker  # noqa: PLC0415 - loads MLflow, which takes seconds

        version = usable(home, Tracker(home.path).find(run).dataset_digest)
        return cls(version, value_pool(confidence(version.user_items, "log"), seed=seed, progress=progress))

    @property
    def methods(self) -> tuple[str, ...]:
        """The two measures."""
        return METHODS

    def of(self, member: Pseudonym) -> OfMember:
        """Tell what one member is worth.

        Raises
        ------
        PayoutError
            If the member is not in the version.
        """
        if member not in self.version.members:
            raise PayoutError(f"{member[:12]} is not in version {self.version.digest[:12]}; it was built without them")
        row = self.version.members.index(member)
        values, mean = self.found.paid, self._mean(self.found.paid)
        value = float(values.value[row])
        below = float(np.mean(values.value < value))
        return OfMember(value / mean, float(values.error[row]) / mean, below, int(self.found.times[row]))

    def rows(self) -> list[tuple[str, ...]]:
        """Lay out quantiles of all values, in millionths, and how sure they are."""
        several = [self.found.members[method] for method in METHODS]
        shown = [(name, *(_millionths(np.quantile(one.value, at)) for one in several)) for name, at in _QUANTILES]
        sure = [np.mean(np.abs(one.value) > _SURE * one.error) for one in several]
        shown.append(("typical error", *(_millionths(np.median(one.error)) for one in several)))
        shown.append(("members whose value is surely not nothing", *(f"{share:.0%}" for share in sure)))
        return shown

    def notes(self) -> list[str]:
        """Say how to read them."""
        return [
            "leave-one-out: millionths of mean NDCG that listeners lose without the member",
            "knn-shapley: millionths of the share of hits among 20 neighbours; this is what money is divided by",
            f"{int(np.sum(self.found.times > 1)):,} members share their worth with others of the same history",
        ]

    def artists(self) -> list[tuple[str, str]]:
        """Name the artists whose listening carried the model most."""
        order = np.argsort(-self.found.artists, kind="stable")[:_ARTISTS]
        return [(self.version.artists.names[place], f"{self.found.artists[place]:.1%}") for place in order]

    def as_dict(self) -> dict[str, Any]:
        """Give all values as JSON, by pseudonym."""
        return {
            "version": self.version.digest,
            "artists": dict(zip(self.version.artists.names, self.found.artists.tolist(), strict=True)),
            **{
                method: {
                    member: {"value": value, "error": error if np.isfinite(error) else None}
                    for member, value, error in zip(
                        self.version.members, values.value.tolist(), values.error.tolist(), strict=True
                    )
                }
                for method, values in self.found.members.items()
            },
        }

    @staticmethod
    def _mean(values: Values) -> float:
        return float(values.value.mean()) or 1.0


def _millionths(figure: np.floating) -> str:
    return f"{float(figure) * 1e6:,.2f}"
