"""Split, fit, evaluate, track: a training run that can be read aloud on one page.

``config`` holds what a training run can be told, ``run`` is the page, :mod:`recsys.provenance` what is signed about its
model.
After a withdrawal ``affected`` finds what used somebody's data, and ``retrain`` repeats a run without them, with a
``receipt`` that anybody can check.
"""

from __future__ import annotations

from recsys.experiment.affected import Affected, affected, tag_affected
from recsys.experiment.config import Experiment, als_keys, load_experiment
from recsys.experiment.receipt import ErasureReceipt, check_receipt
from recsys.experiment.retrain import Retrained, retrain
from recsys.experiment.run import METRICS, Outcome, Trained, divide, report_run, run, train
from recsys.provenance import Provenance

__all__ = [
    "METRICS",
    "Affected",
    "ErasureReceipt",
    "Experiment",
    "Outcome",
    "Provenance",
    "Retrained",
    "Trained",
    "affected",
    "als_keys",
    "check_receipt",
    "divide",
    "load_experiment",
    "report_run",
    "retrain",
    "run",
    "tag_affected",
    "train",
]
