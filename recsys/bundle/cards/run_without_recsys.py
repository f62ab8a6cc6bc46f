"""Recommends from a bundle with NumPy and safetensors alone: python run_without_recsys.py FILE "Björk" "Aphex Twin"."""

import json
import sys
import zipfile
from pathlib import Path

import numpy as np
from safetensors.numpy import load


def recommend(path: str, liked: list[str], n: int = 10) -> list[tuple[str, float]]:
    """Fold in somebody who likes these artists (Hu, Koren and Volinsky 2008, eq. 4), and name the best other ones."""
    bundle = zipfile.Path(path) if zipfile.is_zipfile(path) else Path(path)  # *.recsys, or the folder it unzips to
    words = json.loads((bundle / "artists.json").read_text(encoding="utf-8"))
    model = load((bundle / "model.safetensors").read_bytes())
    place = {name.casefold(): column for column, name in enumerate(words["artists"])}
    mine = np.unique([place[name.casefold()] for name in liked])
    plays = np.full(len(mine), float(words["typical_plays"]))
    norm = 100 * (0.2 + 0.8 * plays.sum() / max(words["mean_length"], 1e-9))
    kinds = {"binary": plays**0, "log": np.log1p(plays), "linear": plays, "tfidf": plays**0.5}
    weight = (kinds | {"bm25": plays * 101 / (plays + norm)})[words["confidence"]]
    weight = np.maximum(weight * model["rarity"][mine], 1e-6) if "rarity" in model else weight
    loss, Y = words["objective"], model["item_factors"].astype(np.float64)
    replaces, c, y = loss["kind"] == "implicit", loss["alpha"] * weight, Y[mine]
    w0 = 1.0 if replaces else loss["unobserved_weight"]
    ridge = loss["regularization"] * (len(mine) + w0 * len(Y)) ** loss["nu"] * np.eye(Y.shape[1])
    scores = Y @ np.linalg.solve(w0 * model["gram"] + ridge + (y.T * (c - replaces)) @ y, y.T @ c)
    if "alike.data" in model:  # neighbours stand beside the factors, each side in units of its own spread
        near, ends = np.zeros(len(Y)), model["alike.indptr"]
        for w, cut in zip(weight, map(slice, ends[mine], ends[mine + 1]), strict=True):
            near[model["alike.indices"][cut]] += w * model["alike.data"][cut]
        scores = scores / max(scores.std(), 1e-12) + words["neighbours_weight"] * near / max(near.std(), 1e-12)
    scores[mine] = -np.inf
    return [(words["artists"][i], float(scores[i])) for i in np.argsort(-scores, kind="stable")[:n] if i not in mine]


if __name__ == "__main__":
    sys.stdout.writelines(f"{score:9.6f}  {name}\n" for name, score in recommend(sys.argv[1], sys.argv[2:]))
