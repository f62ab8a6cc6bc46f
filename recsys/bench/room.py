"""A room with a made-up sample of any size, served as the real one is; run as a process of its own."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np

from recsys.als import ALSModel, Objective
from recsys.bundle import SampleModel
from recsys.dataset import Vocabulary
from recsys.models import Weighting
from recsys.named import NamedModel
from recsys.verdict import Verdict
from recsys.web import Room, listening, run

_SYLLABLES = ("ba", "ro", "mi", "ka", "sun", "tor", "el", "ö", "an", "dr", "is", "no", "ve", "li", "the ", " of ", "ch")
_MOST_SYLLABLES = 6
_ZIPF = 0.8  # shares of listeners fall with the rank


def names(count: int, seed: int) -> list[str]:
    """Make up artists' names, each once."""
    rng = np.random.default_rng(seed)
    parts = rng.integers(0, len(_SYLLABLES), size=(count, _MOST_SYLLABLES))
    lengths = rng.integers(2, _MOST_SYLLABLES + 1, size=count)
    made: dict[str, None] = {}
    for row, length in zip(parts.tolist(), lengths.tolist(), strict=True):
        name = "".join(_SYLLABLES[part] for part in row[:length]).strip().title()
        made[name if name and name not in made else f"{name} {len(made)}".strip()] = None
    return list(made)


class _MadeUp:
    """What the pages ask of a sample; it came out of no bundle, and there is nothing in it to sell."""

    recommend, explain, similar = SampleModel.recommend, SampleModel.explain, SampleModel.similar

    def __init__(self, artists: int, factors: int, seed: int) -> None:
        rng = np.random.default_rng(seed)
        drawn = rng.normal(scale=0.1, size=(artists, factors)).astype(np.float32)
        model = ALSModel(np.empty((0, factors), np.float32), drawn, Objective(regularization=0.1), num_threads=1)
        self.named = NamedModel(model, Vocabulary(names(artists, seed)), Weighting.plain("log"), 5.0)
        self.listeners = (0.5 / np.arange(1, artists + 1) ** _ZIPF).astype(np.float32)
        self.aliases: dict[str, str] = {}
        self.digest = "0" * 64
        self.verdict = Verdict("a made-up sample", ())
        self.terms = SimpleNamespace(kind="sample", buyer="nobody", refuse_expired=lambda at: None)  # noqa: ARG005


def main(artists: int, factors: int, seed: int) -> None:
    """Serve a made-up sample until interrupted, and say where on standard output."""
    sample = cast("SampleModel", _MadeUp(artists, factors, seed))
    room = Room(sample, Path(), Path(), lambda: datetime.now(UTC))
    with listening("127.0.0.1", 0) as listener:
        run(room, listener, lambda address, _: print(address, flush=True))  # noqa: T201 - it is asked for it


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
