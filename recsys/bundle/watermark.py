"""A mark for each buyer in a bundle's factors that changes no recommendation, and how it is found again."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Signs = NDArray[np.int8]
_Floats = TypeVar("_Floats", bound=NDArray[Any])


def signs(buyer: str, key: bytes, factors: int) -> Signs:
    """Give a buyer's signs, one for each latent dimension: +1 or -1, shape (factors,).

    Bit j of HMAC-SHA-256 (RFC 2104) over the buyer's name and the number of a block of 256 dimensions, under the
    collective's secret; nobody without the secret can tell a buyer's signs from anybody else's.
    """
    blocks = -(-factors // 256)
    told = [hmac.digest(key, b"recsys watermark\x00%d\x00" % n + buyer.encode(), hashlib.sha256) for n in range(blocks)]
    bits = np.unpackbits(np.frombuffer(b"".join(told), dtype=np.uint8))[:factors]
    return (1 - 2 * bits.astype(np.int8)).astype(np.int8)


def mark(
    item_factors: _Floats, gram: NDArray[np.float64], buyer: str, key: bytes
) -> tuple[_Floats, NDArray[np.float64]]:
    """Flip the signs of latent dimensions as a buyer's mark says; marking twice takes the mark off again.

    Parameters
    ----------
    item_factors
        Artists' factors as they are stored, float16 or float32, shape (artists, factors).
    gram
        Their Gram matrix, shape (factors, factors).
    buyer
        Whom the copy is for.
    key
        The collective's secret, 32 bytes.

    Returns
    -------
    factors, gram
        New arrays of the same types.
    """
    flips = signs(buyer, key, item_factors.shape[1])
    marked = item_factors * flips.astype(item_factors.dtype)
    return marked, gram * np.outer(flips, flips)
