import json

import numpy as np
import pytest

from recsys.bench import worker
from recsys.bench.shapes import Shape, plays_like_music
from recsys.bench.worker import Answer, Clock, Order, Point, store, work


@pytest.fixture
def now(monkeypatch):
    """A clock on the wall that is set by hand."""
    hands = [100.0]
    monkeypatch.setattr(worker.time, "perf_counter", lambda: hands[0])

    def advance(seconds):
        hands[0] += seconds

    return advance


def test_the_clock_stands_still_while_a_loss_is_evaluated(now):
    def loss(factors):
        now(1_000)
        return factors[0]

    clock = Clock(loss, wanted=lambda sweep: sweep != 2)
    clock.start()
    for sweep in (1, 2, 3):
        now(2)
        clock.sweep_done(sweep, lambda sweep=sweep: (10.0 * sweep, None))
    assert clock.points == [Point(1, 2.0, 10.0), Point(2, 4.0, None), Point(3, 6.0, 30.0)]


def test_a_clock_can_start_again(now):
    clock = Clock(lambda _: 0.0, wanted=lambda _: False)
    for sweep in (1, 2):
        clock.start()
        now(5)
        clock.sweep_done(sweep, tuple)
    assert [point.seconds for point in clock.points] == [5.0, 5.0]


def test_a_stored_matrix_comes_back(tmp_path):
    plays = plays_like_music(Shape("tiny", 30, 20, 200))
    store(plays, tmp_path)
    back = worker._load(tmp_path)
    assert back.shape == plays.shape
    assert (back != plays).nnz == 0


def test_what_is_judged_is_not_what_a_contestant_changed(tmp_path):
    """irspack's values are changed in place to c - 1 before it runs; the loss must be of c."""
    store(plays_like_music(Shape("tiny", 30, 20, 200)), tmp_path)
    order = Order("recsys", str(tmp_path), "trace", 2, 0.1, 1, 1, 0)
    matrix = worker._load(tmp_path)
    judge = worker._judge(order, matrix)
    factors = tuple(np.zeros((n, 2), dtype=np.float32) for n in matrix.shape)
    before, total = judge(factors), float(matrix.data.sum())
    matrix.data -= 1
    assert judge(factors) == before == pytest.approx(total)


def test_work_in_this_process_and_by_file_is_the_same(tmp_path):
    store(plays_like_music(Shape("tiny", 30, 20, 200)), tmp_path)
    order = Order("recsys", str(tmp_path), "trace", 2, 0.1, 2, 1, 0)
    asked, answered = tmp_path / "order.json", tmp_path / "answer.json"
    asked.write_text(json.dumps(vars(order)))
    worker.main(str(asked), str(answered))
    by_file, here = Answer.read(answered), work(order)
    assert [(point.sweep, point.loss) for point in by_file.points] == [(p.sweep, p.loss) for p in here.points]
