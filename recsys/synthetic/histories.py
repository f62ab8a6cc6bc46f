"""Listeners of somebody else in the same made-up world: what a buyer of a model would test it on."""

from __future__ import annotations

import csv
import io
import unicodedata
from pathlib import Path

import numpy as np

from recsys.canonical import write_atomically
from recsys.synthetic.world import draw_taste, make_world

_PLAIN, _SLIPPED = 0.1, 0.02  # shares of the lines whose artist is written so


def make_histories(path: Path, *, listeners: int = 400, seed: int = 0) -> None:
    """Write a CSV file ``user,artist,plays`` of listeners who are members of no collective.

    They live in the world of :func:`recsys.synthetic.make_collective` with the same `seed`: what its members' plays
    teach holds for them. As in real files, some names come without accents and capitals, and a few with a slip.

    Parameters
    ----------
    path
        The file; it appears whole or not at all.
    listeners
        How many.
    seed
        Names the world.
    """
    world = make_world(seed)
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(("user", "artist", "plays"))
    for index in range(listeners):
        rng = np.random.default_rng([seed, 3, index])
        taste = draw_taste(world, rng, int(np.clip(rng.lognormal(np.log(50), 0.4), 10, 150)))
        plays = rng.multinomial(int(np.clip(rng.lognormal(np.log(800), 0.6), 100, 8_000)), taste.shares)
        told = (
            (world.artists[artist], int(count)) for artist, count in zip(taste.artists, plays, strict=True) if count
        )
        lines.writerows((f"listener-{index:05d}", _written(name, rng), count) for name, count in told)
    write_atomically(path, text.getvalue().encode())


def _written(name: str, rng: np.random.Generator) -> str:
    draw = rng.random()
    if draw < _SLIPPED:
        place = int(rng.integers(1, len(name)))
        return name[:place] + name[place + 1 :]
    if draw < _SLIPPED + _PLAIN:
        return "".join(sign for sign in unicodedata.normalize("NFD", name) if not unicodedata.combining(sign)).lower()
    return name
