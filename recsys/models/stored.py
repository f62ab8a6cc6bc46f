"""What stands beside a factorization, as named arrays to store and to read back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from recsys.confidence import Confidence
from recsys.models.blend import Beside
from recsys.models.items import Neighbours
from recsys.models.weighting import Kind, Weighting

_PARTS = ("data", "indices", "indptr")


def beside_arrays(weighting: Weighting, beside: Beside | None) -> dict[str, NDArray[Any]]:
    """Give the arrays of a weighting and of neighbours; none where both need none."""
    arrays: dict[str, NDArray[Any]] = {}
    if len(weighting.rarity):
        arrays["rarity"] = weighting.rarity
    if beside:
        alike = beside.neighbours.alike
        arrays |= {f"alike.{part}": np.ascontiguousarray(getattr(alike, part)) for part in _PARTS}
    return arrays


def from_arrays(
    arrays: Mapping[str, NDArray[Any]], words: Mapping[str, Any], n_items: int
) -> tuple[Weighting, Beside | None]:
    """Read back what :func:`beside_arrays` gave.

    Parameters
    ----------
    arrays
        The arrays.
    words
        ``confidence``, ``mean_length`` and ``neighbours_weight`` as they were stored.
    n_items
        Size of the catalogue.

    Raises
    ------
    KeyError, TypeError, ValueError
        If an array is missing, has another shape or type, or holds what is no number.
    """
    kind = words["confidence"]
    if kind not in get_args(Kind):
        raise ValueError(f"the weighting is {kind!r}; it must be one of {', '.join(get_args(Kind))}")
    if kind in get_args(Confidence):
        weighting = Weighting.plain(kind)
    else:
        weighting = Weighting(kind, _floats(arrays["rarity"], n_items), float(words["mean_length"]))
    weight = words.get("neighbours_weight")
    return weighting, None if weight is None else Beside(_neighbours(arrays, n_items), float(weight))


def _neighbours(arrays: Mapping[str, NDArray[Any]], n_items: int) -> Neighbours:
    data, indices, indptr = (arrays[f"alike.{part}"] for part in _PARTS)
    if indices.dtype.kind != "i" or indptr.dtype.kind != "i" or indptr.shape != (n_items + 1,):
        raise ValueError(f"the neighbours are not those of {n_items} items")
    alike = sp.csr_matrix((_floats(data, len(indices)), indices, indptr), shape=(n_items, n_items))
    alike.check_format(full_check=True)
    return Neighbours(alike)


def _floats(values: NDArray[Any], length: int) -> NDArray[np.float32]:
    if values.dtype != np.float32 or values.shape != (length,) or not np.isfinite(values).all():
        raise ValueError(
            f"an array of {length} finite float32 was expected, not {values.dtype} of shape {values.shape}"
        )
    return values
