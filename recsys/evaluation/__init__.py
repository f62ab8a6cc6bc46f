"""How well a model recommends to people it was not trained on.

``split`` divides users, ``metrics`` say what makes a list good, ``protocol`` asks a model for lists and scores them,
``scores`` holds the figures with their uncertainty, ``baselines`` are what a model has to beat.

Why it is as it is:

* *Held-out users*, not held-out plays: a new member is what a recommender meets, and factors that were fitted to the
  tested person would flatter it (Liang et al., WWW 2018; Rendle et al., RecSys 2022).
* *Intervals over users*: users are what was sampled, so they are what is resampled.
* Models come in through the :class:`Recommender` protocol, which is ``implicit``'s signature: this room knows neither
  our own estimator nor anybody else's.

A model is compared with a baseline like this::

    split = strong_generalization(user_items, n_held_out=1_000, seed=0)
    metrics = [NDCG(100), Recall(20), Recall(50)]
    ours = evaluate(model, split, metrics)
    popular = evaluate(Popularity(split.train), split, metrics)
    beats_popularity = ours.difference(popular)["ndcg_at_100"].low > 0
"""

from recsys.evaluation.baselines import Popularity
from recsys.evaluation.metrics import NDCG, Metric, Recall
from recsys.evaluation.protocol import Recommender, evaluate
from recsys.evaluation.scores import Score, Scores
from recsys.evaluation.split import HeldOut, Split, strong_generalization

__all__ = [
    "NDCG",
    "HeldOut",
    "Metric",
    "Popularity",
    "Recall",
    "Recommender",
    "Score",
    "Scores",
    "Split",
    "evaluate",
    "strong_generalization",
]
