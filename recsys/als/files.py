"""Arrays and the objective in one safetensors file: nothing is ever unpickled, and what is read is checked."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from recsys.als.objective import KINDS, Float32s, Objective
from recsys.canonical import atomic_path, canonical_json
from recsys.errors import ModelInvalidError

_FORMAT = "recsys.als/1"


def save(path: Path, arrays: Mapping[str, Float32s], objective: Objective, **more: str) -> None:
    """Write arrays with the objective, and further texts, as the file's metadata."""
    metadata = {"format": _FORMAT, "objective": canonical_json(asdict(objective)).decode(), **more}
    with atomic_path(path) as partial:
        save_file(dict(arrays), partial, metadata=metadata)
        _order_header(partial)


def _order_header(path: Path) -> None:
    """Put the header's fields into their one order, in place: safetensors leaves that of metadata to chance.

    Only so do equal models have equal files. The file begins with the header's length (uint64, little-endian) and the
    header, JSON that may end in blanks.
    """
    with path.open("r+b") as file:
        length = int.from_bytes(file.read(8), "little")
        ordered = canonical_json(json.loads(file.read(length)))
        file.seek(8)
        file.write(ordered.ljust(length))


def load(path: Path, names: Sequence[str]) -> tuple[dict[str, Float32s], Objective]:
    """Read the arrays `names`, each float32 with two dimensions, and the objective.

    Raises
    ------
    ModelInvalidError
        If the file cannot be read as such; names it, and says what was found and what was expected.
    """
    arrays, metadata = read(path, names)
    return arrays, _objective(path, metadata)


def read(path: Path, names: Sequence[str]) -> tuple[dict[str, Float32s], dict[str, str]]:
    """Read the arrays `names` and the file's metadata; raises as :func:`load` does."""
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            if metadata.get("format") != _FORMAT:
                raise _invalid(path, f"its format is {metadata.get('format')!r}; expected {_FORMAT!r}")
            if set(file.keys()) != set(names):
                raise _invalid(path, f"it holds {sorted(file.keys())}; expected {sorted(names)}")
            return {name: _matrix(path, name, file.get_slice(name)) for name in names}, metadata
    except (SafetensorError, OSError, ValueError, TypeError) as error:
        raise _invalid(path, f"it cannot be read as safetensors ({error}); save the model again") from error


def _matrix(path: Path, name: str, stored: Any) -> Float32s:  # noqa: ANN401 - safetensors has no type for it
    if stored.get_dtype() != "F32" or len(stored.get_shape()) != 2:  # noqa: PLR2004 - rows and factors
        found = f"{stored.get_dtype()} of shape {tuple(stored.get_shape())}"
        raise _invalid(path, f"{name} is {found}; expected F32 of shape (rows, factors)")
    empty = 0 in stored.get_shape()  # safetensors cannot slice what is not there
    array: Float32s = np.empty(stored.get_shape(), np.float32) if empty else np.ascontiguousarray(stored[:])
    array.flags.writeable = False
    return array


def _objective(path: Path, metadata: Mapping[str, str]) -> Objective:
    try:
        found = json.loads(metadata["objective"])
        parameters = {name: found.pop(name) for name in (field.name for field in fields(Objective))}
    except (KeyError, ValueError, AttributeError, TypeError) as error:
        raise _invalid(path, "its metadata does not hold the objective; save the model again") from error
    numbers = [value for name, value in parameters.items() if name != "kind"]
    if found or parameters["kind"] not in KINDS or not all(_is_number(value) for value in numbers):
        raise _invalid(path, f"its objective is not one that this version knows: {metadata['objective']}")
    return Objective(**parameters)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and bool(np.isfinite(value))


def _invalid(path: Path, reason: str) -> ModelInvalidError:
    return ModelInvalidError(f"{path}: {reason}")
