"""Implicit-feedback matrix factorization by alternating least squares: the numerical core. It knows arrays, no people.

Why ALS: on a CPU it reaches the quality of far heavier models within a minute; it needs no sampling, so the same data
and seed give the same bits; and a person who was not trained on is served by the very step that training is made of.

In the order in which numbers pass through: `inputs` (canonical matrix), `objective` (the loss), `start`, `basis`,
`halfstep` (over the compiled `kernel`; `reference` is its ten-line twin), `training` (sweeps), `model`, `topk`,
`diversity`, `estimator`, `watching`.
"""

from recsys.als.estimator import ALS
from recsys.als.model import ALSModel
from recsys.als.objective import Objective
from recsys.als.watching import StopEarly

__all__ = ["ALS", "ALSModel", "Objective", "StopEarly"]
