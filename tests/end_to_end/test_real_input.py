"""The researcher's story: a training script on a public benchmark."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recsys.dataset import DatasetStore

ROOT = Path(__file__).resolve().parents[2]


def train(config, home, *more):
    done = subprocess.run(
        [sys.executable, "-m", "recsys", "train", str(config), "--home", str(home), "--json", *more],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def beats_popularity(told):
    ours, popular = told["als"]["metrics"], told["popularity"]["metrics"]
    return all(ours[name]["low"] > popular[name]["high"] for name in ours)


def test_lastfm_2k_beats_popularity_by_a_wide_margin(shared_data, tmp_path):
    assert (shared_data / "hetrec_lastfm2k").is_dir()
    config = tmp_path / "configs" / "lastfm2k.toml"
    config.parent.mkdir()
    text = (ROOT / "configs" / "lastfm2k.toml").read_text()
    config.write_text(text.replace("../../shared/data", str(shared_data)))
    told = train(config, tmp_path / "home")
    assert beats_popularity(told)
    assert told["als"]["metrics"]["ndcg_at_100"]["mean"] > 2 * told["popularity"]["metrics"]["ndcg_at_100"]["mean"]
    version = DatasetStore(tmp_path / "home" / "datasets").load(told["dataset_version"])
    assert version.manifest.provenance == "public-benchmark"
    assert version.user_items.shape == (1892, 16_489)


@pytest.fixture
def planted(tmp_path):
    """Write a benchmark in which each quarter of the listeners likes a quarter of the artists of its own."""
    rng = np.random.default_rng(0)
    users = np.repeat(np.arange(400), 20)
    artists = np.concatenate([rng.choice(80, 20, replace=False) + 80 * (user % 4) for user in range(400)])
    table = pa.table({"user_id": users, "artist_id": artists, "plays": rng.integers(1, 90, len(users))})
    pq.write_table(table, tmp_path / "plays.parquet")
    pq.write_table(
        pa.table({"artist_id": range(320), "name": [f"Artist {i % 319}" for i in range(320)]}), tmp_path / "n.parquet"
    )
    config = tmp_path / "planted.toml"
    config.write_text(
        'name = "planted"\nfiles = ["plays.parquet"]\nnames_file = "n.parquet"\nfactors = 8\nalpha = 2.0\n'
    )
    return config


def test_a_benchmark_that_is_made_up_is_trained_on_in_the_same_way(planted, tmp_path):
    told = train(planted, tmp_path / "home", "--factors", "4")
    assert beats_popularity(told)
    store = DatasetStore(tmp_path / "home" / "datasets")
    version = store.load(told["dataset_version"])
    assert not version.consented
    assert version.manifest.source["name"] == "planted"
    assert {"Artist 0 (0)", "Artist 0 (319)"} <= set(version.artists.names)


def test_importing_a_benchmark_twice_gives_the_same_version(planted, tmp_path):
    first = train(planted, tmp_path / "home")
    assert train(planted, tmp_path / "home")["dataset_version"] == first["dataset_version"]
    assert len(DatasetStore(tmp_path / "home" / "datasets").digests()) == 1
