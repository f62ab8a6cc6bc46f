"""What a number of plays says about liking: the value v that the factorization weighs a pair by."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
import scipy.sparse as sp

Confidence = Literal["binary", "log", "linear"]


def confidence(plays: sp.csr_matrix, kind: Confidence) -> sp.csr_matrix:
    """Turn plays into confidence values.

    Parameters
    ----------
    plays
        Row r holds the plays of user r, shape (users, artists); not changed.
    kind
        ``"binary"``: 1 for any plays. ``"log"``: log(1 + plays), as Hu, Koren and Volinsky (ICDM 2008) propose for
        counts with long tails. ``"linear"``: the plays themselves.

    Returns
    -------
    Matrix of the same pairs, float32.
    """
    if kind not in get_args(Confidence):
        raise ValueError(f"confidence is {kind!r}; it must be one of {', '.join(get_args(Confidence))}")
    data = np.asarray(plays.data, dtype=np.float32)
    match kind:
        case "binary":
            values = np.ones_like(data)
        case "log":
            values = np.log1p(data)
        case "linear":
            values = data.copy()
    return sp.csr_matrix((values, plays.indices, plays.indptr), shape=plays.shape)
