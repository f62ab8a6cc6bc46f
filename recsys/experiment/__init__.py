"""Split, fit, evaluate, track: a training run that can be read aloud on one page.

``config`` holds what a training run can be told, ``run`` is the page.
"""

from __future__ import annotations

from recsys.experiment.config import Experiment, als_keys, load_experiment
from recsys.experiment.run import METRICS, Outcome, Trained, evaluate_run, run, train

__all__ = [
    "METRICS",
    "Experiment",
    "Outcome",
    "Trained",
    "als_keys",
    "evaluate_run",
    "load_experiment",
    "run",
    "train",
]
