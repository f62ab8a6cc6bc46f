"""A model as MLflow keeps it: artists in, artists out, with a signature and an example of a question."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import mlflow
import pandas as pd
from mlflow.models import ModelSignature
from mlflow.models.model import ModelInfo
from mlflow.types import ColSpec, DataType, ParamSchema, ParamSpec, Schema
from mlflow.types.schema import Array

from recsys import __version__
from recsys.canonical import sha256_file
from recsys.named import NamedModel

MODEL = "model"
_SIGNATURE = ModelSignature(
    inputs=Schema([ColSpec(Array(DataType.string), "artists")]),
    outputs=Schema(
        [
            ColSpec(Array(DataType.string), "artists"),
            ColSpec(Array(DataType.double), "scores"),
            ColSpec(Array(DataType.string), "unknown"),
        ]
    ),
    params=ParamSchema([ParamSpec("n", DataType.integer, 10)]),
)


def log_named(named: NamedModel, **more: Any) -> tuple[dict[str, str], ModelInfo]:  # noqa: ANN401 - those of MLflow
    """Log a model in the run that is open, in the form in which ``mlflow models serve`` answers for artists' names.

    Parameters
    ----------
    named
        The model.
    more
        As ``mlflow.pyfunc.log_model`` takes it.

    Returns
    -------
    The names of the model's files, each with the SHA-256 of its bytes; and what MLflow says of the logged model.
    """
    with TemporaryDirectory() as folder:
        data = Path(folder) / MODEL
        named.save(data)
        digests = {path.name: sha256_file(path) for path in sorted(data.iterdir())}
        info = mlflow.pyfunc.log_model(
            name=MODEL,
            loader_module="recsys.tracking.serving",
            data_path=str(data),
            signature=_SIGNATURE,
            input_example=pd.DataFrame({"artists": [list(named.artists.names[:2])]}),
            pip_requirements=[f"recsys=={__version__}"],
            **more,
        )
    return digests, info
