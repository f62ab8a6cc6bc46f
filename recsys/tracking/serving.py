"""The logged model as MLflow loads and serves it: artists in, artists out. Nothing is ever unpickled."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from recsys.named import NamedModel

_DEFAULT_LENGTH = 10


class ServedModel:
    """What ``mlflow.pyfunc.load_model`` gives and ``mlflow models serve`` asks."""

    def __init__(self, named: NamedModel) -> None:
        self._named = named

    def predict(self, listeners: pd.DataFrame, params: dict[str, int] | None = None) -> pd.DataFrame:
        """Recommend to each listener.

        Parameters
        ----------
        listeners
            One listener a row; column ``artists`` holds a list of names.
        params
            ``n``: how many artists to recommend, 10 unless given.

        Returns
        -------
        One row a listener: ``artists`` and ``scores``, best first, and ``unknown``, the names that the model lacks.
        """
        n = int((params or {}).get("n", _DEFAULT_LENGTH))
        answers = [self._named.recommend([str(name) for name in names], n) for names in listeners["artists"]]
        return pd.DataFrame(
            {
                "artists": [[name for name, _ in answer.artists] for answer in answers],
                "scores": [[score for _, score in answer.artists] for answer in answers],
                "unknown": [list(answer.unknown) for answer in answers],
            }
        )


def _load_pyfunc(data_path: str) -> ServedModel:
    """Load a logged model; MLflow calls this by name."""
    return ServedModel(NamedModel.load(Path(data_path)))
