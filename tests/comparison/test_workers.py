import os
import signal

import numpy as np
import optuna
import pytest
import scipy.sparse as sp

from recsys.comparison import ALL, chosen, crew, run, tune
from recsys.comparison.workers import Crew, _untested
from recsys.evaluation import NDCG, Referee, strong_generalization


@pytest.fixture(scope="module")
def referee():
    """Two camps that never mix."""
    rng = np.random.default_rng(3)
    music = (rng.random((80, 24)) < 0.4) & (np.indices((80, 24)).sum(axis=0) % 2 == 0)
    return Referee(strong_generalization(sp.csr_matrix(music.astype(np.float32)), 10), [NDCG(10)])


def trials_of(path, study):
    return optuna.load_study(study_name=study, storage=f"sqlite:///{path}").get_trials(deepcopy=False)


def test_workers_search_one_study_and_look_at_no_test_user(referee, tmp_path):
    told = []
    with crew(2, referee, seed=0, storage=tmp_path / "s.db") as helpers:
        assert len(helpers) == 2
        report = lambda *trial: told.append(trial)  # noqa: E731
        tuned = tune(
            ALL["itemknn-bm25"],
            referee,
            seconds=600,
            max_trials=3,
            storage=tmp_path / "s.db",
            report=report,
            crew=helpers,
        )
    tried = trials_of(tmp_path / "s.db", "study")
    assert tuned.trials == len(tried) == len(told) == 6
    assert len({trial.user_attrs["process"] for trial in tried}) == 2
    assert str(os.getpid()) not in {trial.user_attrs["process"].rpartition(":")[2] for trial in tried}
    assert [trial.params for trial in tried].count(dict(ALL["itemknn-bm25"].start)) == 1
    assert tuned.value == max(value for _, value, _ in told)
    assert "process" not in tuned.params
    assert dict(referee.touches) == {}


def test_a_worker_that_is_killed_takes_only_its_own_trial_along(referee, tmp_path):
    storage, killed = tmp_path / "s.db", []
    with crew(2, referee, seed=0, storage=storage) as helpers:

        def kill_one(*_):
            if not killed:
                signed = (trial.user_attrs.get("process") for trial in trials_of(storage, "study"))
                busy = [process for process in signed if process]  # another may be asking for its trial just now
                killed.append(int(busy[0].rpartition(":")[2]))
                os.kill(killed[0], signal.SIGKILL)

        tuned = tune(ALL["als"], referee, seconds=600, max_trials=4, storage=storage, report=kill_one, crew=helpers)
        assert len(helpers) == 1
        assert tuned.trials >= 4
        again = tune(ALL["als"], referee, seconds=0, storage=storage, crew=helpers)
        assert again.trials >= tuned.trials
    states = {trial.state.name for trial in trials_of(storage, "study")}
    assert states <= {"COMPLETE", "FAIL"}


@pytest.mark.parametrize("signed", [True, False], ids=["at its trial", "while it asked for it"])
def test_what_a_dead_process_was_at_is_tried_again(referee, tmp_path, signed):
    storage = tmp_path / "s.db"
    start = dict(ALL["itemknn-cosine"].start)
    study = optuna.create_study(storage=f"sqlite:///{storage}", study_name="study", direction="maximize")
    study.enqueue_trial(start)
    lost = study.ask(fixed_distributions=dict(ALL["itemknn-cosine"].space))
    if signed:
        lost.set_user_attr("process", f"{os.uname().nodename}:{2**22 + 1}")  # no process has so high a number
    tuned = tune(ALL["itemknn-cosine"], referee, seconds=0, storage=storage)
    assert tuned.params == start
    assert [trial.state.name for trial in trials_of(storage, "study")] == ["FAIL", "COMPLETE"]


def test_without_any_worker_left_the_search_is_made_here(referee, tmp_path):
    tuned = tune(ALL["itemknn-cosine"], referee, seconds=0, storage=tmp_path / "s.db", crew=Crew([]))
    assert tuned.trials == 1


def test_additions_are_searched_by_workers_too(referee, tmp_path):
    with crew(2, referee, seed=0, storage=tmp_path / "s.db") as helpers:
        tuned = tune(ALL["als+items"], referee, seconds=600, max_trials=1, storage=tmp_path / "s.db", crew=helpers)
    names = optuna.get_all_study_names(f"sqlite:///{tmp_path / 's.db'}")
    assert len(names) == 2
    assert tuned.trials == sum(len(trials_of(tmp_path / "s.db", name)) for name in names)


def test_what_a_search_raises_in_a_worker_is_raised_here(tmp_path, referee):
    from dataclasses import replace  # noqa: PLC0415

    broken = Referee(replace(referee.split, train=referee.split.train[:, :5]), referee.metrics)
    with crew(2, broken, seed=0, storage=tmp_path / "s.db") as helpers, pytest.raises(ValueError, match=r"\d"):
        tune(ALL["itemknn-cosine"], broken, seconds=1, storage=tmp_path / "s.db", crew=helpers)


def test_what_a_worker_is_told_holds_no_test_user(referee):
    told = _untested(Referee(referee.split, referee.metrics, whole=referee.split.train))
    assert len(told.split.test.users) == told.split.test.fold_in.nnz == told.split.test.target.nnz == 0
    assert told.whole is None
    assert told.split.validation is referee.split.validation


def test_one_worker_is_this_process(referee, tmp_path):
    with crew(1, referee, seed=0, storage=tmp_path / "s.db") as helpers:
        assert helpers is None


def test_a_contest_of_workers_touches_test_users_once(referee, tmp_path):
    fresh = Referee(referee.split, referee.metrics)
    names = ["itemknn-cosine", "popularity"]
    contest = run(chosen(names), fresh, seconds=600, max_trials=2, storage=tmp_path / "s.db", workers=2)
    assert dict(contest.touches) == dict.fromkeys(names, 1)
    assert {entry.contender.name: entry.tuned.trials for entry in contest.entries} == dict(
        zip(names, (4, 1), strict=True)
    )


def test_several_workers_need_a_place_to_meet(referee):
    with pytest.raises(ValueError, match="2 workers meet at a study in a file"):
        run(chosen(["popularity"]), referee, seconds=1, workers=2)
