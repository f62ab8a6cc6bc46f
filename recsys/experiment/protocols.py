"""How a contest divides a file of interactions, and what it measures: the protocols that papers use."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from recsys.canonical import sha256_file
from recsys.dataset import DatasetVersion, benchmark_events, benchmark_targets
from recsys.dataset.interactions import Interactions
from recsys.errors import ConfigError, DatasetTooSmallError
from recsys.evaluation import (
    NDCG,
    STANDARD,
    Events,
    Found,
    HitRate,
    Metric,
    Recall,
    Referee,
    Split,
    given,
    leave_out,
    strong_generalization,
    temporal,
)
from recsys.evaluation.given import last_of_each

_MOST_TEST, _MOST_VALIDATION = 10_000, 5_000
_FEWEST_USERS = 10

Protocol = Literal["users", "time", "items"]
_TITLES = {
    "users": "strong generalization: whole listeners held out",
    "time": "global temporal split: trained on the past, tested on the future",
    "items": "leave one out: the listeners who test a model also trained it",
    "given": "a given test file: the listeners who test a model also trained it",
    "candidates": "a given test file, ranked among given candidates: the listeners who test a model also trained it",
}
_METRICS: dict[str, tuple[Metric, ...]] = {
    "given": (NDCG(20), Found(20), Recall(20), HitRate(20), NDCG(100)),
    "candidates": (NDCG(10), HitRate(10)),
}


@dataclass(frozen=True, kw_only=True)
class Division:
    """How to divide.

    Attributes
    ----------
    protocol
        ``"users"``: strong generalization, whole listeners held out. ``"time"``: trained on the past, tested on the
        future. ``"items"``: one item of each listener left out, for comparison with papers that do so.
    held_out
        Share of the listeners held out for the test (at most 10,000), and as many again for validation (at most 5,000);
        1 or more is their number. By time, the share of the listens.
    test
        File of what is to be found, instead of a protocol: settings are chosen within the other file.
    negatives
        File of what is ranked beside it, for each listener; without one all items are.
    seed
        Decides who and what is drawn.
    """

    protocol: Protocol = "users"
    held_out: float = 0.1
    test: Path | None = None
    negatives: Path | None = None
    seed: int = 0

    @property
    def name(self) -> str:
        """What the protocol is called."""
        if self.test is None:
            return self.protocol
        return "given" if self.negatives is None else "candidates"


def referee_of(data: Path, version: DatasetVersion, division: Division) -> tuple[Referee, dict[str, Any]]:
    """Divide a version, and say how.

    Parameters
    ----------
    data
        The file that `version` was made of.
    version
        Who has what.
    division
        How to divide.

    Returns
    -------
    referee, protocol
        Who asks, and everything that decides the division, plain values.

    Raises
    ------
    DatasetTooSmallError
        If there is nobody to hold out.
    ConfigError
        If a file lacks what the protocol needs, or options do not go together.
    """
    if division.negatives is not None and division.test is None:
        raise ConfigError("negatives are ranked beside the pairs of a test file; give that too: --test FILE")
    if division.test is not None and division.protocol != "users":
        raise ConfigError(f"a test file is a division of its own; leave out --protocol {division.protocol}")
    whole: sp.csr_matrix | None = None
    unknown: dict[str, Any] = {}
    try:
        if division.test is not None:
            split, whole, unknown = _given(data, version, division, division.test)
        else:
            split = _divided(data, version, division)
    except ValueError as error:  # what cannot be divided so says what it lacks
        raise DatasetTooSmallError(str(error)) from error
    protocol = {
        "protocol": _TITLES[division.name],
        "test_users": len(split.test.users),
        "validation_users": len(split.validation.users),
        "training_users": len(split.train_users),
        "items": split.train.shape[1],
        "pairs": int((split.train if whole is None else whole).nnz),
        "held_out": division.held_out,
        "seed": division.seed,
        **unknown,
    }
    return Referee(split, _METRICS.get(division.name, STANDARD), whole=whole), protocol


def _divided(data: Path, version: DatasetVersion, division: Division) -> Split:
    if division.protocol == "time":
        row, column, plays, times = benchmark_events(data, version)
        return temporal(Events(row, column, plays, times, version.user_items.shape), held_out_share=division.held_out)
    if division.protocol == "items":
        return leave_out(version.user_items, seed=division.seed)
    n_users = version.user_items.shape[0]
    asked = division.held_out if division.held_out >= 1 else n_users * division.held_out
    n_test = min(round(asked), _MOST_TEST)
    if n_users < _FEWEST_USERS or n_test < 1 or 2 * n_test >= n_users:
        raise DatasetTooSmallError(
            f"holding out {division.held_out:g} of {n_users} listeners, for the test and again for validation, leaves "
            f"nobody to test on or to train with; give at least {_FEWEST_USERS} listeners and hold out fewer than half"
        )
    n_validation = min(n_test, _MOST_VALIDATION)
    return strong_generalization(version.user_items, n_test, n_validation=n_validation, seed=division.seed)


def _given(
    data: Path, version: DatasetVersion, division: Division, test: Path
) -> tuple[Split, sp.csr_matrix, dict[str, Any]]:
    row, column, unknown = benchmark_targets(test, version)
    beside = benchmark_targets(division.negatives, version) if division.negatives else None
    width = 1 + max(int(part.max(initial=-1)) for part in (column, *([beside[1]] if beside else [])))
    shape = (version.user_items.shape[0], max(width, version.user_items.shape[1]))
    whole = _wide(version.user_items, shape)
    split = given(
        whole,
        _ones(row, column, shape),
        validation=_last(data, version, shape) if beside else None,
        negatives=_ones(beside[0], beside[1], shape) if beside else None,
        seed=division.seed,
    )
    files = [test, *([division.negatives] if division.negatives else [])]
    return split, whole, {"unknown_users": unknown, "files": {file.name: sha256_file(file) for file in files}}


def _last(data: Path, version: DatasetVersion, shape: tuple[int, int]) -> sp.csr_matrix | None:
    """Give each listener's last pair, as test files of one pair each are made; none is, where the file has no times."""
    if not Interactions.read(data).timed:
        return None
    row, column, _, times = benchmark_events(data, version)
    last = last_of_each(row, times)
    return _ones(row[last], column[last], shape)


def _ones(row: NDArray[np.int64], column: NDArray[np.int64], shape: tuple[int, int]) -> sp.csr_matrix:
    return sp.csr_matrix((np.ones(len(row), dtype=np.float32), (row, column)), shape=shape)


def _wide(matrix: sp.csr_matrix, shape: tuple[int, int]) -> sp.csr_matrix:
    """Add items that nobody has."""
    return sp.csr_matrix((matrix.data, matrix.indices, matrix.indptr), shape=shape)
