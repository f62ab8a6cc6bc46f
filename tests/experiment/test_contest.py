import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recsys.errors import ConfigError, DatasetTooSmallError
from recsys.experiment.contest import Plan, contest
from recsys.experiment.protocols import Division
from recsys.home import Home
from recsys.tracking import Tracker

NAMES = ["als", "itemknn-cosine", "popularity"]


@pytest.fixture(scope="module")
def interactions(tmp_path_factory):
    """Two camps that never mix, as anybody's file of interactions."""
    rng = np.random.default_rng(1)
    user, item = np.nonzero((rng.random((300, 30)) < 0.4) & (np.indices((300, 30)).sum(axis=0) % 2 == 0))
    path = tmp_path_factory.mktemp("data") / "camps é.parquet"
    names = [f"artist {i}" for i in item]
    pq.write_table(pa.table({"user_id": user, "artist": names, "plays": rng.integers(1, 9, len(user))}), path)
    return path


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return Home(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def outcome(interactions, home):
    return contest(interactions, Plan(models=NAMES, seconds=2), home)


def test_models_that_learn_win(outcome):
    ranked = [entry.contender.name for entry in outcome.contest.entries]
    assert ranked[-1] == "popularity"
    assert json.loads(json.dumps(outcome.as_dict()))["protocol"]["test_users"] == 30


def test_each_contender_is_a_run_inside_the_contests_run_and_names_the_version(outcome, home):
    import mlflow  # noqa: PLC0415 - the tracking room has set it up

    runs = mlflow.search_runs(search_all_experiments=True, output_format="list")
    by_name = {run.info.run_name: run for run in runs}
    assert set(by_name) == {"compare camps é", *NAMES}
    for name in NAMES:
        assert by_name[name].data.tags["mlflow.parentRunId"] == outcome.run_id
        assert by_name[name].data.tags["recsys.dataset_digest"] == outcome.version.digest
        assert by_name[name].data.metrics["ndcg_at_100"] > 0
    assert Tracker(home.path).uri == outcome.tracking_uri


def test_a_contest_leaves_no_model_to_be_taken_for_the_latest(outcome, home):
    from recsys.errors import RunNotFoundError  # noqa: PLC0415

    with pytest.raises(RunNotFoundError, match="no finished run yet"):
        Tracker(home.path).find()
    with pytest.raises(RunNotFoundError):
        Tracker(home.path).find(outcome.run_id)


def test_the_same_contest_again_goes_on_from_its_trials(outcome, interactions, home):
    before = {entry.contender.name: entry.tuned.trials for entry in outcome.contest.entries}
    again = contest(interactions, Plan(models=NAMES[:2], seconds=1), home)
    assert all(entry.tuned.trials >= before[entry.contender.name] for entry in again.contest.entries)
    assert again.version.digest == outcome.version.digest


def test_too_few_listeners_are_refused(tmp_path, home):
    path = tmp_path / "few.csv"
    path.write_text("user,item\n" + "".join(f"{u},{i}\n" for u in range(5) for i in range(4)))
    with pytest.raises(DatasetTooSmallError, match="of 5 listeners"):
        contest(path, Plan(models=NAMES, seconds=1), home)


def test_a_model_that_is_not_there_is_named_before_anything_is_read(home, tmp_path):
    with pytest.raises(ConfigError, match="alz: name models once each, of als"):
        contest(tmp_path / "nothing.csv", Plan(models=["alz"], seconds=1), home)


@pytest.fixture(scope="module")
def timed(tmp_path_factory):
    """Everybody hears the items of their camp in turn, and goes on with them later."""
    rng = np.random.default_rng(2)
    lines = [(u, 2 * i + u % 2, 86_400 * day) for u in range(40) for day, i in enumerate(rng.permutation(15)[:12])]
    path = tmp_path_factory.mktemp("data") / "timed.csv"
    stamps = np.array([line[2] for line in lines], dtype="datetime64[s]")
    body = "".join(f"{u},{i},{at}Z\n" for (u, i, _), at in zip(lines, stamps, strict=True))
    path.write_text("user_id,item_id,time\n" + body)
    return path


def test_by_time_the_future_is_predicted(timed, home):
    outcome = contest(timed, Plan(models=NAMES, seconds=1, division=Division(protocol="time", held_out=0.2)), home)
    told = outcome.protocol
    assert told["protocol"].startswith("global temporal split")
    assert (told["training_users"], told["items"]) == (40, 30)
    assert outcome.contest.entries[-1].contender.name == "popularity"


def test_leaving_items_out_warns(timed, home):
    with pytest.warns(UserWarning, match="people it was fitted to"):
        outcome = contest(timed, Plan(models=["popularity"], seconds=1, division=Division(protocol="items")), home)
    assert outcome.protocol["test_users"] == 40


def test_a_file_without_times_cannot_be_divided_by_time(interactions, home):
    with pytest.raises(ConfigError, match="one of time, timestamp, ts, played_at, date is needed"):
        contest(interactions, Plan(models=NAMES, seconds=1, division=Division(protocol="time")), home)


def test_times_that_are_none_are_refused(tmp_path, home):
    path = tmp_path / "odd.csv"
    path.write_text("user,item,time\n" + "".join(f"{u},{i},soon\n" for u in range(12) for i in range(4)))
    with pytest.raises(ConfigError, match=r"odd\.csv: the column of times holds something else"):
        contest(path, Plan(models=NAMES, seconds=1, division=Division(protocol="time")), home)


@pytest.fixture
def divided(tmp_path):
    """The last item of each listener is to be found beside two others."""
    rng = np.random.default_rng(5)
    camps = [(u, int(i), t) for u in range(40) for t, i in enumerate(rng.permutation(np.arange(u % 2, 30, 2))[:9])]
    names = {"user": [u for u, _, _ in camps], "item": [i for _, i, _ in camps], "ts": [t for _, _, t in camps]}
    table = pa.table(names)
    last = np.array(names["ts"]) == 8
    pq.write_table(table.filter(pa.array(~last)), tmp_path / "train.parquet")
    pq.write_table(table.filter(pa.array(last)), tmp_path / "test.parquet")
    others = [[30 + u % 3, (u + 1) % 2] for u in range(40)]
    pq.write_table(pa.table({"user": list(range(40)), "negatives": others}), tmp_path / "negatives.parquet")
    return tmp_path


@pytest.mark.filterwarnings("ignore:train and test files that share users:UserWarning")
def test_a_given_test_file_is_what_models_are_tested_on(divided, home):
    division = Division(test=divided / "test.parquet")
    outcome = contest(divided / "train.parquet", Plan(models=NAMES, seconds=1, division=division), home)
    assert outcome.protocol["test_users"] == 40
    assert set(outcome.protocol["files"]) == {"test.parquet"}
    first = outcome.contest.entries[0]
    assert list(first.scores)[:2] == ["ndcg_at_20", "found_at_20"]
    assert first.contender.name != "popularity"
    assert outcome.contest.entries[-1].scores["ndcg_at_20"].mean < first.scores["ndcg_at_20"].mean


@pytest.mark.filterwarnings("ignore:train and test files that share users:UserWarning")
def test_given_candidates_are_what_is_ranked(divided, home):
    division = Division(test=divided / "test.parquet", negatives=divided / "negatives.parquet")
    outcome = contest(divided / "train.parquet", Plan(models=["itemknn-cosine"], seconds=1, division=division), home)
    assert outcome.contest.entries[0].scores["ndcg_at_10"].mean > 0.9  # the two others are of the other camp
    assert outcome.protocol["items"] == 33
    assert outcome.contest.entries[0].scores["hit_rate_at_10"].mean == 1


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"negatives": Path("n.csv")}, "give that too: --test"),
        ({"test": Path("t.csv"), "protocol": "time"}, "leave out --protocol time"),
        ({"held_out": 200}, "holding out 200 of 300 listeners"),
        ({"held_out": 0.5}, "leaves nobody"),
        ({"held_out": -1}, "leaves nobody"),
    ],
)
def test_divisions_that_do_not_go_are_refused_with_what_to_do(interactions, home, told, words):
    with pytest.raises((ConfigError, DatasetTooSmallError), match=words):
        contest(interactions, Plan(models=["popularity"], seconds=1, division=Division(**told)), home)


def test_a_number_of_listeners_is_held_out_and_the_split_is_stored(interactions, home):
    plan = Plan(models=["popularity"], seconds=1, division=Division(held_out=40), top_items=20)
    outcome = contest(interactions, plan, home)
    assert (outcome.protocol["test_users"], outcome.protocol["items"]) == (40, 20)
    import mlflow  # noqa: PLC0415 - the tracking room has set it up

    told = json.loads(mlflow.artifacts.load_text(f"runs:/{outcome.run_id}/split.json"))
    assert len(told["test"]["users"]) == 40
    assert told["dataset_version"] == outcome.version.digest
