import json
from types import SimpleNamespace

import mlflow
import numpy as np
import pandas as pd
import pytest

from recsys.als import ALSModel
from recsys.dataset import Vocabulary
from recsys.errors import ConfigError, RunNotFoundError
from recsys.models import Weighting
from recsys.named import NamedModel
from recsys.tracking import Tracker, register

ARTISTS = ("Björk", "Sigur Rós", "múm", "Autechre")
TOLD = {"digest": "d1", "tags": {"recsys.buyer": "a buyer"}, "card": "# A card"}


def model(seed):
    factors = np.random.default_rng(seed).normal(size=(4, 2)).astype(np.float32)
    return NamedModel(ALSModel(np.empty((0, 2), np.float32), factors), Vocabulary(ARTISTS), Weighting.plain("log"), 4.0)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    tracker = Tracker(tmp_path_factory.mktemp("home"))
    first = register(tracker, model(0), name="nordic", alias="champion", **TOLD)
    return SimpleNamespace(tracker=tracker, first=first, client=mlflow.MlflowClient(tracker.uri))


def test_a_registered_model_is_loaded_by_its_alias_and_recommends(store):
    loaded = mlflow.pyfunc.load_model(store.first.uri)
    answer = loaded.predict(pd.DataFrame({"artists": [["bjork", "mum"]]}), params={"n": 1})
    assert answer["artists"][0] == [model(0).recommend(["Björk", "múm"], 1).artists[0][0]]


def test_it_comes_with_signature_example_and_what_is_said_of_it(store):
    info = mlflow.models.get_model_info(store.first.uri)
    assert info.signature.inputs.input_names() == ["artists"]
    assert info.signature.params.params[0].name == "n"
    example = mlflow.pyfunc.load_model(store.first.uri).input_example
    assert example["artists"][0] == list(ARTISTS[:2])
    version = store.client.get_model_version_by_alias("nordic", "champion")
    assert version.description == "# A card"
    assert version.tags["recsys.buyer"] == "a buyer"


def test_the_same_again_is_no_new_version_and_another_one_is(store):
    again = register(store.tracker, model(0), name="nordic", alias=None, **TOLD)
    assert (again.version, again.uri) == (1, "models:/nordic/1")
    other = register(store.tracker, model(1), name="nordic", alias="challenger", **{**TOLD, "digest": "d2"})
    assert (other.version, other.uri) == (2, "models:/nordic@challenger")
    assert store.client.get_model_version_by_alias("nordic", "champion").version == 1
    back = register(store.tracker, model(0), name="nordic", alias="challenger", **TOLD)
    assert back.version == 1
    assert store.client.get_model_version_by_alias("nordic", "challenger").version == 1


def test_a_registered_model_is_no_training_run(store):
    with pytest.raises(RunNotFoundError):
        store.tracker.find()


@pytest.mark.parametrize("name", ["", "a/b", "a:b", "x' or name = 'y", "x" * 300, ".."])
def test_odd_names_are_refused(store, name):
    with pytest.raises(ConfigError, match="no name for a model"):
        register(store.tracker, model(0), name=name, alias=None, **TOLD)


def test_an_alias_that_is_reserved_is_refused(store):
    with pytest.raises(ConfigError, match="latest"):
        register(store.tracker, model(0), name="nordic", alias="latest", **TOLD)


def test_what_is_told_is_plain_json(store):
    assert json.loads(json.dumps(vars(store.first)))["version"] == 1
