"""Artists' vectors as Arrow: what a vector database is filled with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import scipy.sparse as sp
from numpy.typing import NDArray

from recsys.bundle.sample import SampleModel
from recsys.canonical import atomic_path
from recsys.errors import ConfigError

PARQUET, ARROW = (".parquet",), (".arrow", ".feather")


def vectors(sample: SampleModel) -> pa.Table:
    """Give the artists' vectors.

    Returns
    -------
    A table with the columns ``artist`` (its name), ``vector`` (its factors, a list of fixed size of float32) and
    ``listeners`` (share of the members, float32), in the order of the model's columns. Its metadata say that nearness
    is the inner product, where it comes from, and whether neighbours that stand beside the factors were left out.
    """
    factors = sample.named.model.item_factors
    column = pa.FixedSizeListArray.from_arrays(pa.array(factors.ravel()), factors.shape[1])
    columns = {
        "artist": pa.array(sample.named.artists.names),
        "vector": column,
        "listeners": pa.array(sample.listeners),
    }
    about = {"recsys.nearness": "inner product"} | ({"recsys.left_out": "neighbours"} if sample.named.beside else {})
    return pa.table(columns).replace_schema_metadata(provenance(sample) | about)


def write_vectors(sample: SampleModel, path: Path) -> None:
    """Write :func:`vectors` as Parquet, or as Arrow's own file format, by the ending of the name.

    Raises
    ------
    ConfigError
        If the ending is neither.
    """
    if path.suffix not in PARQUET + ARROW:
        raise ConfigError(
            f"{path.name} says no form; let it end in .parquet or .arrow (vectors), or in .onnx (the model)"
        )
    with atomic_path(path) as partial:
        if path.suffix in PARQUET:
            pq.write_table(vectors(sample), partial)
        else:
            pyarrow.feather.write_feather(vectors(sample), str(partial), compression="uncompressed")


def listener_vector(sample: SampleModel, liked: Sequence[str] | Mapping[str, float]) -> NDArray[np.float32]:
    """Give the vector of somebody who likes these, shape (factors,): artists nearest by inner product suit them best.

    Parameters
    ----------
    sample
        The sample.
    liked
        Artists' names, or names with numbers of plays.

    Raises
    ------
    ConfigError
        If an artist is not known, or neighbours stand beside the factors: vectors alone would recommend otherwise.
    """
    named = sample.named
    if named.beside:
        raise ConfigError("neighbours stand beside this model's factors; vectors alone would recommend otherwise")
    told = liked if isinstance(liked, Mapping) else dict.fromkeys(liked, named.typical_plays)
    columns = {name: named.artists.column(name) for name in told}
    if not told or None in columns.values():
        unknown = ", ".join(name for name, column in columns.items() if column is None)
        raise ConfigError(f"the sample does not know {unknown}" if unknown else "name an artist or more")
    plays = {column: told[name] for name, column in columns.items() if column is not None}
    values = np.array(list(plays.values()), dtype=np.float32)
    row = sp.csr_matrix((values, (np.zeros(len(plays), dtype=int), list(plays))), shape=(1, len(named.artists)))
    vector: NDArray[np.float32] = named.model.fold_in(named.weighting(row))[0]
    return vector


def provenance(sample: SampleModel) -> dict[str, str]:
    """Say in an exported file which bundle it is of and what it may be used for."""
    return {
        "recsys.bundle": sample.digest,
        "recsys.dataset_version": sample.manifest.dataset_version,
        "recsys.buyer": sample.terms.buyer,
        "recsys.purpose": sample.terms.purpose,
        "recsys.use_before": str(sample.terms.expires),
    }
