"""The lone script: in a Python that has NumPy and safetensors and nothing else, it recommends what the bundle does."""

import importlib.util
import json
import subprocess
import sys
import venv
import zipfile
from dataclasses import asdict, replace
from pathlib import Path

import bundles
import numpy as np
import pytest
import scipy.sparse as sp
from safetensors.numpy import save_file

from recsys.als import ALS
from recsys.bundle import open_sample
from recsys.bundle.cards import SCRIPT, script
from recsys.dataset import Vocabulary
from recsys.models import Beside, Weighting, beside_arrays, neighbours
from recsys.named import NamedModel
from recsys.synthetic import NOW

KINDS = ("binary", "log", "linear", "tfidf", "bm25")
LOSSES = (
    {"objective": "implicit", "alpha": 3.0, "regularization": 1.0},
    {"objective": "ials", "unobserved_weight": 0.2, "nu": 1.0, "regularization": 0.01},
)


@pytest.fixture(scope="module")
def lone(tmp_path_factory):
    """Make a Python that finds NumPy and safetensors beside the standard library, and nothing else."""
    folder = tmp_path_factory.mktemp("lone") / "env"
    venv.create(folder, with_pip=False, symlinks=True)
    (packages,) = (folder / "lib").glob("python*/site-packages")
    for name in ("numpy", "safetensors"):
        home = Path(importlib.util.find_spec(name).origin).parents[1]
        for part in (name, f"{name}.libs"):
            if (home / part).exists():
                (packages / part).symlink_to(home / part)
    return folder / "bin" / "python"


def run(python, *arguments):
    done = subprocess.run([python, "-I", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def listed(printed):
    return [(line[9:].strip(), float(line[:9])) for line in printed.splitlines()]


@pytest.mark.parametrize("package", ["recsys", "scipy", "implicit", "mlflow"])
def test_there_is_nothing_else_in_that_python(lone, package):
    found = run(lone, "-c", f"import importlib.util as u; print(u.find_spec({package!r}))")
    assert found == "None\n"


@pytest.mark.parametrize("unzipped", [False, True])
def test_it_recommends_what_the_sample_does(lone, tmp_path, unzipped):
    path, key = bundles.make_bundle(tmp_path)
    sample = open_sample(path, key, at=NOW)
    folder = tmp_path / "unzipped"
    with zipfile.ZipFile(path) as file:
        file.extractall(folder)
    liked = list(sample.named.artists.names[3:8])
    told = listed(run(lone, folder / "run_without_recsys.py", folder if unzipped else path, *liked))
    expected = sample.recommend(liked).artists
    assert [name for name, _ in told] == [name for name, _ in expected]
    assert [score for _, score in told] == pytest.approx([score for _, score in expected], abs=1e-5)


def test_the_card_shows_the_very_script_and_it_is_short(tmp_path):
    path, _ = bundles.make_bundle(tmp_path)
    with zipfile.ZipFile(path) as file:
        assert file.read(script.SCRIPT_NAME).decode() == SCRIPT
        assert f"```python\n{SCRIPT}```" in file.read("README.md").decode()
    assert len(SCRIPT.splitlines()) <= 40


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss["objective"])
@pytest.mark.parametrize("beside", [False, True])
def test_it_weighs_plays_as_every_kind_of_model_does(tmp_path, kind, loss, beside):
    rng = np.random.default_rng(0)
    plays = sp.random(150, 80, density=0.1, format="csr", random_state=1, data_rvs=lambda n: rng.integers(1, 99, n))
    weighting = Weighting.learn(plays.astype(np.float32), kind)
    weights = weighting(plays.astype(np.float32))
    model = ALS(factors=8, iterations=4, **loss).fit(weights).model_
    stored = model.item_factors.astype(np.float16)
    model = replace(model, user_factors=np.empty((0, 8), np.float32), item_factors=stored.astype(np.float32))
    near = Beside(neighbours(weights, k=9), 0.4) if beside else None
    names = [f"Künstler {i}" for i in range(80)]
    named = NamedModel(model, Vocabulary(names), weighting, 7.0, near)
    write(tmp_path, named, stored)
    recommend = loaded(tmp_path)
    for liked in (names[:1], names[10:60:7], [name.upper() for name in names[:5]]):
        told = recommend(str(tmp_path), liked, 20)
        expected = named.recommend(liked, 20).artists
        assert [name for name, _ in told] == [name for name, _ in expected]
        assert [score for _, score in told] == pytest.approx([score for _, score in expected], rel=1e-5, abs=1e-7)
    assert len(recommend(str(tmp_path), names[:75], 20)) == 5


def write(folder, named, stored):
    gram = stored.astype(np.float64).T @ stored.astype(np.float64)
    arrays = {"item_factors": stored, "gram": gram, **beside_arrays(named.weighting, named.beside)}
    save_file(arrays, folder / "model.safetensors")
    words = {
        "artists": list(named.artists.names),
        "confidence": named.weighting.kind,
        "mean_length": named.weighting.mean_length,
        "neighbours_weight": named.beside.weight if named.beside else None,
        "typical_plays": named.typical_plays,
        "objective": asdict(named.model.objective),
    }
    (folder / "artists.json").write_text(json.dumps(words), encoding="utf-8")


def loaded(folder):
    """Import the script from its text, as a buyer who copies it from the card would."""
    path = folder / "run_without_recsys.py"
    path.write_text(SCRIPT, encoding="utf-8")
    spec = importlib.util.spec_from_file_location("lone_script", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert "lone_script" not in sys.modules
    return module.recommend
