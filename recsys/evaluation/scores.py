"""Figures with their uncertainty: means over users and percentile bootstrap intervals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from recsys.ranking import Floats

_AT_ONCE = 32  # resamples


@dataclass(frozen=True)
class Bootstrap:
    """How an interval is got: users are drawn with replacement, the ends are percentiles of the means (Efron 1979).

    Attributes
    ----------
    n_resamples
        How many times the users are drawn.
    confidence
        Share of the resampled means that lie inside the interval.
    seed
        Decides the draws.
    """

    n_resamples: int = 1000
    confidence: float = 0.95
    seed: int = 0

    def __post_init__(self) -> None:
        if self.n_resamples < 1:
            raise ValueError(f"n_bootstrap is {self.n_resamples}; it must be 1 or more")
        if not 0 < self.confidence < 1:
            raise ValueError(f"confidence is {self.confidence}; it must lie between 0 and 1")

    def interval(self, values: Floats) -> tuple[Floats, Floats]:
        """Return the low and the high end for the mean of each column of `values`, shape (users, columns)."""
        means = self.means(values)
        tail = 50 * (1 - self.confidence)
        low, high = np.percentile(means, [tail, 100 - tail], axis=0)
        return low, high

    def means(self, values: Floats) -> Floats:
        """Return the mean of each column of `values` in each resample, shape (resamples, columns)."""
        n = len(values)
        rng = np.random.default_rng(self.seed)
        sizes = [min(_AT_ONCE, self.n_resamples - start) for start in range(0, self.n_resamples, _AT_ONCE)]
        with threadpool_limits(
            1, "blas"
        ):  # so few columns are slower by several threads, most of all on a busy machine
            return np.concatenate([_drawn(rng, size, n) @ values for size in sizes]) / n


def _drawn(rng: np.random.Generator, size: int, n: int) -> Floats:
    """Count how often each of `n` users is drawn in each of `size` resamples; one at a time, to stay in the cache."""
    times = np.empty((size, n))
    for one in times:
        one[:] = np.bincount(rng.integers(0, n, n), minlength=n)
    return times


@dataclass(frozen=True, eq=False)
class Score:
    """A metric over users.

    Attributes
    ----------
    mean
        Mean over users.
    low, high
        Ends of the bootstrap interval of the mean.
    per_user
        The figure of each user, in the order of :attr:`Scores.users`, shape (users,), read-only.
    """

    mean: float
    low: float
    high: float
    per_user: Floats


class Scores(Mapping[str, Score]):
    """What a model reached, metric by metric: a mapping from metric name to :class:`Score`.

    Parameters
    ----------
    users
        The users that have a target, as indices into the matrix that was split, shape (users,).
    per_user
        For each metric name the figures of these users, shape (users,).
    bootstrap
        How the intervals are got.
    """

    def __init__(self, users: NDArray[np.int64], per_user: Mapping[str, Floats], bootstrap: Bootstrap) -> None:
        self.users = users
        self.bootstrap = bootstrap
        self.metrics = _summary(per_user, bootstrap)

    @property
    def n_users(self) -> int:
        """Number of users that have a target."""
        return len(self.users)

    def __getitem__(self, name: str) -> Score:
        return self.metrics[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.metrics)

    def __len__(self) -> int:
        return len(self.metrics)

    def __repr__(self) -> str:
        figures = ", ".join(f"{name}={s.mean:.4f} [{s.low:.4f}, {s.high:.4f}]" for name, s in self.items())
        return f"Scores({figures}, n_users={self.n_users})"

    def as_dict(self) -> dict[str, Any]:
        """Return means and intervals, and how they were got, as plain values for JSON."""
        return {
            "n_users": self.n_users,
            "confidence": self.bootstrap.confidence,
            "n_bootstrap": self.bootstrap.n_resamples,
            "seed": self.bootstrap.seed,
            "metrics": {name: {"mean": s.mean, "low": s.low, "high": s.high} for name, s in self.items()},
        }

    def difference(self, other: Scores) -> dict[str, Score]:
        """Compare two models on the same users: this one's figures less the other's, user by user.

        Parameters
        ----------
        other
            Scores on the same users.

        Returns
        -------
        A score for each metric that both have. This model is better by that metric if ``low > 0``, at the confidence
        of its own intervals (paired bootstrap, no correction for several metrics).

        Raises
        ------
        ValueError
            If the two were scored on different users or share no metric.
        """
        if not np.array_equal(self.users, other.users):
            raise ValueError(
                f"the scores are of different users ({self.n_users} and {other.n_users}); evaluate both models on one "
                "split"
            )
        shared = [name for name in self if name in other]
        if not shared:
            raise ValueError(f"no metric in common: {', '.join(self)} and {', '.join(other)}; evaluate both alike")
        return _summary({name: self[name].per_user - other[name].per_user for name in shared}, self.bootstrap)


def _summary(per_user: Mapping[str, Floats], bootstrap: Bootstrap) -> dict[str, Score]:
    values = np.column_stack(list(per_user.values()))
    values.flags.writeable = False
    lows, highs = bootstrap.interval(values)
    ends = zip(per_user, values.mean(axis=0), lows, highs, values.T, strict=True)
    return {name: Score(float(mean), float(low), float(high), column) for name, mean, low, high, column in ends}
