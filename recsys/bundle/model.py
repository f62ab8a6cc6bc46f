"""The model in a bundle: two entries, written from what is shared, and read back as if a stranger had written them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from recsys.als import ALSModel, Objective
from recsys.bundle.contents import ARTISTS, MODEL
from recsys.bundle.weaken import Shared, exact_gram, may_be_shown
from recsys.canonical import canonical_json, parse_json
from recsys.dataset import Vocabulary
from recsys.errors import BundleInvalidError, ModelInvalidError
from recsys.models import beside_arrays, from_arrays
from recsys.named import NamedModel

_LONGEST_HEADER = 1 << 16
_ALWAYS = {"item_factors", "gram", "listeners"}
_MAY_BE = {"rarity", "alike.data", "alike.indices", "alike.indptr"}
_WORDS = {"artists", "aliases", "confidence", "mean_length", "neighbours_weight", "typical_plays", "objective"}
_FIT = 1e-9


@dataclass(frozen=True, eq=False)
class ReadModel:
    """A model as it was read from a bundle."""

    named: NamedModel
    listeners: NDArray[np.float32]
    aliases: Mapping[str, str]


def model_entries(shared: Shared) -> dict[str, bytes]:
    """Write the model's two entries; the same model gives the same bytes."""
    named = shared.named
    arrays = {
        "item_factors": shared.factors,
        "gram": shared.gram,
        "listeners": shared.listeners,
        **beside_arrays(named.weighting, named.beside),
    }
    words = {
        "artists": list(named.artists.names),
        "aliases": shared.aliases,
        "confidence": named.weighting.kind,
        "mean_length": named.weighting.mean_length,
        "neighbours_weight": named.beside.weight if named.beside else None,
        "typical_plays": named.typical_plays,
        "objective": asdict(named.model.objective),
    }
    return {MODEL: save({name: np.ascontiguousarray(a) for name, a in arrays.items()}), ARTISTS: canonical_json(words)}


def read_model(model: bytes, artists: bytes) -> ReadModel:
    """Read the model's two entries, believing nothing of them.

    Raises
    ------
    BundleInvalidError
        If arrays are of another kind or shape than they must be, hold what is no number, or contradict each other.
    """
    words = _words(artists)
    names, aliases = _names(words)
    arrays = _arrays(model)
    factors, gram, listeners = arrays["item_factors"], arrays["gram"], arrays["listeners"]
    _expect("item_factors", factors, (np.float16, np.float32), (len(names), factors.shape[-1] if factors.ndim else 0))
    _expect("gram", gram, (np.float64,), (factors.shape[1],) * 2)
    _expect("listeners", listeners, (np.float32,), (len(names),))
    if not ((listeners > 0) & (listeners <= 1)).all():
        raise BundleInvalidError("listeners are shares between 0 and 1; these are not")
    if not np.array_equal(gram, gram.T):
        raise BundleInvalidError("the Gram matrix is not symmetric; it is not that of any factors")
    found = exact_gram(factors)
    if np.abs(found - gram).max() > _FIT * max(np.abs(found).max(), np.finfo(np.float64).tiny):
        raise BundleInvalidError("the Gram matrix is not that of the artists' factors")
    try:
        weighting, beside = from_arrays(arrays, words, len(names))
        core = ALSModel(np.empty((0, factors.shape[1]), np.float32), factors, _objective(words["objective"]))
        typical = _number(words["typical_plays"], "typical_plays")
        named = NamedModel(core, Vocabulary(names), weighting, typical, beside)
    except (KeyError, TypeError, ValueError, ModelInvalidError) as error:
        raise BundleInvalidError(f"the model's parts do not fit together: {error}") from error
    if set(arrays) != _ALWAYS | set(beside_arrays(weighting, beside)):
        raise BundleInvalidError(f"{MODEL} holds arrays that belong to another kind of model: {sorted(arrays)}")
    listeners.flags.writeable = False
    return ReadModel(named, listeners, aliases)


def _words(data: bytes) -> dict[str, Any]:
    try:
        words = parse_json(data)
    except ValueError as error:
        raise BundleInvalidError(f"{ARTISTS} is no JSON: {error}") from error
    if not isinstance(words, dict) or set(words) != _WORDS:
        raise BundleInvalidError(f"{ARTISTS} does not hold {', '.join(sorted(_WORDS))}")
    return words


def _names(words: Mapping[str, Any]) -> tuple[list[str], dict[str, str]]:
    names, aliases = words["artists"], words["aliases"]
    if not isinstance(names, list) or not names or not isinstance(aliases, dict):
        raise BundleInvalidError(f"{ARTISTS} lists no artists")
    for name in [*names, *aliases]:
        if not may_be_shown(name):
            raise BundleInvalidError(
                f"an artist is called {str(name)[:80]!r}: a name has letters that everybody sees, and no sign that "
                "turns the line around"
            )
    known = set(names)
    if len(known) != len(names):
        raise BundleInvalidError(f"{ARTISTS} names an artist twice")
    if not all(isinstance(name, str) and name in known for name in aliases.values()):
        raise BundleInvalidError(f"{ARTISTS} has a spelling of an artist who is not there")
    return names, aliases


def _arrays(data: bytes) -> dict[str, NDArray[Any]]:
    header = int.from_bytes(data[:8], "little")
    if len(data) < 8 or header > min(_LONGEST_HEADER, len(data) - 8):  # noqa: PLR2004 - the length of the length
        raise BundleInvalidError(f"{MODEL} says that its header has {header:,} bytes: it is damaged or hostile")
    try:
        arrays: dict[str, NDArray[Any]] = load(data)
        whole = save(arrays) == data
    except (SafetensorError, ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
        raise BundleInvalidError(f"{MODEL} cannot be read as safetensors: {error}") from error
    if not set(arrays) >= _ALWAYS or not set(arrays) <= _ALWAYS | _MAY_BE:
        raise BundleInvalidError(f"{MODEL} holds {sorted(arrays)}; expected {sorted(_ALWAYS)}")
    if not whole:
        raise BundleInvalidError(f"{MODEL} is not in its one form: something may be hidden in its header")
    return arrays


def _expect(name: str, array: NDArray[Any], kinds: tuple[type, ...], shape: tuple[int, ...]) -> None:
    if array.dtype not in [np.dtype(kind) for kind in kinds] or array.shape != shape or 0 in shape:
        expected = " or ".join(kind.__name__ for kind in kinds)
        raise BundleInvalidError(
            f"{name} is {array.dtype} of shape {array.shape}; expected {expected} of shape {shape}"
        )
    if not np.isfinite(array).all():
        raise BundleInvalidError(f"{name} holds NaN or infinity; nothing can be recommended by it")


def _objective(told: Any) -> Objective:  # noqa: ANN401 - any JSON value
    objective = Objective(**told)
    if objective.kind not in {"implicit", "ials"}:
        raise ValueError(f"the objective is {objective.kind!r}")
    numbers = {name: value for name, value in asdict(objective).items() if name != "kind"}
    for name, value in numbers.items():
        _number(value, name)
    return objective


def _number(value: Any, name: str) -> float:  # noqa: ANN401 - any JSON value
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < float("inf"):
        raise ValueError(f"{name} is {value!r}; it must be a number, 0 or more")
    return float(value)
