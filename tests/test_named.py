import json

import numpy as np
import pytest
import scipy.sparse as sp
from safetensors.numpy import load_file, save_file

from recsys.als import ALS
from recsys.dataset import Vocabulary
from recsys.errors import ModelInvalidError
from recsys.models import Beside, Weighting, neighbours
from recsys.named import NamedModel

ARTISTS = ("Aphex Twin", "Björk", "Sigur Rós", "Autechre", "Boards of Canada", "múm")


@pytest.fixture(scope="module")
def named():
    likes = np.kron(np.eye(2), np.ones((5, 3))).astype(np.float32)
    likes[0, 2] = likes[5, 5] = 0
    model = ALS(factors=2, alpha=10.0, iterations=5).fit(sp.csr_matrix(likes)).model_
    return NamedModel(model, Vocabulary(ARTISTS), Weighting.plain("log"), 4.0)


def test_it_recommends_what_goes_with_what_was_named(named):
    assert named.recommend(["Aphex Twin", "Björk"], 1).artists[0][0] == "Sigur Rós"


@pytest.mark.parametrize("spelling", ["björk", "BJÖRK", " Björk ", "Bjo\u0308rk"])
def test_letter_case_blanks_and_composition_do_not_matter(named, spelling):
    answer = named.recommend([spelling, "aphex twin"], 1)
    assert answer.unknown == {}
    assert answer.artists[0][0] == "Sigur Rós"


def test_a_name_not_known_comes_with_those_like_it(named):
    answer = named.recommend(["Björk", "Autecher"], 2)
    assert answer.unknown == {"Autecher": ["Autechre"]}
    assert len(answer.artists) == 2
    assert named.recommend(["Nobody At All"]).artists == []


def test_plays_weigh(named):
    much = named.recommend({"Björk": 1000, "Autechre": 1}, 1).artists[0][0]
    little = named.recommend({"Björk": 1, "Autechre": 1000}, 1).artists[0][0]
    assert much in ARTISTS[:3]
    assert little in ARTISTS[3:]


def test_naming_an_artist_twice_is_naming_it_once(named):
    assert named.recommend(["Björk", "björk"], 3).artists == named.recommend(["Björk"], 3).artists


def test_names_of_another_model_are_refused(named):
    with pytest.raises(ModelInvalidError, match="6 artists and the vocabulary 1"):
        NamedModel(named.model, Vocabulary(["one"]), Weighting.plain("log"), 1.0)


@pytest.mark.parametrize(
    "words",
    [
        b"",
        b"[]",
        b"{}",
        b'{"artists": ["a", "a"]}',
        json.dumps({"artists": list(ARTISTS), "confidence": "log"}).encode(),
    ],
)
def test_a_damaged_file_is_refused_by_name(tmp_path, named, words):
    named.save(tmp_path)
    (tmp_path / "artists.json").write_bytes(words)
    with pytest.raises(ModelInvalidError, match="holds no named model"):
        NamedModel.load(tmp_path)


def test_a_folder_without_a_model_is_refused(tmp_path):
    with pytest.raises(ModelInvalidError, match="holds no named model"):
        NamedModel.load(tmp_path / "none")


def test_what_speaks_for_an_artist_adds_up_to_its_score(named):
    liked = ["Aphex Twin", "Björk", "Autechre"]
    answer = named.explain(liked, "Sigur Rós")
    assert {name for name, _ in answer.artists} <= set(liked)
    scores = dict(named.recommend(liked, 100).artists)
    assert sum(part for _, part in answer.artists) == pytest.approx(scores["Sigur Rós"], abs=1e-4)


def test_what_is_not_known_is_not_explained(named):
    assert named.explain(["nobody"], "Sigur Rós").artists == []
    assert "nobody at all" in named.explain(["Björk"], "nobody at all").unknown


@pytest.fixture(scope="module")
def beside(named):
    plays = sp.csr_matrix(np.kron(np.eye(2), np.arange(1, 16).reshape(5, 3)).astype(np.float32))
    weighting = Weighting.learn(plays, "bm25")
    return NamedModel(named.model, named.artists, weighting, 4.0, Beside(neighbours(weighting(plays), k=3), 0.5))


def test_neighbours_and_learned_weights_come_back_as_they_were(beside, tmp_path):
    beside.save(tmp_path)
    again = NamedModel.load(tmp_path)
    told = {"Björk": 9, "Autechre": 2}
    assert again.recommend(told).artists == beside.recommend(told).artists
    assert again.explain(told, "Sigur Rós").artists == beside.explain(told, "Sigur Rós").artists
    files = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    again.save(tmp_path / "twice")
    assert files == {path.name: path.read_bytes() for path in (tmp_path / "twice").iterdir()}


def test_parts_of_a_blended_score_add_up(beside):
    liked = ["Aphex Twin", "Björk", "Autechre"]
    parts = beside.explain(liked, "Sigur Rós").artists
    assert sum(part for _, part in parts) == pytest.approx(dict(beside.recommend(liked).artists)["Sigur Rós"], abs=1e-4)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda arrays: arrays.pop("rarity"),
        lambda arrays: arrays.update(rarity=arrays["rarity"][:2]),
        lambda arrays: arrays.update(rarity=arrays["rarity"] * np.float32(np.nan)),
        lambda arrays: arrays.update({"alike.indices": arrays["alike.indices"] + 100}),
        lambda arrays: arrays.update({"alike.indptr": arrays["alike.indptr"][:-1]}),
        lambda arrays: arrays.update({"alike.data": arrays["alike.data"][:-1]}),
        lambda arrays: arrays.update({"alike.indices": arrays["alike.indices"].astype(np.float32)}),
    ],
)
def test_neighbours_that_do_not_fit_are_refused(beside, tmp_path, spoil):
    beside.save(tmp_path)
    arrays = load_file(tmp_path / "beside.safetensors")
    spoil(arrays)
    save_file(arrays, tmp_path / "beside.safetensors")
    with pytest.raises(ModelInvalidError, match="holds no named model"):
        NamedModel.load(tmp_path)


@pytest.mark.parametrize("which", ["named", "beside"])
def test_reasons_for_many_are_those_for_each(which, request):
    model = request.getfixturevalue(which)
    liked, artists = list(model.artists.names[:3]), list(model.artists.names[3:])
    found = model.reasons(liked, artists, 2)
    assert len(found) == len(artists)
    assert model.reasons(liked, []) == []
    for artist, reasons in zip(artists, found, strict=True):
        expected = model.explain(liked, artist, 2).artists
        assert [name for name, _ in reasons] == [name for name, _ in expected]
        assert [part for _, part in reasons] == pytest.approx([part for _, part in expected])
