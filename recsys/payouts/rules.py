"""What each rule counts: weights are whole numbers, so that everybody computes the same.

=========  =============================================================================================
rule       weight of a member
=========  =============================================================================================
equal      1
points     the points of Unwrapped's table (:mod:`recsys.proof.points`)
sqrt       the square root of these points, cut to six decimals, in millionths: ``isqrt(points * 10**12)``
           (Vana's VRC-4: reward grows as the square root)
value      the contribution value phi, nothing below zero, in billionths of the greatest:
           ``floor(max(0, phi) / max(phi) * 10**9)``
=========  =============================================================================================

A rule under which everybody weighs nothing divides equally: its part of the money is the members' all the same.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction

from recsys.errors import PayoutError

Weights = Mapping[str, int]
"""Payee -> weight, zero or more."""

_SQRT_SCALE = 10**12
_VALUE_SCALE = 10**9
_MOST = 2**53  # greater numbers are not the same in every JSON reader


def equal(payees: Mapping[str, object]) -> Weights:
    """Weigh everybody alike."""
    return dict.fromkeys(payees, 1)


def square_root(points: Weights) -> Weights:
    """Weigh by the square root of points, in millionths."""
    return {payee: math.isqrt(_whole(payee, held) * _SQRT_SCALE) for payee, held in points.items()}


def value(values: Mapping[str, float]) -> Weights:
    """Weigh by contribution values: each becomes an exact fraction once, and billionths of the greatest.

    Raises
    ------
    PayoutError
        If a value is not finite.
    """
    for payee, phi in values.items():
        if not math.isfinite(phi):
            raise PayoutError(f"the value of {payee[:12]} is {phi}; measure the values again: recsys worth")
    exact = {payee: Fraction(max(phi, 0.0)) for payee, phi in values.items()}
    greatest = max(exact.values(), default=Fraction(0)) or Fraction(1)
    return {payee: math.floor(phi / greatest * _VALUE_SCALE) for payee, phi in exact.items()}


def checked(rule: str, weights: Weights) -> Weights:
    """Refuse weights that are no whole numbers of zero or more."""
    for payee, weight in weights.items():
        _whole(payee, weight, rule)
    return weights


def _whole(payee: str, weight: object, rule: str = "points") -> int:
    if isinstance(weight, bool) or not isinstance(weight, int) or not 0 <= weight < _MOST:
        raise PayoutError(f"{payee[:12]} weighs {weight!r} by {rule}; a weight is a whole number from 0 to below 2**53")
    return weight
