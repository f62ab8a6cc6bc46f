"""A sample as one ONNX graph: columns and plays of a listener in, columns and scores of recommendations out.

The graph does all that the model does: it weighs plays, folds the listener in, scores every artist, leaves out those of
the listener and takes the best. ONNX (IR 10, operators of set 21) has no solver, so the fold-in's system ``A x = r`` is
eliminated in a loop over its rows (Gauss and Jordan); A is positive definite, for which that needs no pivoting (Golub
and Van Loan, "Matrix Computations", 2013, section 4.2). Sums are in double precision, as in :mod:`recsys.als`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from recsys.errors import ConfigError
from recsys.models import Weighting
from recsys.named import NamedModel

if TYPE_CHECKING:
    import onnx

_RARE = "rare = Gather (rarity, artists) scaled = Mul (alone, rare) weight = Max (scaled, least)"
_WEIGHTS = {
    "binary": "weight = Div (plays, plays)",
    "linear": "weight = Identity (plays)",
    "log": "one = Constant <value = double {1.0}> () more = Add (plays, one) weight = Log (more)",
    "tfidf": f"alone = Sqrt (plays) {_RARE}",
    "bm25": (
        "total = ReduceSum <keepdims = 0> (plays) length = Div (total, mean_length) spread = Mul (length, b_norm)"
        "norm = Add (spread, k1_norm) below = Add (plays, norm) above = Mul (plays, k1_more)"
        f"alone = Div (above, below) {_RARE}"
    ),
}
_K1, _B, _LEAST = 100.0, 0.8, 1e-6  # those of recsys.models.weighting

_GRAPH = """
<ir_version: 10, opset_import: ["" : 21], producer_name: "recsys">
recommend (int64[liked] artists, float[liked] told, int64[1] n) => (int64[best] columns, float[best] scores)
{{
    plays = Cast <to = 11> (told)
    {weights}
    c = Mul (weight, alpha)
    q = Sub (c, replaced)
    Y = Gather (item_factors, artists)
    Y64 = Cast <to = 11> (Y)
    Yt = Transpose <perm = [1, 0]> (Y64)
    weighted = Mul (Yt, q)
    pairs = MatMul (weighted, Y64)
    liked_shape = Shape (artists)
    count = Cast <to = 11> (liked_shape)
    more_count = Add (count, unobserved)
    scale = Pow (more_count, nu)
    lambda = Mul (scale, regularization)
    ridge = Mul (identity, lambda)
    with_gram = Add (pairs, gram)
    A = Add (with_gram, ridge)
    c_column = Unsqueeze (c, last)
    r = MatMul (Yt, c_column)
    system = Concat <axis = 1> (A, r)
    yes = Constant <value = bool {{1}}> ()
    solved = Loop (n_factors, yes, system) <body = eliminate (int64 i, bool keep, double[k, w] M)
        => (bool go_on, double[k, w] N) {{
            go_on = Identity (keep)
            row = Gather <axis = 0> (M, i)
            pivot = Gather <axis = 0> (row, i)
            row_of_one = Div (row, pivot)
            column = Gather <axis = 1> (M, i)
            unit = Gather <axis = 0> (identity, i)
            others = Sub (column, unit)
            others_column = Unsqueeze (others, last)
            one_row = Unsqueeze (row_of_one, first)
            taken = MatMul (others_column, one_row)
            N = Sub (M, taken)
        }}>
    x = Gather <axis = 1> (solved, factors_place)
    x32 = Cast <to = 1> (x)
    all_scores = MatMul (item_factors, x32)
    never = Expand (lowest, liked_shape)
    open_scores = ScatterElements <axis = 0> (all_scores, artists, never)
    scores, columns = TopK <axis = 0> (open_scores, n)
}}
"""


def onnx_model(named: NamedModel, metadata: dict[str, str] | None = None) -> onnx.ModelProto:
    """Write a model as an ONNX graph.

    Parameters
    ----------
    named
        The model.
    metadata
        Texts to keep in the file.

    Returns
    -------
    A graph with the inputs ``artists`` (int64: columns, each once), ``told`` (float32: plays of each, above 0) and
    ``n`` (int64, one number: how many to give, no more than there are other artists); outputs ``columns`` and
    ``scores``, best first.

    Raises
    ------
    ConfigError
        If the package ``onnx`` is not installed, or neighbours stand beside the factorization.
    """
    try:
        from onnx import checker, helper, numpy_helper, parser  # noqa: PLC0415 - needed by those who ask for it only
    except ImportError as error:
        raise ConfigError("an ONNX file is written with the package onnx: pip install onnx") from error
    if named.beside:
        raise ConfigError("neighbours stand beside this model's factors, which the ONNX graph does not hold")
    model = parser.parse_model(_GRAPH.format(weights=_WEIGHTS[named.weighting.kind]))
    arrays = _arrays(named)
    model.graph.initializer.extend(numpy_helper.from_array(array, name) for name, array in arrays.items())
    helper.set_model_props(model, metadata or {})
    checker.check_model(model, full_check=True)
    return model


def _arrays(named: NamedModel) -> dict[str, np.ndarray[Any, Any]]:
    """Give what the graph reads beside its inputs."""
    loss, Y = named.model.objective, named.model.item_factors
    Y64 = Y.astype(np.float64)
    return {
        "item_factors": np.ascontiguousarray(Y),
        "gram": loss.w0 * (Y64.T @ Y64),
        "identity": np.eye(named.model.factors),
        "alpha": np.float64(loss.alpha) * np.ones(()),
        "replaced": np.float64(loss.replaces) * np.ones(()),
        "unobserved": np.array(loss.w0 * len(Y)),
        "nu": np.array(float(loss.nu)),
        "regularization": np.array(float(loss.regularization)),
        "n_factors": np.array(named.model.factors, dtype=np.int64),
        "factors_place": np.array(named.model.factors, dtype=np.int64),
        "first": np.array([0], dtype=np.int64),
        "last": np.array([1], dtype=np.int64),
        "lowest": np.array(-np.inf, dtype=np.float32),
        **_learned(named.weighting),
    }


def _learned(weighting: Weighting) -> dict[str, np.ndarray[Any, Any]]:
    if not len(weighting.rarity):
        return {}
    learned = {"rarity": weighting.rarity.astype(np.float64), "least": np.array(_LEAST)}
    if weighting.kind != "bm25":
        return learned
    told = {"mean_length": max(weighting.mean_length, 1e-9), "b_norm": _K1 * _B, "k1_norm": _K1 * (1 - _B)}
    return learned | {name: np.array(value) for name, value in (told | {"k1_more": _K1 + 1}).items()}
