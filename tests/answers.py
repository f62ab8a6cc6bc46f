"""What Vana's query engine answers: query_results.db with one table, results."""

from __future__ import annotations

import sqlite3

import numpy as np

from recsys.canonical import sha256_hex


def answer(path, *, members=100, rare=True):
    """Write a query_results.db as the query engine does: one table, results."""
    rng = np.random.default_rng(0)
    rows = []
    for member in range(members):
        taste = rng.integers(2)
        heard = rng.choice(12, size=6, replace=False) + 12 * taste
        rows += [(sha256_hex(b"%d" % member), f"{artist:022d}", f"Artist {artist}", 3) for artist in heard]
    if rare:
        rows.append((sha256_hex(b"0"), f"{99:022d}", "Cellar Band", 7))
    path.parent.mkdir(parents=True, exist_ok=True)
    with sqlite3.connect(path) as database:
        database.execute(
            "CREATE TABLE results (user_id_hash TEXT, artist_id TEXT, artist_name TEXT, play_count INTEGER)"
        )
        database.executemany("INSERT INTO results VALUES (?, ?, ?, ?)", rows)
    database.close()
    return path
