"""Who is measured, and how each is made to minimise the same loss from the same start.

The loss is that of :mod:`recsys.als.objective` in the ``implicit`` convention: a stored pair of confidence c costs
``c (1 - s)^2``, any other ``s^2``. ``irspack`` (loss type ORIGINAL) and ``cmfrec`` add 1 to the values they are given,
so they get c - 1. All start from implicit's kind of start, uniform in [0, 0.01), except ``cmfrec``, which cannot be
given one; it cannot be watched while it works either, so it is trained three times, to a third, two thirds and all of
the sweeps.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Protocol

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from recsys.errors import ConfigError

if TYPE_CHECKING:
    from cmfrec import CMF_implicit

Factors = tuple[NDArray[np.float32], NDArray[np.float32]]
"""User factors, shape (users, factors), and item factors, shape (items, factors)."""


class Watch(Protocol):
    """The clock of a run."""

    def start(self) -> None:
        """Set the clock to zero and let it run."""

    def sweep_done(self, sweep: int, factors: Callable[[], Factors]) -> None:
        """Note the time after sweep number `sweep`, counted from 1; what follows inside is not on the clock."""


@dataclass(frozen=True)
class Task:
    """What all contestants are given.

    Attributes
    ----------
    confidence
        c of each stored pair, shape (users, items), float32.
    factors, regularization
        Size of the model and the penalty on squared factors.
    sweeps, threads, seed
        Full sweeps to take, threads to take them with, and the seed of whoever draws a start.
    start
        User and item factors to start from; without them each draws its own, as it would for anybody.
    """

    confidence: sp.csr_matrix
    factors: int
    regularization: float
    sweeps: int
    threads: int
    seed: int
    start: Factors | None

    def extra_confidence(self) -> sp.csr_matrix:
        """Turn c into c - 1, in place: nobody else holds the values while memory is measured."""
        self.confidence.data -= 1
        return self.confidence


Run = Callable[[Watch], None]


@dataclass(frozen=True)
class Contestant:
    """A package that factorizes.

    Attributes
    ----------
    name
        What it is called in a table, and the package whose version is named.
    module
        What to import before memory is measured.
    prepare
        Imports the package and brings a task into its form, off the clock; the run that it returns is on the clock.
    blas_threads
        Threads that BLAS may use in its process, None for as many as the task allows: ``implicit`` asks for one.
    """

    name: str
    module: str
    prepare: Callable[[Task], Run]
    blas_threads: int | None = None

    def version(self) -> str:
        """Name the version that is installed.

        Raises
        ------
        ConfigError
            If none is.
        """
        try:
            return version(self.name)
        except PackageNotFoundError as error:
            raise ConfigError(
                f"{self.name} is not installed; to compare with it: pip install 'recsys[bench]'"
            ) from error


def _recsys(task: Task) -> Run:
    from recsys.als import ALS  # noqa: PLC0415 - each process loads what it measures, nothing else

    als = ALS(
        factors=task.factors, regularization=task.regularization, iterations=task.sweeps, num_threads=task.threads
    )

    def run(watch: Watch) -> None:
        watch.start()
        als.fit(
            task.confidence,
            start=task.start,
            callback=lambda sweep, _, model: watch.sweep_done(sweep, lambda: (model.user_factors, model.item_factors)),
        )

    return run


def _implicit(task: Task) -> Run:
    from implicit.cpu.als import AlternatingLeastSquares  # noqa: PLC0415 - as in `_recsys`

    model = AlternatingLeastSquares(
        factors=task.factors,
        regularization=task.regularization,
        iterations=task.sweeps,
        num_threads=task.threads,
        random_state=task.seed,
    )
    model.user_factors, model.item_factors = task.start or (None, None)

    def after(iteration: int, _elapsed: float, _loss: float | None) -> None:
        watches[0].sweep_done(iteration + 1, lambda: (model.user_factors, model.item_factors))

    watches: list[Watch] = []

    def run(watch: Watch) -> None:
        watches.append(watch)
        watch.start()
        model.fit(task.confidence, show_progress=False, callback=after)

    return run


def _irspack(task: Task) -> Run:
    from irspack.recommenders.ials import IALSTrainer, str_to_loss_type, str_to_solver_type  # noqa: PLC0415

    extra = task.extra_confidence()

    def run(watch: Watch) -> None:
        watch.start()
        trainer = IALSTrainer(
            extra,
            n_components=task.factors,
            alpha0=1.0,
            reg=task.regularization,
            nu=0.0,
            init_std=0.01,
            solver_type=str_to_solver_type("CG"),
            max_cg_steps=3,
            ialspp_subspace_dimension=64,
            loss_type=str_to_loss_type("ORIGINAL"),
            random_seed=task.seed,
            n_threads=task.threads,
            prediction_time_max_cg_steps=3,
            prediction_time_ialspp_iteration=1,
        )
        core = trainer.core_trainer
        if task.start:
            core.user, core.item = task.start
        for sweep in range(1, task.sweeps + 1):
            trainer.run_epoch()
            watch.sweep_done(sweep, lambda: (core.user, core.item))

    return run


def _cmfrec(task: Task) -> Run:
    from cmfrec import CMF_implicit  # noqa: PLC0415 - as in `_recsys`

    pairs = task.extra_confidence().tocoo(copy=False)

    def run(watch: Watch) -> None:
        for sweeps in sorted({max(1, task.sweeps * third // 3) for third in (1, 2, 3)}):
            model = CMF_implicit(
                k=task.factors,
                lambda_=task.regularization,
                alpha=1.0,
                use_cg=True,
                niter=sweeps,
                max_cg_steps=3,
                finalize_chol=False,
                precompute_for_predictions=False,
                random_state=task.seed + 1,
                nthreads=task.threads,
            )
            watch.start()
            model.fit(pairs)
            watch.sweep_done(sweeps, partial(_of_cmfrec, model))

    return run


def _of_cmfrec(model: CMF_implicit) -> Factors:
    return model.A_, model.B_


CONTESTANTS = {
    contestant.name: contestant
    for contestant in (
        Contestant("recsys", "recsys.als", _recsys),
        Contestant("implicit", "implicit.cpu.als", _implicit, blas_threads=1),
        Contestant("irspack", "irspack.recommenders.ials", _irspack),
        Contestant("cmfrec", "cmfrec", _cmfrec),
    )
}


def contestant(name: str) -> Contestant:
    """Look a contestant up and see that it is installed; ``ConfigError`` says what to do if not."""
    if name not in CONTESTANTS:
        raise ConfigError(f"nobody to compare with is called {name!r}; take of {', '.join(CONTESTANTS)}")
    found = CONTESTANTS[name]
    found.version()
    return found
