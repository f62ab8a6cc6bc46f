import numpy as np
import pytest
import scipy.sparse as sp

from recsys.bench import floor
from recsys.bench.floor import Speed, gather_seconds, sweep_floor


def test_the_floor_by_hand(monkeypatch):
    """Users x items = 4 x 3, 5 pairs, k = 2: 120 sparse operations each half, streams of 40 + 4 m k bytes."""
    monkeypatch.setattr(floor, "gather_seconds", lambda *_: 7.0)
    user_items = sp.csr_matrix(np.array([[1, 0, 0], [1, 1, 0], [0, 1, 1], [0, 0, 0]], dtype=np.float32))
    dense_users_half, dense_items_half = 3 * 3 * 4 + 2 * 8 / 3, 3 * 4 * 4 + 2 * 8 / 3
    streams = (40 + 4 * 4 * 2) + (40 + 4 * 3 * 2)
    fast = sweep_floor(user_items, user_items.T.tocsr(), 2, Speed(sgemm=60.0, copy=8.0), threads=1)
    assert fast == pytest.approx(2 * 7 + (dense_users_half + dense_items_half) / 60 + streams / 8)
    slow = sweep_floor(user_items, user_items.T.tocsr(), 2, Speed(sgemm=12.0, copy=8.0), threads=1)
    assert slow == pytest.approx(2 * 10 + (dense_users_half + dense_items_half) / 12 + streams / 8)


def test_gathering_takes_time_for_every_pair(monkeypatch):
    monkeypatch.setattr(floor, "_ROWS_AT_ONCE", 10)
    monkeypatch.setattr(floor, "_best", lambda _job, _threads: 2.0)
    indices = np.arange(100, dtype=np.int32) % 30
    assert gather_seconds(indices, 30, 4, threads=2) == 2.0
    monkeypatch.setattr(floor, "_GATHERED", 25)
    assert gather_seconds(indices, 30, 4, threads=2) == pytest.approx(2.0 * 100 / 30)  # every fourth slice of ten


def test_every_thread_gathers_its_share():
    assert gather_seconds(np.arange(5_000, dtype=np.int32), 5_000, 8, threads=2) > 0
    assert gather_seconds(np.zeros(3, dtype=np.int32), 1, 8, threads=2) > 0


def test_speeds_are_measured_and_the_better_kept(monkeypatch):
    monkeypatch.setattr(floor, "_SQUARE", 64)
    monkeypatch.setattr(floor, "_COPY_BYTES", 1 << 16)
    speed = Speed.measured(2)
    assert speed.sgemm > 0
    assert speed.copy > 0
    assert Speed(1, 4).or_better(Speed(3, 2)) == Speed(3, 4)
