from dataclasses import fields
from pathlib import Path

import pytest

from recsys.als import ALS
from recsys.errors import ConfigError
from recsys.experiment import Experiment, load_experiment

CONFIGS = Path(__file__).resolve().parents[2] / "configs"


def written(folder, text):
    path = folder / "config.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.toml")), ids=lambda path: path.name)
def test_every_config_of_the_project_is_usable(path):
    assert load_experiment(path, {}).estimator().factors >= 1


def test_options_win_over_the_file_and_the_file_over_defaults(tmp_path):
    path = written(tmp_path, "factors = 8\nalpha = 3\nseed = 5\n")
    experiment = load_experiment(path, {"factors": 16})
    estimator = experiment.estimator()
    assert (estimator.factors, estimator.alpha, estimator.iterations) == (16, 3, ALS().iterations)
    assert (experiment.seed, estimator.random_state) == (5, 5)


def test_every_hyper_parameter_can_be_told_and_is_tracked(tmp_path):
    names = [f.name for f in fields(ALS) if f.init and f.name != "random_state"]
    params = load_experiment(None, {}).params()
    assert {f"als.{name}" for name in names} <= params.keys()
    assert {"seed", "confidence", "held_out", "fold_in_fraction", "version", "purpose"} <= params.keys()
    for name in names:
        default = getattr(ALS(), name)
        assert getattr(load_experiment(None, {name: default}).estimator(), name) == default
    assert tmp_path


def test_paths_are_seen_from_the_configs_folder(tmp_path):
    experiment = load_experiment(written(tmp_path, 'files = ["a.parquet", "b/c.csv"]\nnames_file = "n.csv"\n'), {})
    assert experiment.files == (str(tmp_path / "a.parquet"), str(tmp_path / "b/c.csv"))
    assert experiment.names_file == str(tmp_path / "n.csv")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("factor = 3", "no key 'factor'; did you mean 'factors'"),
        ("random_state = 3", "no key 'random_state'"),
        ('factors = "many"', "factors is 'many'; it must be a int"),
        ("factors = true", "factors is True"),
        ("factors = 1.5", "factors is 1.5"),
        ("alpha = [1]", "alpha is"),
        ("held_out = 1.5", "between 0 and 1"),
        ('confidence = "cubic"', "binary, log, linear"),
        ("factors = ", "not a TOML file"),
        ("files = 3", "files is 3"),
        ("files = [1, 2]", "files is"),
    ],
)
def test_a_config_that_makes_no_sense_is_refused(tmp_path, text, words):
    with pytest.raises(ConfigError, match=words):
        load_experiment(written(tmp_path, text), {})


def test_a_config_that_is_not_there_or_no_text_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="there is no file"):
        load_experiment(tmp_path / "none.toml", {})
    (tmp_path / "bad.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="not a TOML file"):
        load_experiment(tmp_path / "bad.toml", {})
    with pytest.raises(ConfigError, match="not a TOML file"):
        load_experiment(tmp_path, {})


def test_an_experiment_is_immutable():
    with pytest.raises(AttributeError):
        Experiment().seed = 3


def test_what_a_run_was_told_is_read_back_from_what_mlflow_writes():
    told = load_experiment(None, {"factors": 6, "regularization": 0.05, "seed": 3, "confidence": "linear"})
    written = {key: str(value) for key, value in told.params().items()}
    assert Experiment.of_run(written).params() == told.params()
    older = {key: text for key, text in written.items() if key not in {"als.half_precision", "fold_in_fraction"}}
    assert Experiment.of_run(older).params() == told.params()
    for broken in ({}, {**written, "seed": "many"}, {**written, "held_out": "7"}):
        with pytest.raises(ConfigError):
            Experiment.of_run(broken)


def test_a_run_that_is_told_nothing_is_the_model_that_won_on_held_out_listeners():
    shipped = load_experiment(None, {})
    estimator = shipped.estimator()
    assert (estimator.objective, estimator.nu, shipped.confidence) == ("ials", 1.0, "log")
    assert (shipped.neighbours, shipped.neighbours_weight) == (200, 0.3)
    assert (ALS().objective, ALS().nu) == ("implicit", 0.0)
    other = load_experiment(None, {"objective": "implicit"}).estimator()
    assert (other.nu, other.regularization) == (ALS().nu, ALS().regularization)


def test_a_run_from_before_there_were_neighbours_had_none():
    written = {key: str(value) for key, value in load_experiment(None, {}).params().items()}
    assert Experiment.of_run(written).neighbours == 200
    older = {key: text for key, text in written.items() if not key.startswith("neighbours")}
    assert Experiment.of_run(older).neighbours == 0
