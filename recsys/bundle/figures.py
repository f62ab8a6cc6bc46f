"""How the shared model does beside the full one and beside popularity, on the run's own test listeners.

All three are asked the same: artists of the whole catalogue that a test listener has and that were not shown. A sample
that lacks an artist cannot find them, and that counts against it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike, NDArray

from recsys.bundle.weaken import Shared
from recsys.evaluation import Popularity, Recommender, Referee, Score, Split
from recsys.experiment import METRICS, Experiment
from recsys.named import NamedModel


@dataclass(frozen=True, eq=False)
class Within:
    """A model of some artists, asked about the whole catalogue.

    Attributes
    ----------
    model
        Knows the artists `kept` alone, by their place among these.
    kept
        Their columns, ascending.
    """

    model: Recommender
    kept: NDArray[np.int64]

    def recommend(
        self,
        userid: ArrayLike,
        user_items: sp.csr_matrix,
        N: int = 10,
        filter_already_liked_items: bool = True,
        *,
        recalculate_user: bool = False,
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Recommend as the model does; columns of `user_items` and ids are those of the whole catalogue."""
        places, scores = self.model.recommend(
            userid,
            user_items[:, self.kept],
            min(N, len(self.kept)),
            filter_already_liked_items,
            recalculate_user=recalculate_user,
        )
        places = np.asarray(places)
        return np.where(places >= 0, self.kept[places], -1), np.asarray(scores)


def figures(named: NamedModel, shared: Shared, split: Split, experiment: Experiment) -> dict[str, Any]:
    """Measure the full model, what is shared of it, and popularity, each once, on the test listeners.

    Returns
    -------
    ``full``, ``sample``, ``popularity``: each as :meth:`recsys.evaluation.Scores.as_dict` gives it. ``weaker``: full
    less sample, and ``beats_popularity``: sample less popularity, listener by listener, with intervals. ``protocol``,
    ``shape`` and ``touches`` say how it was measured, what was left out, and how often test listeners were looked at.
    """
    referee = Referee(split, METRICS)
    full, _ = referee.test("full", named.recommender)
    sample, _ = referee.test("sample", Within(shared.named.recommender, shared.kept))
    popularity, _ = referee.test("popularity", Popularity(split.train))
    covered = np.isin(split.train.indices, shared.kept).mean()
    return {
        "full": full.as_dict(),
        "sample": sample.as_dict(),
        "popularity": popularity.as_dict(),
        "weaker": _plain(full.difference(sample)),
        "beats_popularity": _plain(sample.difference(popularity)),
        "protocol": {
            "name": "strong generalization: whole listeners held out, a part of each history shown, the rest to find",
            "fold_in_fraction": experiment.fold_in_fraction,
            "held_out": experiment.held_out,
            "seed": experiment.seed,
            "catalogue": len(named.artists),
            "test_listeners": full.n_users,
        },
        "shape": {
            "factors": {"sample": shared.named.model.factors, "full": named.model.factors},
            "artists": {"sample": len(shared.kept), "full": len(named.artists)},
            "neighbours": {"sample": shared.named.beside is not None, "full": named.beside is not None},
            "precision": str(shared.factors.dtype),
            "pairs_covered": float(covered),
        },
        "touches": dict(referee.touches),
    }


def _plain(scores: dict[str, Score]) -> dict[str, dict[str, float]]:
    return {name: {"mean": score.mean, "low": score.low, "high": score.high} for name, score in scores.items()}
