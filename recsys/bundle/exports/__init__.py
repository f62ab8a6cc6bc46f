"""A sample in the forms that other tools read: vectors for a database, a graph for ONNX, a model of ``implicit``.

What is exported recommends as the sample does, and says in its metadata of which bundle it is, for whom, for what and
until when. A vector index is filled and asked like this (hnswlib; faiss's ``IndexFlatIP`` is filled with the same
array)::

    import hnswlib
    import numpy as np
    import recsys.bundle
    from recsys.bundle.exports import listener_vector, vectors

    sample = recsys.bundle.open_sample(file, key, at=now)
    table = vectors(sample)
    matrix = np.stack(table["vector"].to_numpy())

    index = hnswlib.Index(space="ip", dim=matrix.shape[1])
    index.init_index(max_elements=len(matrix), M=32, ef_construction=400, random_seed=0)
    index.add_items(matrix)
    index.set_ef(200)

    liked = table["artist"].to_pylist()[:3]
    known = {sample.named.artists.column(name) for name in liked}
    nearest, _ = index.knn_query(listener_vector(sample, liked), k=10, filter=lambda column: column not in known)
    recommended = [table["artist"][int(column)].as_py() for column in nearest[0]]
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from recsys.bundle.exports.graph import onnx_model
from recsys.bundle.exports.vectors import listener_vector, provenance, vectors, write_vectors
from recsys.bundle.sample import SampleModel
from recsys.canonical import write_atomically

if TYPE_CHECKING:
    from recsys.tracking import Registered, Tracker

__all__ = ["export", "listener_vector", "onnx_model", "register", "vectors", "write_vectors"]

_ONNX = ".onnx"


def export(sample: SampleModel, path: Path) -> str:
    """Write a sample in the form that the ending of the name asks for, and say in a sentence what was written.

    Parameters
    ----------
    sample
        The sample.
    path
        The file: ``.parquet`` and ``.arrow`` hold the artists' vectors, ``.onnx`` the whole model as a graph.

    Raises
    ------
    ConfigError
        If the ending is another one, or the model has parts that the form cannot hold.
    """
    artists, factors = sample.named.model.item_factors.shape
    if path.suffix == _ONNX:
        model = onnx_model(sample.named, provenance(sample))
        write_atomically(path, model.SerializeToString())
        return f"a graph that folds listeners in and recommends {artists:,} artists"
    write_vectors(sample, path)
    left_out = "; the neighbours beside the factors are left out, without which it recommends otherwise"
    said = f"{artists:,} artists with vectors of {factors} numbers; nearness is the inner product"
    return said + (left_out if sample.named.beside else "")


def register(sample: SampleModel, tracker: Tracker, *, name: str, alias: str | None = None) -> Registered:
    """Enter a sample in an MLflow Model Registry; see :func:`recsys.tracking.register`."""
    from recsys import tracking  # noqa: PLC0415 - MLflow takes seconds to load

    return tracking.register(
        tracker, sample.named, name=name, digest=sample.digest, alias=alias, tags=provenance(sample), card=sample.card
    )
