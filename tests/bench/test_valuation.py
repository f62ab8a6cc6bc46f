"""The benchmark of contribution values on a small pool: what it plants, and what it sets values beside."""

import json

import numpy as np

from recsys.bench import valuation


def test_a_small_pool_is_valued_and_checked(tmp_path):
    found = valuation.run(150, testers=60, small=24, groups=4, seed=1, date="today", out=tmp_path)
    assert json.loads((tmp_path / "valuation.json").read_text())["table"] == found.table
    rows = {row["measure"]: row for row in found.table}
    assert rows["value: empty"]["knn-shapley"] == rows["value: empty"]["leave-one-out"] == 0
    assert rows["value: farm on one list"]["knn-shapley"] < 0.3 * rows["value: honest"]["knn-shapley"]
    agreements = [row for name, row in rows.items() if name.startswith("agreement")]
    assert len(agreements) == 2
    assert all(-1 <= row["leave-one-out"] <= 1 for row in agreements)


def test_a_pool_holds_what_it_says():
    pool = valuation.make_pool(100, 20, 0, each=0.05)
    assert np.bincount(pool.kind).tolist() == [80, 5, 5, 5, 5]
    assert (pool.members[pool.kind == 1] != pool.members[pool.copied]).nnz == 0
    assert not pool.members[pool.kind == 4].nnz
    assert pool.testers.fold_in.shape == pool.testers.target.shape == (20, pool.members.shape[1])
    assert (valuation.make_pool(100, 20, 0, each=0.05).members != pool.members).nnz == 0
