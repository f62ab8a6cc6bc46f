"""Lists made by hand, and at random."""

import numpy as np
import scipy.sparse as sp

from recsys.evaluation import Lists
from recsys.ranking import hits


def lists_of(ids, *, target=None, fold_in=None, n_items=10):
    """Each row of `ids` is a user's list; `target` and `fold_in` are lists of items for each user."""
    ids = np.asarray(ids, dtype=np.int32)
    wanted = incidence(target or [[0]] * len(ids), n_items)
    known = incidence(fold_in or [[]] * len(ids), n_items)
    return Lists(np.arange(len(ids)), ids, hits(ids, wanted), np.diff(wanted.indptr).astype(np.int64), known)


def incidence(rows, n_items):
    dense = np.zeros((len(rows), n_items), dtype=np.float32)
    for row, items in enumerate(rows):
        dense[row, list(items)] = 1
    return sp.csr_matrix(dense)


def random_lists(seed, *, users=12, items=30, places=10):
    rng = np.random.default_rng(seed)
    ids = np.array([rng.permutation(items)[:places] for _ in range(users)])
    target = [rng.choice(items, size=rng.integers(1, 15), replace=False) for _ in range(users)]
    fold_in = [rng.choice(items, size=rng.integers(1, 15), replace=False) for _ in range(users)]
    return lists_of(ids, target=target, fold_in=fold_in, n_items=items), target
