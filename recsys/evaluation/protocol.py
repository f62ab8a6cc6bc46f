"""The one way in which a model is scored: its lists are asked for once, and every metric reads them."""

from __future__ import annotations

from collections.abc import Sequence

from recsys.evaluation.lists import Lists, Recommender, ask
from recsys.evaluation.metrics import Metric
from recsys.evaluation.scores import Bootstrap, Scores
from recsys.evaluation.split import HeldOut, Split


def evaluate(
    model: Recommender,
    held_out: Split | HeldOut,
    metrics: Sequence[Metric],
    *,
    n_bootstrap: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
    block: int = 4096,
) -> Scores:
    """Score a model on users it was not trained on.

    Parameters
    ----------
    model
        Shown each user's fold-in part, it recommends items outside that part.
    held_out
        The users; of a :class:`Split` its test users.
    metrics
        What to measure. Lists are as long as the longest metric reads, or as the catalogue is.
    n_bootstrap, confidence, seed
        How many resamples of users the intervals rest on, the share of resampled means inside them, and what decides
        the draws.
    block
        Users for whom lists are asked at once: what bounds memory. It has no influence on the scores of a model that
        treats users alike.

    Returns
    -------
    Scores
        Over the users that have a target.

    Raises
    ------
    ValueError
        If there is nothing to measure (no metric, two of one name, no user with a target), or if the model's lists
        are not lists (:func:`recsys.evaluation.ask`).
    """
    bootstrap = Bootstrap(n_bootstrap, confidence, seed)
    _check_metrics(metrics)
    lists = ask(model, held_out, max(metric.k for metric in metrics), block=block)
    return measure(lists, metrics, bootstrap)


def measure(lists: Lists, metrics: Sequence[Metric], bootstrap: Bootstrap | None = None) -> Scores:
    """Read metrics off lists that were asked for already; none may read further than the lists reach.

    Raises
    ------
    ValueError
        If there is no metric, or two have one name, or one reads further than the lists reach.
    """
    _check_metrics(metrics)
    longest = max(metric.k for metric in metrics)
    if lists.ids.shape[1] < min(longest, lists.n_items):
        raise ValueError(
            f"the lists have {lists.ids.shape[1]} places and a metric reads {longest}; ask for longer ones"
        )
    return Scores(lists.users, {metric.name: metric(lists) for metric in metrics}, bootstrap or Bootstrap())


def _check_metrics(metrics: Sequence[Metric]) -> None:
    names = [metric.name for metric in metrics]
    if not names or len(set(names)) < len(names):
        raise ValueError(f"metrics are {names}; give at least one, and each once")
