"""A split written down: who was held out, and which part of their histories was hidden.

A split follows from a seed, but only as long as the generator of random numbers stays what it is; so what was drawn is
kept, and figures can be had again on the same users years later. Users are kept as row numbers of the dataset version
that is named beside them, and hidden pairs as one bit for each pair of a row. A row number says nothing of anybody: who
stands in a row is told by the version alone, which lies behind its own door and goes when somebody leaves. Pseudonyms
would carry a name for the same person into every tracking server. Training users are all others and are not listed.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from recsys import ranking
from recsys.evaluation.split import HeldOut, Split, checked, frozen, held_out

_FORMAT = "recsys-split/1"


def write_down(split: Split, *, version: str, seed: int, protocol: str) -> dict[str, Any]:
    """Say everything about a split, as plain values for JSON.

    Parameters
    ----------
    split
        What was divided.
    version
        Name of the matrix that was split: the digest of a dataset version.
    seed, protocol
        What decided it, told for readers.
    """
    return {
        "format": _FORMAT,
        "dataset_version": version,
        "protocol": protocol,
        "seed": seed,
        "n_train": len(split.train_users),
        "n_items": split.train.shape[1],
        "validation": _told(split.validation),
        "test": _told(split.test),
        "sha256": digest(split),
    }


def read_back(told: Mapping[str, Any], user_items: sp.csr_matrix, *, version: str) -> Split:
    """Divide a matrix as it was divided before, where whole users were held out.

    Parameters
    ----------
    told
        What :func:`write_down` gave.
    user_items
        The matrix that was split, shape (users, items).
    version
        Its name.

    Raises
    ------
    ValueError
        If it was another matrix, or the document is damaged: what comes out is not what was written down.
    """
    if told.get("format") != _FORMAT or told.get("dataset_version") != version:
        raise ValueError(
            f"the split is of format {told.get('format')!r} and of version {told.get('dataset_version')!r}; expected "
            f"{_FORMAT!r} and {version!r}"
        )
    matrix = checked(user_items)
    try:
        validation, test = (_divided(matrix, told[name]) for name in ("validation", "test"))
        train_users = np.setdiff1d(np.arange(matrix.shape[0]), np.concatenate([validation.users, test.users]))
    except (KeyError, TypeError, IndexError, binascii.Error) as error:
        raise ValueError(f"the split that was written down is damaged: {error!r}") from error
    train_users.flags.writeable = False
    split = Split(train_users, frozen(matrix[train_users]), validation, test)
    if digest(split) != told.get("sha256"):
        raise ValueError("what is divided as was written down is not what was divided then")
    return split


def digest(split: Split) -> str:
    """Name a split by the SHA-256 of who is in which part, with what."""
    whole = hashlib.sha256()
    arrays: list[NDArray[Any]] = [split.train_users, *_arrays(split.train)]
    for part in (split.validation, split.test):
        arrays += [part.users, *_arrays(part.fold_in), *_arrays(part.target)]
        arrays += _arrays(part.candidates) if part.candidates is not None else []
    for array in arrays:
        kind = "<f4" if array.dtype.kind == "f" else "<i8"
        whole.update(len(array).to_bytes(8, "little") + np.ascontiguousarray(array, dtype=kind).tobytes())
    return whole.hexdigest()


def _arrays(matrix: sp.csr_matrix) -> list[NDArray[Any]]:
    return [matrix.indptr, matrix.indices, matrix.data]


def _told(part: HeldOut) -> dict[str, Any]:
    shown, hidden = (sp.csr_matrix(one, copy=True) for one in (part.fold_in, part.target))
    shown.data[:], hidden.data[:] = 1, 2
    bits = np.packbits(checked(shown + hidden).data > 1)
    return {"users": part.users.tolist(), "hidden": base64.b64encode(bits.tobytes()).decode()}


def _divided(matrix: sp.csr_matrix, told: Mapping[str, Any]) -> HeldOut:
    users = np.array(told["users"], dtype=np.int64)
    histories = matrix[users]
    packed = np.frombuffer(base64.b64decode(told["hidden"], validate=True), dtype=np.uint8)
    if len(packed) != -(-histories.nnz // 8):
        raise ValueError(f"the split names {8 * len(packed)} pairs or fewer; its users have {histories.nnz}")
    hidden = np.unpackbits(packed, count=histories.nnz).astype(np.bool_)
    rows = np.repeat(np.arange(len(users)), np.diff(histories.indptr))
    return held_out(users, ranking.entries(histories, rows, ~hidden), ranking.entries(histories, rows, hidden))
