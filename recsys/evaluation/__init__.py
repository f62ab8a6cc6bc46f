"""How well a model recommends to people it was not trained on.

``split`` and ``temporal`` divide users, ``given`` takes a division as others made it, ``stored`` writes one down,
``lists`` asks a model for its lists, ``metrics`` say what these find and ``character`` what they are like,
``protocol`` puts it together and ``referee`` counts the looks at test users, ``scores`` holds the figures with their
uncertainty, ``segments`` looks at groups of users, ``significance`` tells whether one model beats another,
``baselines`` are what a model has to beat.

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
from recsys.evaluation.character import Diversity, Fame, LongTail, Miscalibration, Novelty, Popular, catalogue
from recsys.evaluation.given import given
from recsys.evaluation.lists import Lists, Recommender, ask
from recsys.evaluation.metrics import MAP, MRR, NDCG, STANDARD, Found, HitRate, Metric, Recall
from recsys.evaluation.protocol import evaluate, measure
from recsys.evaluation.referee import Referee
from recsys.evaluation.scores import Bootstrap, Score, Scores
from recsys.evaluation.segments import by_segment, segments
from recsys.evaluation.significance import Comparison, compare, stars
from recsys.evaluation.split import HeldOut, Split, leave_out, strong_generalization, user_folds
from recsys.evaluation.stored import read_back, write_down
from recsys.evaluation.temporal import Events, temporal

__all__ = [
    "MAP",
    "MRR",
    "NDCG",
    "STANDARD",
    "Bootstrap",
    "Comparison",
    "Diversity",
    "Events",
    "Fame",
    "Found",
    "HeldOut",
    "HitRate",
    "Lists",
    "LongTail",
    "Metric",
    "Miscalibration",
    "Novelty",
    "Popular",
    "Popularity",
    "Recall",
    "Recommender",
    "Referee",
    "Score",
    "Scores",
    "Split",
    "ask",
    "by_segment",
    "catalogue",
    "compare",
    "evaluate",
    "given",
    "leave_out",
    "measure",
    "read_back",
    "segments",
    "stars",
    "strong_generalization",
    "temporal",
    "user_folds",
    "write_down",
]
