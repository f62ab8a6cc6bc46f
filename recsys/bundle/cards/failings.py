"""What the model in a bundle is bad at: measured on it as it is shared, not on what it was made from."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from recsys.evaluation import HeldOut, Split
from recsys.named import NamedModel
from recsys.report import find, weaknesses


def failings(named: NamedModel, split: Split, kept: NDArray[np.int64]) -> tuple[str, ...]:
    """Say what the figures show against a model, each in a sentence.

    Parameters
    ----------
    named
        The model, of some artists.
    split
        Whom it was trained on and who was held out, with their plays of all artists.
    kept
        Columns of its artists.
    """

    def among(held: HeldOut) -> HeldOut:
        return HeldOut(held.users, held.fold_in[:, kept], held.target[:, kept])

    inner = Split(split.train_users, split.train[:, kept], among(split.validation), among(split.test))
    return tuple(weaknesses(find(named, inner)))
