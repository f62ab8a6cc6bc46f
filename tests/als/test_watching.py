"""Who watches a training sees each sweep, and may end it."""

import numpy as np
import pytest

from recsys.als import ALS, StopEarly


def test_a_bar_shows_each_sweep_and_its_loss(make_tastes, capsys):
    als = ALS(4, iterations=3)
    als.fit(make_tastes(), show_progress=True)
    shown = capsys.readouterr().out
    assert "3/3" in shown
    assert f"loss {als.losses_[-1]:.6g}" in shown
    als.refresh(make_tastes(), iterations=2, show_progress=True)
    assert "2/2" in capsys.readouterr().out
    als.fit(make_tastes())
    assert not capsys.readouterr().out


def test_training_ends_when_held_out_users_are_served_no_better(make_tastes):
    matrix = make_tastes(400, 200, density=0.15)
    judge = StopEarly(matrix[300:], patience=3)
    als = ALS(16, alpha=5.0, iterations=60).fit(matrix[:300], callback=judge)
    assert als.n_iter_ == len(judge.scores) == judge.best_sweep + 3 < 60
    assert max(judge.scores) == judge.scores[judge.best_sweep - 1]
    assert judge.scores[als.n_iter_ - 1] == als.score(matrix[300:])
    again = ALS(16, alpha=5.0, iterations=judge.best_sweep).fit(matrix[:300])
    assert again.score(matrix[300:]) == max(judge.scores)


def test_a_judge_needs_users_with_something_to_find(make_tastes):
    with pytest.raises(ValueError, match="none of the held-out users has two items"):
        StopEarly(np.eye(3, 40, dtype=np.float32))
    with pytest.raises(ValueError, match="patience is 0"):
        StopEarly(make_tastes(), patience=0)
