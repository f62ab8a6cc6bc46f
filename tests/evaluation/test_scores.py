import json

import numpy as np
import pytest

from recsys.evaluation.scores import Bootstrap, Scores


def scores_of(users=(3, 5, 8), bootstrap=None, **per_user):
    figures = {name: np.array(values, dtype=float) for name, values in per_user.items()}
    return Scores(np.array(users), figures, bootstrap or Bootstrap())


def test_a_mean_is_a_mean():
    scores = scores_of(recall_at_1=[0, 1, 0.5])
    assert scores["recall_at_1"].mean == 0.5
    assert scores["recall_at_1"].per_user.tolist() == [0, 1, 0.5]
    assert scores.n_users == 3


def test_users_who_agree_leave_no_doubt():
    score = scores_of(a=[0.25, 0.25, 0.25])["a"]
    assert (score.low, score.high) == pytest.approx((0.25, 0.25))


def test_the_interval_of_many_users_is_the_normal_one():
    """Half of 400 users hit: standard error .025, so the 95% interval is .5 +- .049."""
    score = scores_of(range(400), a=[0, 1] * 200)["a"]
    assert score.low == pytest.approx(0.451, abs=0.006)
    assert score.high == pytest.approx(0.549, abs=0.006)


def test_intervals_cover_the_truth_as_often_as_they_say():
    rng = np.random.default_rng(0)
    covered = 0
    for trial in range(200):
        score = scores_of(range(60), Bootstrap(300, 0.8, trial), a=rng.exponential(1.0, 60))["a"]
        covered += score.low <= 1 <= score.high
    assert 0.7 <= covered / 200 <= 0.88


def test_percentiles_agree_with_a_loop():
    values = np.random.default_rng(1).random((7, 2))
    rng = np.random.default_rng(5)
    means = [values[rng.integers(0, 7, 7)].mean(axis=0) for _ in range(50)]
    low, high = Bootstrap(50, 0.9, 5).interval(values)
    assert low == pytest.approx(np.percentile(means, 5, axis=0))
    assert high == pytest.approx(np.percentile(means, 95, axis=0))


def test_drawing_in_pieces_changes_nothing(monkeypatch):
    values = np.random.default_rng(1).random((9, 2))
    whole = Bootstrap(40).interval(values)
    monkeypatch.setattr("recsys.evaluation.scores._AT_ONCE", 7)
    assert np.allclose(Bootstrap(40).interval(values), whole, rtol=1e-12)


def test_the_seed_decides_the_interval():
    values = np.random.default_rng(1).random((9, 1))
    assert np.array_equal(Bootstrap(40, seed=1).interval(values), Bootstrap(40, seed=1).interval(values))
    assert not np.array_equal(Bootstrap(40, seed=1).interval(values), Bootstrap(40, seed=2).interval(values))


@pytest.mark.parametrize(
    ("name", "values"), [("n_bootstrap", (0, 0.95)), ("confidence", (10, 0)), ("confidence", (10, 95))]
)
def test_an_interval_needs_draws_and_a_confidence(name, values):
    with pytest.raises(ValueError, match=name):
        Bootstrap(*values)


def test_a_model_that_always_wins_by_a_little_is_told_apart():
    """Each user gains .01 while users differ by far more: the paired interval sees it, the two means' do not."""
    theirs = np.random.default_rng(0).random(50)
    ours = scores_of(range(50), a=theirs + 0.01)
    other = scores_of(range(50), a=theirs)
    gain = ours.difference(other)["a"]
    assert gain.mean == pytest.approx(0.01)
    assert gain.low == pytest.approx(0.01)
    assert ours["a"].low < other["a"].high


def test_only_shared_metrics_are_compared():
    assert set(scores_of(a=[1, 2, 3], b=[1, 2, 3]).difference(scores_of(b=[0, 0, 0], c=[1, 1, 1]))) == {"b"}
    with pytest.raises(ValueError, match="no metric in common: a and b"):
        scores_of(a=[1, 2, 3]).difference(scores_of(b=[1, 2, 3]))


def test_different_users_are_not_compared():
    with pytest.raises(ValueError, match="different users"):
        scores_of(a=[1, 2, 3]).difference(scores_of((3, 5, 9), a=[1, 2, 3]))


def test_scores_are_a_mapping():
    scores = scores_of(a=[1, 1, 1], b=[2, 2, 2])
    assert list(scores) == ["a", "b"]
    assert len(scores) == 2
    assert scores.metrics["b"].mean == scores["b"].mean == 2
    with pytest.raises(KeyError):
        scores["c"]


def test_scores_as_json_say_how_they_were_got():
    plain = json.loads(json.dumps(scores_of(bootstrap=Bootstrap(10, 0.9, 4), a=[1, 1, 1]).as_dict()))
    assert plain == {
        "n_users": 3,
        "confidence": 0.9,
        "n_bootstrap": 10,
        "seed": 4,
        "metrics": {"a": {"mean": 1, "low": 1, "high": 1}},
    }


def test_scores_can_be_read_at_a_glance():
    assert repr(scores_of(a=[1, 1, 1])) == "Scores(a=1.0000 [1.0000, 1.0000], n_users=3)"


def test_figures_cannot_be_written_to():
    with pytest.raises(ValueError, match="read-only"):
        scores_of(a=[1, 2, 3])["a"].per_user[0] = 5
