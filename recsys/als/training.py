"""The sweeps: users, then items, with a guarded extrapolation between them.

After each sweep the item factors may be extrapolated along the way they just went, ``Y + beta (Y - Y_before)``, and
the next users' half-step is taken from there (nonlinear acceleration of ALS; De Sterck and Winlaw, "A nonlinearly
preconditioned conjugate gradient algorithm for rank-R canonical tensor approximation", 2015, is the same idea). The
loss after that half-step is known for free; where it lies above the loss of the sweep before, the extrapolation is
dropped and the half-step repeated from Y. It sets out from where the extrapolation had led the users; where a few steps
do not bring them back, the sweep goes on for as many more, so that the loss never rises.

Before the first sweep over everybody a few sweeps over every tenth user find most of what the items' factors have to
say, at a tenth of the gathering: what is common is common among a sample too (measured, 17.4M pairs and 128 factors:
five of them bring the loss of plain ALS after 15 sweeps within 4 sweeps instead of 9).

A half-step works in a basis of its own (:mod:`recsys.als.basis`). Where that basis only turns the coordinates, nothing
is turned back: the loss is the same in all of them. Solved users stay in the basis of their half-step; when they are
held fixed they are rotated anyway, and the items follow them from where they were. After a sweep both are in one basis.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import scipy.sparse as sp

from recsys.als.basis import one_blas_thread
from recsys.als.halfstep import Effort, Fixed, Machine, goes_direct
from recsys.als.inputs import Side
from recsys.als.lead import Lead
from recsys.als.objective import Float32s, Float64s, Objective
from recsys.errors import ModelInvalidError

_SLACK = 1e-6  # relative rounding of the loss that the half-steps report
_SAMPLE = 10  # one user in so many takes part in the warm-up
_LEAST_SAMPLE = 1000


@dataclass(frozen=True)
class Recipe:
    """How the loss is minimised, as opposed to what the loss is."""

    effort: Effort
    momentum: float
    half: bool
    machine: Machine
    warm_up: int = 0


@dataclass
class State:
    """All that the next sweep depends on. `lead` is where the next users' half-step takes the items' factors from."""

    user_factors: Float32s
    item_factors: Float32s
    lead: Lead
    sweep: int = 0
    streak: int = 0
    losses: list[float] = field(default_factory=list)


class Training:
    """Sweeps over one matrix.

    Parameters
    ----------
    user_items
        Canonical matrix; row r belongs to row r of the state's user factors.
    objective, recipe
        What is minimised, and how.
    state
        Where to go on from; changed in place.
    """

    def __init__(self, user_items: sp.csr_matrix, objective: Objective, recipe: Recipe, state: State) -> None:
        self.state = state
        self._objective = objective
        self._recipe = recipe
        if not state.sweep and recipe.warm_up:
            _warm_up(user_items, objective, recipe, state)
        self._users = Side.of("user", user_items, objective)
        self._items = Side.of("item", user_items.T.tocsr(), objective)
        self._constant = objective.constant(user_items.data)
        self._user_squares: Float64s | None = None
        self._turn: Float64s | None = None  # of the users' coordinates against those of the items, within a sweep

    def sweep(self) -> None:
        """Take one users' and one items' half-step; the loss after them, to about six digits, joins the state."""
        state = self.state
        if self._rose(self._solve_users()) and state.streak:
            self._drop_extrapolation()
            self._solve_users()
        loss = self._solve_items()
        if self._rose(loss):
            self._drop_extrapolation()
            self._solve_users()
            loss = self._solve_items()
        state.losses.append(loss)
        state.sweep += 1
        state.streak += 1

    def _rose(self, loss: float) -> bool:
        """Say whether a loss lies above that of the sweep before."""
        return bool(self.state.losses) and not loss <= self.state.losses[-1] * (1 + _SLACK)

    def _drop_extrapolation(self) -> None:
        self.state.streak = 0
        self.state.lead.fill(self.state.item_factors)

    def _solve_users(self) -> float:
        fixed = self._hold_items()
        turn = _product(None if self._turn is None else self._turn.T, fixed.basis.turn)
        solved = fixed.solve(self._users, self.state.user_factors, self._recipe.effort, turn=turn)
        self._turn, self._user_squares = fixed.basis.turn, solved.squares
        return solved.reached + self._constant + fixed.penalty(self._items.ridge)

    def _solve_items(self) -> float:
        state, lead, machine = self.state, self.state.lead, self._recipe.machine
        lead.make_room()
        follow = not goes_direct(self._items, state.item_factors.shape[1], len(state.user_factors))
        if self._turn is not None and not follow:  # it takes less to bring the users back to where the items are
            machine.turn(state.user_factors, self._turn.T)
            self._turn = None
        half, squares = self._recipe.half, self._user_squares
        fixed = Fixed.prepare(state.user_factors, self._objective, machine, half=half, squares=squares, turn=follow)
        turn = _product(self._turn, fixed.basis.turn) if follow else None
        momentum = self._recipe.momentum if state.streak else 0.0
        solved = fixed.solve(self._items, state.item_factors, self._recipe.effort, lead, momentum, turn=turn)
        self._turn, lead.squares = None, solved.squares
        return solved.reached + self._constant + fixed.penalty(self._users.ridge)

    def _hold_items(self) -> Fixed:
        """Rotate the items' factors; where they outgrew what the buffer can hold, they are copied to it anew."""
        state, k = self.state, self.state.item_factors.shape[1]
        try:
            return Fixed.consume(state.lead, k, self._objective, self._recipe.machine)
        except ModelInvalidError:
            self._drop_extrapolation()
            return Fixed.consume(state.lead, k, self._objective, self._recipe.machine)


def _product(first: Float64s | None, then: Float64s | None) -> Float64s | None:
    if first is None or then is None:
        return then
    with one_blas_thread():
        return first @ then


def _warm_up(user_items: sp.csr_matrix, objective: Objective, recipe: Recipe, state: State) -> None:
    """Sweep over a sample of users, where it is large enough to tell of all; the items' factors are left in `state`.

    The sweeps turn the coordinates of the sample and of the items; the users begin at zero then, which has none.
    """
    n_users, factors = state.user_factors.shape
    if n_users // _SAMPLE < max(_LEAST_SAMPLE, 2 * factors):
        return
    sample = State(state.user_factors[::_SAMPLE].copy(), state.item_factors, state.lead)
    training = Training(user_items[::_SAMPLE], objective, replace(recipe, warm_up=0), sample)
    for _ in range(recipe.warm_up):
        training.sweep()
    state.user_factors[:] = 0
