"""The state of a training run in a file, so that a run that was stopped goes on to the very same bits."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp

from recsys.als import files
from recsys.als.objective import Objective
from recsys.als.training import State
from recsys.canonical import canonical_json, sha256_hex
from recsys.errors import ModelInvalidError

_ARRAYS = ("user_factors", "item_factors", "lead", "squares")
_FREE = {"iterations", "num_threads", "tolerance"}  # may change between a run and its continuation


@dataclass(frozen=True)
class Keeper:
    """Keeps `state` in the file `path`; `fingerprint` names the run: its data, hyper-parameters and start."""

    path: Path
    objective: Objective
    fingerprint: str
    state: State

    @classmethod
    def of(
        cls, path: str | Path, told: Mapping[str, Any], objective: Objective, matrix: sp.csr_matrix, start: State
    ) -> Keeper:  # fmt: skip
        """Name the run with the hyper-parameters `told` that begins at `start`."""
        parameters = {name: value for name, value in told.items() if name not in _FREE}
        arrays = (matrix.indptr, matrix.indices, matrix.data, start.user_factors, start.item_factors)
        digests = [sha256_hex(array.tobytes()) for array in arrays]
        fingerprint = sha256_hex(canonical_json({"parameters": parameters, "arrays": digests}))
        return cls(Path(path), objective, fingerprint, start)

    def keep(self) -> None:
        """Write the state; the file holds the old state or the new one, never a part."""
        state = self.state
        progress = {"sweep": state.sweep, "streak": state.streak, "losses": state.losses, "scale": state.lead.scale}
        arrays = (
            state.user_factors,
            state.item_factors,
            state.lead.factors(state.item_factors.shape[1]),
            state.lead.squares.view(np.float32).reshape(-1, 2),  # bit for bit
        )
        files.save(
            self.path,
            dict(zip(_ARRAYS, arrays, strict=True)),
            self.objective,
            run=self.fingerprint,
            progress=canonical_json(progress).decode(),
        )

    def resume(self) -> State:
        """Read the state from the file into `state`, where there is a file; give `state`.

        Raises
        ------
        ModelInvalidError
            If the file is no checkpoint of this run.
        """
        if not self.path.exists():
            return self.state
        arrays, metadata = files.read(self.path, _ARRAYS)
        if metadata.get("run") != self.fingerprint:
            raise ModelInvalidError(
                f"{self.path}: it is the checkpoint of another run; expected the same data, start and parameters: "
                "remove the file to begin anew"
            )
        users, items, lead, squares = (arrays[name] for name in _ARRAYS)
        state, told = self.state, json.loads(metadata["progress"])
        state.user_factors, state.item_factors = users.copy(), items.copy()
        state.sweep, state.streak, state.losses = (told[name] for name in ("sweep", "streak", "losses"))
        state.lead.fill(lead, squares.reshape(-1).view(np.float64).copy(), told["scale"])
        return state
