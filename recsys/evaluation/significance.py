"""Whether A beats B, said so that a referee would accept it.

Models are scored on the same users, so their figures are compared user by user. Two tests are given since neither needs
the other's assumptions: the paired bootstrap looks at the mean, Wilcoxon's signed ranks at how often and how far one
is ahead. Several comparisons are corrected by Holm's method ("A Simple Sequentially Rejective Multiple Test
Procedure", Scandinavian Journal of Statistics 1979), which holds whatever they have to do with one another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import wilcoxon

from recsys.evaluation.scores import Bootstrap, Score, Scores
from recsys.ranking import Floats

_LEVELS = {0.01: "**", 0.05: "*"}


@dataclass(frozen=True)
class Comparison:
    """One model against another by one metric.

    Attributes
    ----------
    model, other
        Their names.
    metric
        By what.
    difference
        Mean of the users' differences with its interval; above 0 the first is ahead.
    p_bootstrap, p_wilcoxon
        Two-sided p-values, corrected for all comparisons that were made together.
    """

    model: str
    other: str
    metric: str
    difference: Score
    p_bootstrap: float
    p_wilcoxon: float

    def significant(self, level: float = 0.05) -> bool:
        """Tell whether both tests call the difference real at this level."""
        return max(self.p_bootstrap, self.p_wilcoxon) < level

    @property
    def stars(self) -> str:
        """Mark the difference as tables do: see :func:`stars`."""
        return stars(self.p_bootstrap, self.p_wilcoxon)


def stars(*p_values: float) -> str:
    """Mark a difference that every test calls real: ``**`` at 0.01, ``*`` at 0.05, nothing above."""
    return next((mark for level, mark in _LEVELS.items() if max(p_values) < level), "")


def compare(
    scores: Mapping[str, Scores], metric: str, pairs: Sequence[tuple[str, str]] | None = None
) -> list[Comparison]:
    """Compare models by one metric, corrected for the number of comparisons.

    Parameters
    ----------
    scores
        Each model's figures, all on the same users.
    metric
        Name of a metric that all have.
    pairs
        Which to compare; by default the model with the best mean with each of the others.

    Raises
    ------
    ValueError
        If models were scored on different users, or one lacks the metric.
    """
    if pairs is None:
        best = max(scores, key=lambda name: scores[name][metric].mean)
        pairs = [(best, other) for other in scores if other != best]
    found = [_difference(scores[a], scores[b], metric) for a, b in pairs]
    by_bootstrap = holm(
        [p_bootstrap(one.per_user, scores[a].bootstrap) for one, (a, _) in zip(found, pairs, strict=True)]
    )
    by_ranks = holm([p_wilcoxon(one.per_user) for one in found])
    return [
        Comparison(a, b, metric, one, float(p), float(q))
        for (a, b), one, p, q in zip(pairs, found, by_bootstrap, by_ranks, strict=True)
    ]


def p_bootstrap(differences: Floats, bootstrap: Bootstrap) -> float:
    """Give the two-sided p-value of a mean difference by resampling users.

    Differences are shifted to mean 0 and drawn with replacement (Efron and Tibshirani 1993, section 16.4; Sakai,
    SIGIR 2006); the value is the share of draws whose mean is at least as far from 0 as that seen, one draw added to
    both sides, so that it is never 0.
    """
    seen = float(np.mean(differences))
    means = bootstrap.means((differences - seen)[:, None])[:, 0]
    beyond = int((np.abs(means) >= abs(seen) * (1 - 1e-12)).sum())
    return (beyond + 1) / (len(means) + 1)


def p_wilcoxon(differences: Floats) -> float:
    """Give the two-sided p-value of Wilcoxon's signed-rank test; 1 where all differences are 0.

    Differences of 0 are ranked and split between the sides (Pratt 1959 drops them after ranking; splitting keeps the
    test honest where most users are tied).
    """
    if not np.any(differences):
        return 1.0
    return float(wilcoxon(differences, zero_method="zsplit", method="approx").pvalue)


def holm(p_values: Sequence[float]) -> NDArray[np.float64]:
    """Correct p-values for their number: ordered, the j-th of n (from 0) times ``n - j``, and never decreasing."""
    p = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)) if len(p) else p
    corrected = np.empty(len(p))
    corrected[order] = np.minimum(stepped, 1)
    return corrected


def _difference(one: Scores, other: Scores, metric: str) -> Score:
    if metric not in one or metric not in other:
        raise ValueError(f"not every model has {metric}; evaluate all with the same metrics")
    return one.difference(other)[metric]
