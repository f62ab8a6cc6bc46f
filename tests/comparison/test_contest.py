import json
from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp
from optuna.distributions import FloatDistribution

from recsys.comparison import ALL, Contender, chosen, run, tune
from recsys.errors import ConfigError
from recsys.evaluation import NDCG, Popularity, Recall, Referee, given, strong_generalization


@pytest.fixture
def referee():
    rng = np.random.default_rng(3)
    music = sp.csr_matrix((rng.random((90, 30)) < np.linspace(0.6, 0.05, 30)).astype(np.float32))
    return Referee(strong_generalization(music, 20), [NDCG(10), Recall(5)])


class Mixed:
    """Gives as large a share of the listeners as `skill` says a list of popular items, and the others nothing."""

    def __init__(self, train, skill):
        self.popular, self.skill = Popularity(train), skill

    def recommend(self, userid, user_items, N=10, *_, **__):
        ids, scores = self.popular.recommend(userid, user_items, N)
        ids[round(len(ids) * self.skill) :] = -1
        return ids, scores


def contender(fits, *, ladder=None):
    """Better the nearer `x` is to 0.7, and, with a ladder, the larger `size` up to 4."""

    def fit(train, params, training):
        fits.append(dict(params))
        size = min(params.get("size", 4), 4) / 4
        model = Mixed(train, max(0.0, 1 - abs(params["x"] - 0.7)) * size)
        for sweep in range(1, params.get("iterations", 9) + 1):
            if training.watch and training.watch(sweep, model):
                break
        return model

    return Contender("mixed", "mixed", fit, {"x": FloatDistribution(0, 1)}, {"x": 0.1}, ladder)


def test_the_search_finds_what_is_good(referee):
    fits = []
    tuned = tune(contender(fits), referee, seconds=600, max_trials=25)
    assert fits[0] == {"x": 0.1}
    assert tuned.trials == 25
    assert tuned.params["x"] == pytest.approx(0.7, abs=0.1)


def test_what_costs_is_raised_while_it_helps(referee):
    fits = []
    tuned = tune(contender(fits, ladder=("size", (1, 2, 4, 8, 16))), referee, seconds=600, max_trials=6)
    assert {fit["size"] for fit in fits[:6]} == {1}
    assert [fit["size"] for fit in fits[6:9]] == [2, 4, 8]  # eight does not help any more
    assert {fit["size"] for fit in fits[9:]} == {4}
    assert tuned.params["size"] == 4


def test_a_search_goes_on_where_it_was_killed(referee, tmp_path):
    class KilledError(Exception):
        pass

    def die(number, _value, _params):
        if number == 3:
            raise KilledError

    fits = []
    with pytest.raises(KilledError):
        tune(contender(fits), referee, seconds=600, max_trials=9, storage=tmp_path / "s.db", report=die)
    tuned = tune(contender(fits), referee, seconds=600, max_trials=5, storage=tmp_path / "s.db")
    assert tuned.trials == 9
    assert fits.count({"x": 0.1}) == 1


def test_something_is_tried_even_without_time(referee):
    tuned = tune(contender([]), referee, seconds=0)
    assert (tuned.trials, tuned.params["x"]) == (1, 0.1)


def test_training_ends_where_more_sweeps_make_it_worse(referee):
    class Fading(Mixed):
        pass

    def fit(train, params, training):
        for sweep in range(1, 100):
            model = Fading(train, 1 if sweep <= 6 else 0.2)
            if training.watch and training.watch(sweep, model):
                break
            if sweep == params.get("iterations"):
                break
        return model

    tuned = tune(Contender("fading", "fading", fit), referee, seconds=600)
    assert tuned.params["iterations"] in {3, 6}


def test_no_look_at_the_test_users_while_choosing(referee):
    tune(contender([]), referee, seconds=600, max_trials=3)
    assert dict(referee.touches) == {}


def test_a_contest_looks_at_the_test_users_once_for_each_and_ranks_them(referee):
    names = ["random", "popularity", "itemknn-cosine"]
    contest = run(chosen(names), referee, seconds=600, max_trials=2)
    assert dict(contest.touches) == dict.fromkeys(names, 1)
    means = [entry.scores["ndcg_at_10"].mean for entry in contest.entries]
    assert means == sorted(means, reverse=True)
    assert contest.entries[-1].contender.name == "random"
    assert [one.model for one in contest.comparisons] == [contest.entries[0].contender.name] * 2
    told = json.loads(json.dumps(contest.as_dict()))
    assert [model["name"] for model in told["models"]] == [entry.contender.name for entry in contest.entries]
    assert told["models"][0]["touches_of_test_users"] == 1


def test_the_same_seed_gives_the_same_contest(referee):
    def figures():
        fresh = Referee(referee.split, referee.metrics)
        contest = run(chosen(["als", "popularity"]), fresh, seconds=600, max_trials=2, seed=5)
        return [(e.contender.name, e.tuned.params, e.scores.as_dict()) for e in contest.entries]

    assert figures() == figures()


@pytest.mark.parametrize("names", [[], ["als", "als"], ["als", "alz"]])
def test_contenders_are_named_once_each(names):
    with pytest.raises(ConfigError, match="name models once each"):
        chosen(names)


def test_every_contender_can_be_chosen():
    assert [one.name for one in chosen(list(ALL))] == list(ALL)


def test_who_cannot_take_part_is_left_out_with_the_reason(referee):
    wide = sp.csr_matrix((2, 20_001))
    assert "20,001 x 20,001 items takes 4 GiB" in ALL["ease"].too_large(wide)
    assert ALL["ease"].too_large(wide[:, 1:]) is None
    large = replace(ALL["ease"], too_large=lambda _: "it is too large")
    contest = run([large, *chosen(["popularity"])], referee, seconds=1)
    assert [entry.contender.name for entry in contest.entries] == ["popularity"]
    assert contest.as_dict()["left_out"] == {"ease": "it is too large"}
    with pytest.raises(ConfigError, match="nobody can take part: it is too large"):
        run([large], referee, seconds=1)


def test_what_is_tested_is_trained_on_the_whole_train_file():
    rng = np.random.default_rng(0)
    train, test = (sp.csr_matrix((rng.random((30, 20)) < 0.3).astype(np.float32)) for _ in range(2))
    with pytest.warns(UserWarning, match="share users"):
        split = given(train, test)
    seen = []

    def fit(plays, _params, _training):
        seen.append(plays.nnz)
        return Popularity(plays)

    run([Contender("popularity", "popularity", fit)], Referee(split, [NDCG(10)], whole=train), seconds=1)
    assert seen == [split.train.nnz, train.nnz]
    assert split.train.nnz < train.nnz
