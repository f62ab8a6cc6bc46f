"""What fitting yields: factors that do not change any more, and everything that can be asked of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike, NDArray

from recsys.als import explaining, files, topk
from recsys.als.diversity import CANDIDATES, rerank
from recsys.als.halfstep import Effort, Fixed, Machine
from recsys.als.inputs import Side, canonical
from recsys.als.objective import Float32s, Float64s, Objective
from recsys.als.theirs import implicit_model
from recsys.als.topk import Ids, Shelf
from recsys.errors import ModelInvalidError

if TYPE_CHECKING:
    from implicit.cpu.als import AlternatingLeastSquares

_EXACT = Effort(steps=1000, tolerance=1e-6)


@dataclass(frozen=True, eq=False)
class ALSModel:
    """Factors of users and items whose inner products are scores; immutable.

    Parameters
    ----------
    user_factors, item_factors
        Shapes (users, factors) and (items, factors); kept as read-only float32 in C order, copied where they are not
        that already.
    objective
        The loss that the factors minimise; folding in new users needs it.
    num_threads
        Threads for the methods below; 0 takes all processors.

    Raises
    ------
    ModelInvalidError
        If the shapes do not fit each other, or a factor is not finite.
    """

    user_factors: Float32s = field(repr=False)
    item_factors: Float32s = field(repr=False)
    objective: Objective = field(default_factory=Objective)
    num_threads: int = 0

    def __post_init__(self) -> None:
        for name in ("user_factors", "item_factors"):
            object.__setattr__(self, name, _frozen(name, getattr(self, name)))
        if self.user_factors.shape[1] != self.item_factors.shape[1]:
            raise ModelInvalidError(
                f"users have {self.user_factors.shape[1]} factors, items {self.item_factors.shape[1]}; "
                "both sides need the same number"
            )

    @property
    def factors(self) -> int:
        """Numbers per user and per item."""
        return int(self.item_factors.shape[1])

    @property
    def n_items(self) -> int:
        """Number of items."""
        return len(self.item_factors)

    @cached_property
    def _gram(self) -> Float64s:
        return self._machine.gram(self.item_factors)

    @cached_property
    def _fixed_items(self) -> Fixed:
        return Fixed.prepare(self.item_factors, self.objective, self._machine, half=False)

    @property
    def _machine(self) -> Machine:
        return Machine.choose(self.num_threads)

    def fold_in(self, user_items: sp.csr_matrix) -> Float32s:
        """Compute the factors that these histories have, as if their users had been trained on with items fixed.

        It is the users' half-step of training, carried to the exact solution.

        Parameters
        ----------
        user_items
            Row r is one history, shape (any number, items).

        Returns
        -------
        Factors, shape (rows, factors).

        Raises
        ------
        ValueError
            If the number of columns is not the number of items, or a value is not finite.
        SolveFailedError
            If a row has no finite solution.
        """
        matrix = canonical(user_items, self.n_items)
        out = np.zeros((matrix.shape[0], self.factors), dtype=np.float32)
        self._fixed_items.solve(Side.of("user", matrix, self.objective), out, _EXACT)
        return out

    def recommend(  # noqa: PLR0917 - as `implicit` has them
        self,
        userid: ArrayLike,
        user_items: sp.csr_matrix | None,
        N: int = 10,
        filter_already_liked_items: bool = True,
        filter_items: ArrayLike | None = None,
        recalculate_user: bool = False,
        items: ArrayLike | None = None,
        *,
        diversity: float = 0.0,
    ) -> tuple[Ids, Float32s]:
        """Give each user's best items, best first; of equal scores the lower id comes first.

        Names, order and shapes follow `implicit`.

        Parameters
        ----------
        userid
            One user id, or several.
        user_items
            Row r is the history of ``userid[r]``; needed to leave out what they have and to recalculate them.
        N
            Number of items for each user.
        filter_already_liked_items
            Leave out the items of the history.
        filter_items
            Items that nobody is to get.
        recalculate_user
            Fold the history in, rather than use the trained factors; `userid` then names nothing.
        items
            The only items to choose from; at most ``len(items)`` places are given then.
        diversity
            Above 0 and up to 1: prefer items unlike those above them in the list (`recsys.als.diversity`).

        Returns
        -------
        ids, scores
            Shapes (N,) for one user and (users, N) for several; places that cannot be filled hold -1 and -inf.
        """
        users = np.atleast_1d(np.asarray(userid, dtype=np.int64))
        history = None
        if filter_already_liked_items or recalculate_user:
            history = self._history(user_items, len(users))
        query = self.fold_in(history) if recalculate_user and history is not None else self.user_factors[users]
        shelf, places = self._shelf, N
        if items is not None or filter_items is not None:
            chosen = topk.choose(self.n_items, items, filter_items)
            shelf = Shelf.of(self.item_factors, chosen, self._machine)
            places = N if items is None else min(N, len(chosen))
        seen = history if filter_already_liked_items else None
        if diversity:
            many = shelf.best(query, places * CANDIDATES, seen)
            ids, scores = rerank(*many, self._directions, places, diversity)
        else:
            ids, scores = shelf.best(query, places, seen)
        return (ids[0], scores[0]) if np.ndim(userid) == 0 else (ids, scores)

    def _history(self, user_items: sp.csr_matrix | None, n_users: int) -> sp.csr_matrix:
        if user_items is None:
            raise ValueError("user_items is missing: it is needed to leave out known items and to recalculate users")
        history = canonical(user_items, self.n_items)
        if history.shape[0] != n_users:
            raise ValueError(
                f"user_items has {history.shape[0]} rows for {n_users} user ids; pass one row for each, "
                "for example user_items[userid]"
            )
        return history

    @cached_property
    def _shelf(self) -> Shelf:
        return Shelf.of(self.item_factors, topk.choose(self.n_items, None, None), self._machine)

    @cached_property
    def _directions(self) -> Float32s:
        norms = np.linalg.norm(self.item_factors, axis=1, keepdims=True)
        directions: Float32s = self.item_factors / np.maximum(norms, np.finfo(np.float32).tiny)
        return directions

    @cached_property
    def _shelf_of_directions(self) -> Shelf:
        return Shelf.of(self._directions, topk.choose(self.n_items, None, None), self._machine)

    def similar_items(self, itemid: ArrayLike, N: int = 10) -> tuple[Ids, Float32s]:
        """Give the items whose factors point the same way, nearest first, with the cosine; the item itself is one.

        Parameters
        ----------
        itemid
            One item id, or several.
        N
            Number of neighbours for each.

        Returns
        -------
        ids, cosines
            Shapes (N,) for one item and (items, N) for several.
        """
        query = self._directions[np.atleast_1d(np.asarray(itemid))]
        ids, scores = self._shelf_of_directions.best(query, N)
        return (ids[0], scores[0]) if np.ndim(itemid) == 0 else (ids, scores)

    def explain(
        self, userid: int, user_items: sp.csr_matrix, itemid: int, N: int = 10
    ) -> tuple[float, list[tuple[int, float]]]:
        """Say which items of a history speak for an item (Hu et al. 2008, section 5).

        Parameters
        ----------
        userid
            Row of `user_items` that is the history; a matrix of one row is that history.
        user_items
            Histories, shape (users, items).
        itemid
            The item whose score is explained.
        N
            Number of contributions to give.

        Returns
        -------
        score, contributions
            The folded-in user's score of the item, and the largest parts of it as (item, part), largest first. All
            parts together add up to the score.
        """
        row = canonical(user_items, self.n_items)
        row = row[0 if row.shape[0] == 1 else userid]
        parts = self.parts(row, [itemid])[:, 0]
        best = np.argsort(-parts, kind="stable")[:N]
        return float(parts.sum()), [(int(row.indices[i]), float(parts[i])) for i in best if row.data[i] > 0]

    def parts(self, history: sp.csr_matrix, items: ArrayLike) -> NDArray[np.float64]:
        """Divide a folded-in user's scores of several items among a history; see :mod:`recsys.als.explaining`."""
        return explaining.parts(self.item_factors, self._gram, self.objective, history, items)

    def loss(self, user_items: sp.csr_matrix) -> float:
        """Evaluate the training objective, in double precision, for the users that were trained on.

        `user_items` has one row per row of `user_factors`. See `recsys.als.objective`.
        """
        matrix = canonical(user_items, self.n_items)
        if matrix.shape[0] != len(self.user_factors):
            raise ValueError(f"user_items has {matrix.shape[0]} rows, the model {len(self.user_factors)} users")
        return self.objective.loss(matrix, self.user_factors, self.item_factors)

    def save(self, path: str | Path) -> None:
        """Write the model to one safetensors file; it appears whole or not at all."""
        files.save(Path(path), {"user_factors": self.user_factors, "item_factors": self.item_factors}, self.objective)

    @classmethod
    def load(cls, path: str | Path, num_threads: int = 0) -> ALSModel:
        """Read a model that :meth:`save` wrote; nothing in the file is executed.

        Raises
        ------
        ModelInvalidError
            If the file is not such a model: names the file, what is wrong, and what was expected.
        """
        arrays, objective = files.load(Path(path), ("user_factors", "item_factors"))
        try:
            return cls(**arrays, objective=objective, num_threads=num_threads)
        except ModelInvalidError as error:
            raise ModelInvalidError(f"{path}: {error}") from error

    def to_implicit(self, user_items: sp.csr_matrix | None = None) -> AlternatingLeastSquares:
        """Give an `implicit` model with the same factors.

        Parameters
        ----------
        user_items
            Histories to fold in, shape (any number, items): then its users are these, and any loss will do, as long as
            it is not asked to recalculate them. Without it, its users are those of this model.

        Raises
        ------
        ValueError
            If the loss is one that `implicit` does not know, and no histories are given.
        """
        if user_items is None and (self.objective.kind != "implicit" or self.objective.nu != 0):
            raise ValueError(
                "implicit knows objective='implicit' with nu=0 only; its fold-in would differ from this model's: "
                "give the histories of those to recommend to, to_implicit(user_items), and they are folded in here"
            )
        users = self.user_factors if user_items is None else self.fold_in(user_items)
        return implicit_model(users, self.item_factors, self.objective, self.num_threads)


def _frozen(name: str, array: Any) -> Float32s:  # noqa: ANN401 - checked here
    array = np.asarray(array)
    if array.ndim != 2 or array.shape[1] == 0:  # noqa: PLR2004 - rows and factors
        raise ModelInvalidError(f"{name} has shape {array.shape}; expected (rows, factors)")
    if array.dtype.kind != "f":
        raise ModelInvalidError(f"{name} holds {array.dtype}; expected float32")
    if not np.isfinite(array).all():
        row = int(np.argmin(np.isfinite(array).all(axis=1)))
        raise ModelInvalidError(f"{name} holds NaN or infinity in row {row}; train again or take another file")
    if array.flags.writeable or array.dtype != np.float32 or not array.flags.c_contiguous:
        array = np.array(array, dtype=np.float32, order="C")
        array.flags.writeable = False
    frozen: Float32s = array
    return frozen
