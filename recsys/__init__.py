"""A music-preference recommendation model trained on consented data.

Data meets the rooms of this package in one order, and imports point down it only::

    listens      a person's export becomes a table of listens            read_export
    consent      who agreed to what, when: the only door to shared data  Ledger, admit
    dataset      immutable, content-addressed user x artist matrices     build, DatasetVersion
    als          implicit-feedback ALS; knows arrays, no people          ALS, ALSModel
    evaluation   held-out users, metrics, baselines                      strong_generalization, evaluate
    models       what stands beside the factorization; comparison lets models compete
    privacy      what a model tells about its members; valuation, what each member's listening is worth
    tracking     one MLflow run for one dataset version
    experiment   split, fit, evaluate, track: a training run on one page
    erasure      when a member goes; audit walks from a model back to every consent
    bundle       what a buyer opens: one sealed file, and a sample model that only a verified one gives
    collective   what members decide together: membership, proposals, ballots, licences
    payouts      a price in whole cents, paid once
    web          the pages in which a buyer looks at a sample
    demo, replay, job, bench  made-up collectives, the story of one sale, Vana's compute job, speed beside the peers
    cli          the commands, without logic of their own

Under them all lie ``transparency`` (keys, signed documents, Merkle logs), ``canonical`` (bytes and their names),
``errors``, ``ranking`` (what makes a list good) and ``synthetic`` (people that do not exist). The journey in code::

    listens = recsys.read_export("my_spotify_data.zip")
    ledger = recsys.Ledger("ledger.db")
    admitted = recsys.admit(listens, ledger, purpose="train-recommender", at=now)
    music = recsys.build(admitted, min_listeners=5)
    split = recsys.strong_generalization(music.user_items, n_held_out=1_000, seed=0)
    model = recsys.ALS(factors=128, alpha=10.0).fit(split.train).model_
    scores = recsys.evaluate(model, split, [recsys.NDCG(100), recsys.Recall(20)])

Importing this package reads and writes nothing and loads none of the rooms; each name loads its room when first used.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version as _version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from recsys.als import ALS, ALSModel
    from recsys.consent import ConsentedListens, Ledger, admit
    from recsys.dataset import DatasetVersion, build
    from recsys.evaluation import NDCG, Recall, evaluate, strong_generalization
    from recsys.listens import Listens, read_export

__version__ = _version("recsys")

_ROOMS = {
    "read_export": "listens",
    "Listens": "listens",
    "Ledger": "consent",
    "admit": "consent",
    "ConsentedListens": "consent",
    "build": "dataset",
    "DatasetVersion": "dataset",
    "ALS": "als",
    "ALSModel": "als",
    "strong_generalization": "evaluation",
    "evaluate": "evaluation",
    "NDCG": "evaluation",
    "Recall": "evaluation",
}

__all__ = [
    "ALS",
    "NDCG",
    "ALSModel",
    "ConsentedListens",
    "DatasetVersion",
    "Ledger",
    "Listens",
    "Recall",
    "admit",
    "build",
    "evaluate",
    "read_export",
    "strong_generalization",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - PEP 562
    if name not in _ROOMS:
        raise AttributeError(f"module 'recsys' has no attribute {name!r}")
    return getattr(import_module(f"recsys.{_ROOMS[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
