"""What each member's listening is worth to others: measured on held-out listeners.

This room knows arrays, no people. Why it is as it is:

* Worth is what others gain: how much worse held-out listeners would be served without a member. Empty and random
  histories add little or nothing to that, however long they are.
* Two measures that share no assumption: leave-one-out of the factorization itself
  (:mod:`recsys.valuation.leave_one_out`) and the Shapley value among neighbours (:mod:`recsys.valuation.knn`), which
  also counts what a member would add if others were not there. Both are set against the Shapley value by its
  definition (:mod:`recsys.valuation.exact`) where that can be computed: ``recsys bench valuation``.
* A copy adds what its original adds, by any such measure: who hands in the same history shares its worth
  (:mod:`recsys.valuation.copies`).
* One member among thousands moves little, so every value comes with an error (:class:`Values`), and many cannot be told
  apart.
"""

from recsys.valuation.artists import artist_shares
from recsys.valuation.copies import times_handed_in
from recsys.valuation.exact import exact_shapley
from recsys.valuation.knn import knn_shapley
from recsys.valuation.leave_one_out import leave_one_out
from recsys.valuation.pool import METHODS, PoolValues, value_pool, valuer
from recsys.valuation.utility import soft_ndcg
from recsys.valuation.values import Values

__all__ = [
    "METHODS",
    "PoolValues",
    "Values",
    "artist_shares",
    "exact_shapley",
    "knn_shapley",
    "leave_one_out",
    "soft_ndcg",
    "times_handed_in",
    "value_pool",
    "valuer",
]
