"""The estimator: hyper-parameters in, model out, with scikit-learn's manners."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass, field, replace
from functools import wraps
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from recsys.als import checkpoints, parameters, watching
from recsys.als.halfstep import Effort, Machine
from recsys.als.inputs import canonical
from recsys.als.interrupts import held_back
from recsys.als.lead import Lead
from recsys.als.model import ALSModel
from recsys.als.objective import Float32s, Kind, Objective
from recsys.als.start import item_start
from recsys.als.training import Recipe, State, Training

Callback = Callable[[int, float, ALSModel], bool | None]
P = ParamSpec("P")
R = TypeVar("R")
Start = tuple[ArrayLike | None, ArrayLike]


def _help(default: Any, text: str) -> Any:  # noqa: ANN401 - stands for a default of any type
    return field(default=default, metadata={"help": text})


def _delegated(method: Callable[Concatenate[ALSModel, P], R]) -> Callable[Concatenate[ALS, P], R]:
    """Offer a model's method on the estimator, so that who comes from `implicit` finds it where it was."""

    @wraps(method)
    def call(self: ALS, /, *args: P.args, **kwargs: P.kwargs) -> R:
        return method(self._fitted(), *args, **kwargs)

    return call


@dataclass(eq=False, repr=False)
class ALS(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Implicit-feedback ALS (Hu, Koren and Volinsky 2008) as a scikit-learn estimator.

    `fit` leaves `model_`, an immutable :class:`~recsys.als.model.ALSModel`; what the loss is stands in
    `recsys.als.objective`. Each hyper-parameter's ``metadata["help"]`` says what it does in one sentence.

    Attributes
    ----------
    model_
        The fitted model.
    n_iter_
        Sweeps taken.
    losses_
        Loss after each sweep as the half-steps report it, right to about six digits; ``model_.loss`` is exact.
    n_features_in_
        Number of items.

    Examples
    --------
    Two tastes that never mix: who likes the even items is given even items.

    >>> import numpy as np, scipy.sparse as sp
    >>> likes = sp.csr_matrix((np.indices((6, 8)).sum(axis=0) % 2 == 0).astype(np.float32))
    >>> likes[0, 2] = 0
    >>> model = ALS(factors=2, alpha=10.0).fit(likes).model_
    >>> int(model.recommend(0, likes[0], N=1)[0][0])
    2
    """

    factors: int = _help(64, "Numbers per user and per item; more find finer tastes and cost more.")
    _: KW_ONLY
    regularization: float = _help(0.01, "Penalty on the squared length of factors; more keeps them smaller.")
    alpha: float = _help(1.0, "Weight of a stored value: its confidence is alpha times the value.")
    objective: Kind = _help(  # noqa: RUF009 - a field
        "implicit",
        "'implicit': a stored pair's weight replaces that of unobserved pairs; 'ials': it is added to theirs.",
    )
    unobserved_weight: float = _help(1.0, "Weight of unobserved pairs under objective='ials'.")
    nu: float = _help(0.0, "Exponent that scales regularization by how often a user or item occurs; 0 turns it off.")
    iterations: int = _help(15, "Sweeps over users and items at most.")
    random_state: int = _help(0, "Seed of the items' start factors and of the division in score.")
    num_threads: int = _help(0, "Threads to use; 0 takes all processors. The result never depends on it.")
    tolerance: float = _help(0.0, "Stop when a sweep lowers the loss by less than this fraction of it.")
    cg_steps: int = _help(2, "Conjugate gradient steps per row and half-step; 3 is as good as exact.")
    momentum: float = _help(1.0, "Extrapolation of the items' factors between sweeps; 0 gives plain ALS.")
    warm_up: int = _help(5, "Sweeps over every tenth user before the first over all; 0 begins with all.")
    half_precision: bool = _help(
        True, "Read fixed factors in half precision while training: faster, same loss to 6 digits."
    )

    def fit(
        self,
        user_items: Any,  # noqa: ANN401 - any sparse or dense matrix
        y: None = None,  # noqa: ARG002 - scikit-learn's signature
        *,
        item_keys: NDArray[np.uint64] | None = None,
        start: Start | None = None,
        callback: Callback | None = None,
        checkpoint: str | Path | None = None,
        show_progress: bool = False,
    ) -> Self:
        """Train on a matrix; what was fitted before is forgotten.

        Parameters
        ----------
        user_items
            Row r is the history of user r, shape (users, items): values are weights, an absent pair is unobserved, a
            negative value is a dislike.
        y
            Ignored.
        item_keys
            One stable unsigned integer per item; with `random_state` it decides where the item's factors start,
            whatever other items and users there are. By default an item's key is its column.
        start
            Factors (users or None, items) to start from instead; None starts the users at zero, as a warm-up does. Set
            `warm_up` to 0 to go on from factors that were trained already.
        callback
            Called as ``callback(sweep, loss, model)`` after each sweep, counted from 1; a true answer stops training:
            :class:`recsys.als.StopEarly` does so when held-out users are served no better.
            `model` shows the factors as they are: it holds for the duration of the call only.
        checkpoint
            A file that keeps the state after each sweep. Where it exists, training goes on from it and ends with the
            very bits that it would have had uninterrupted.
        show_progress
            Show a bar, with the loss after each sweep.

        Returns
        -------
        The estimator.

        Raises
        ------
        ValueError
            If a hyper-parameter or the matrix is not usable.
        SolveFailedError
            If a row has no finite solution.
        ModelInvalidError
            If `checkpoint` belongs to other data or other hyper-parameters.
        """
        parameters.check(self.get_params())
        matrix = canonical(user_items)
        parameters.check_pairs(matrix)
        state = self._start(matrix, item_keys, start)
        keeper = self._keeper(checkpoint, matrix, state)
        state = keeper.resume() if keeper else state
        with watching.shown(self.iterations, asked=show_progress) as show:
            self._run(matrix, state, self.iterations, callback, keeper, warm_up=self.warm_up, show=show)
        return self

    def refresh(
        self,
        user_items: Any,  # noqa: ANN401 - any sparse or dense matrix
        *,
        item_keys: NDArray[np.uint64] | None = None,
        iterations: int = 3,
        callback: Callback | None = None,
        show_progress: bool = False,
    ) -> Self:
        """Bring the fitted model up to date: fold everyone in, old and new, then take a few warm sweeps.

        Parameters
        ----------
        user_items
            The histories as they are now. Rows may come and go in any way; columns keep their places, and new items
            are added behind them.
        item_keys, callback, show_progress
            As in :meth:`fit`.
        iterations
            Sweeps to take.

        Returns
        -------
        The estimator; `losses_` and `n_iter_` tell of these sweeps.
        """
        check_is_fitted(self)
        matrix = canonical(user_items)
        known = self.model_.n_items
        if matrix.shape[1] < known:
            raise ValueError(
                f"user_items has {matrix.shape[1]} columns, the model {known} items; items keep their places"
            )
        fresh = self._item_start(matrix, item_keys)[known:]
        users = self.model_.fold_in(matrix[:, :known])
        start = (users, np.concatenate([self.model_.item_factors, fresh]))
        with watching.shown(iterations, asked=show_progress) as show:
            self._run(matrix, self._start(matrix, item_keys, start), iterations, callback, None, show=show)
        return self

    def _item_start(self, matrix: sp.csr_matrix, item_keys: NDArray[np.uint64] | None) -> Float32s:
        keys = np.arange(matrix.shape[1]) if item_keys is None else np.asarray(item_keys)
        if keys.shape != (matrix.shape[1],) or keys.dtype.kind not in "ui":
            raise ValueError(
                f"item_keys holds {keys.dtype} of shape {keys.shape}; expected one unsigned integer for each of the "
                f"{matrix.shape[1]} columns"
            )
        return item_start(keys.astype(np.uint64), self.factors, self.random_state)

    def _start(self, matrix: sp.csr_matrix, item_keys: NDArray[np.uint64] | None, start: Start | None) -> State:
        users, items = start if start is not None else (None, None)
        if items is None:
            items = self._item_start(matrix, item_keys)
        if users is None:
            users = np.zeros((matrix.shape[0], self.factors), dtype=np.float32)
        X = parameters.start_factors("users", users, (matrix.shape[0], self.factors), fresh=start is None)
        Y = parameters.start_factors("items", items, (matrix.shape[1], self.factors), fresh=start is None)
        return State(X, Y, Lead.of(Y, half=self.half_precision))

    def loss_function(self) -> Objective:
        """Give the loss that these hyper-parameters describe."""
        return Objective(self.objective, self.alpha, self.regularization, self.unobserved_weight, self.nu)

    def _keeper(self, path: str | Path | None, matrix: sp.csr_matrix, state: State) -> checkpoints.Keeper | None:
        if path is None:
            return None
        return checkpoints.Keeper.of(path, self.get_params(), self.loss_function(), matrix, state)

    def _run(
        self,
        matrix: sp.csr_matrix,
        state: State,
        iterations: int,
        callback: Callback | None,
        keeper: checkpoints.Keeper | None,
        *,
        show: Callable[[int, float], None],
        warm_up: int = 0,
    ) -> None:
        """Sweep until done; Ctrl-C waits for the end of a sweep, leaves the model so far and goes on to the caller."""
        machine = Machine.choose(self.num_threads)
        recipe = Recipe(Effort(self.cg_steps, 0.0), self.momentum, self.half_precision, machine, warm_up)
        training = Training(matrix, self.loss_function(), recipe, state)
        try:
            while state.sweep < iterations and not self._converged(state.losses):
                with held_back():  # between the halves of a sweep users and items do not fit together
                    training.sweep()
                show(state.sweep, state.losses[-1])
                if keeper:
                    keeper.keep()
                if callback and callback(state.sweep, state.losses[-1], self._view(state)):
                    break
        except KeyboardInterrupt:
            self._finish(state)
            raise
        self._finish(state)

    def _converged(self, losses: list[float]) -> bool:
        return len(losses) > 1 and losses[-2] - losses[-1] < self.tolerance * abs(losses[-1])

    def _view(self, state: State) -> ALSModel:
        """Show the factors as they are, unchecked: that each row's loss is finite was seen while it was solved."""
        model = object.__new__(ALSModel)
        for name in ("user_factors", "item_factors"):
            vars(model)[name] = getattr(state, name).view()
            vars(model)[name].flags.writeable = False
        vars(model).update(objective=self.loss_function(), num_threads=self.num_threads)
        return model

    def _finish(self, state: State) -> None:
        self.model_ = replace(self._view(state))  # checked
        self.n_iter_ = state.sweep
        self.losses_ = np.array(state.losses)
        self.n_features_in_ = self.model_.n_items
        self._n_features_out = self.factors

    def transform(self, user_items: Any) -> Float32s:  # noqa: ANN401 - any sparse or dense matrix
        """Fold histories in: their factors, shape (rows, factors). See :meth:`ALSModel.fold_in`."""
        return self._fitted().fold_in(user_items)

    def score(self, user_items: Any, y: None = None) -> float:  # noqa: ANN401, ARG002 - scikit-learn's signature
        """Give the mean ndcg_at_100 of users the model need not know.

        80% of each history, drawn by `random_state`, is folded in; the rest is to be found among the first 100
        recommendations. Users with a single item have nothing to find and do not count.

        Parameters
        ----------
        user_items
            Histories, shape (users, items).
        y
            Ignored.
        """
        return watching.score(self._fitted(), user_items, self.random_state)

    fold_in = _delegated(ALSModel.fold_in)
    recommend = _delegated(ALSModel.recommend)
    similar_items = _delegated(ALSModel.similar_items)
    explain = _delegated(ALSModel.explain)
    loss = _delegated(ALSModel.loss)
    save = _delegated(ALSModel.save)
    to_implicit = _delegated(ALSModel.to_implicit)

    def _fitted(self) -> ALSModel:
        check_is_fitted(self, "model_")
        model: ALSModel = self.model_
        return model

    def __sklearn_tags__(self) -> Tags:
        tags: Tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.transformer_tags.preserves_dtype = []
        return tags
