"""What it takes to take part: a model that can be trained, and the settings that may be tried."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from optuna.distributions import BaseDistribution

from recsys.evaluation import Recommender

Params = Mapping[str, Any]
Watch = Callable[[int, Recommender], bool]
"""Called with the sweep and the model so far; a true answer ends training."""


@dataclass(frozen=True)
class Training:
    """What training is told beside its data and settings.

    Attributes
    ----------
    seed
        Decides what is drawn.
    watch
        Looks on, where a model comes about sweep by sweep.
    keys
        Stable numbers of the items, by which their factors start; their places unless given.
    """

    seed: int = 0
    watch: Watch | None = None
    keys: NDArray[np.uint64] | None = None


class Fit(Protocol):
    """Trains a model on the plays of training users."""

    def __call__(self, plays: sp.csr_matrix, params: Params, training: Training) -> Recommender:
        """Return a model that takes plays."""


Settle = Callable[[Params, sp.csr_matrix], Params]


@dataclass(frozen=True)
class Contender:
    """A kind of model.

    Attributes
    ----------
    name
        What tables and options call it.
    title
        What it is, in a few words.
    fit
        Trains it.
    space
        What may be tried; empty if there is nothing to choose.
    start
        The settings that are tried first.
    ladder
        For a setting that costs more the larger it is: its values, smallest first. The others are searched at the
        first; then it is raised as long as that helps.
    settle
        Brings what is tried on such plays into the terms that `fit` takes, which are told as found; by default they are
        the same.
    then
        Given what was found, the contender that adds to it: its settings are searched with the others as they are.
    too_large
        Says why it cannot take part on such plays, shape (users, items), if it cannot.
    """

    name: str
    title: str
    fit: Fit
    space: Mapping[str, BaseDistribution] = field(default_factory=dict)
    start: Params = field(default_factory=dict)
    ladder: tuple[str, tuple[int, ...]] | None = None
    settle: Settle | None = None
    then: Callable[[Params], Contender] | None = None
    too_large: Callable[[sp.csr_matrix], str | None] | None = None

    def settled(self, params: Params, plays: sp.csr_matrix) -> Params:
        """Give the settings that `fit` takes for what is tried on these plays."""
        return self.settle(params, plays) if self.settle else params
