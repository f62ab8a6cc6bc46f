"""What is exported recommends as the sample does, asked by the tools that it is for."""

import inspect
import re
import textwrap
from types import SimpleNamespace

import bundles
import numpy as np
import onnx
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest
import scipy.sparse as sp
from onnx.reference import ReferenceEvaluator

from recsys.als import ALSModel
from recsys.als.objective import Objective
from recsys.bundle import exports, open_sample
from recsys.bundle.exports import export, listener_vector, onnx_model, vectors
from recsys.cli import app
from recsys.cli.exits import explained
from recsys.dataset import Vocabulary
from recsys.errors import ConfigError
from recsys.models import Beside, Weighting, neighbours
from recsys.named import NamedModel
from recsys.synthetic import NOW

OBJECTIVES = (Objective(alpha=3.0), Objective("ials", 1.0, 0.02, 0.1, 1.0), Objective("ials", 2.0, 0.5, 0.3, 0.5))


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return bundles.make_bundle(tmp_path_factory.mktemp("bundle"))


@pytest.fixture(scope="module")
def sample(bundle):
    return open_sample(*bundle, at=NOW)


def made(kind="log", objective=OBJECTIVES[0], artists=60, factors=12):
    rng = np.random.default_rng(4)
    plays = sp.random(40, artists, 0.2, "csr", dtype=np.float32, rng=rng)
    plays.data = np.ceil(plays.data * 20)
    factor = rng.normal(size=(artists, factors)).astype(np.float32)
    model = ALSModel(np.empty((0, factors), np.float32), factor, objective)
    names = Vocabulary([f"artist {i:02d}" for i in range(artists)])
    return NamedModel(model, names, Weighting.learn(plays, kind), 4.0), plays


def asked(model, row, n=10):
    columns, scores = ReferenceEvaluator(model).run(
        None, {"artists": row.indices.astype(np.int64), "told": row.data, "n": np.array([n])}
    )
    return columns, scores


@pytest.mark.parametrize("kind", ["binary", "log", "linear", "tfidf", "bm25"])
@pytest.mark.parametrize("objective", OBJECTIVES)
def test_the_graph_recommends_as_the_model_does(kind, objective):
    named, plays = made(kind, objective)
    model = onnx_model(named)
    for user in range(5):
        row = plays[user]
        columns, scores = asked(model, row)
        ids, best = named.recommender.recommend(0, row, N=10, recalculate_user=True)
        assert columns.tolist() == ids.tolist()
        np.testing.assert_allclose(scores, best, rtol=2e-4)


def test_a_graph_of_many_factors_and_a_heavy_listener_is_solved():
    named, _ = made(objective=Objective("ials", 50.0, 1e-3, 0.01, 0.0), artists=400, factors=96)
    row = sp.csr_matrix(np.arange(400, dtype=np.float32) % 7 * 1000)
    row.eliminate_zeros()
    columns, scores = asked(onnx_model(named), row)
    ids, best = named.recommender.recommend(0, row, N=10, recalculate_user=True)
    assert columns.tolist() == ids.tolist()
    np.testing.assert_allclose(scores, best, rtol=1e-3)


def test_neighbours_are_no_part_of_a_graph_nor_of_vectors():
    named, plays = made()
    beside = NamedModel(named.model, named.artists, named.weighting, 4.0, Beside(neighbours(plays, k=5), 0.3))
    with pytest.raises(ConfigError, match="neighbours"):
        onnx_model(beside)
    with pytest.raises(ConfigError, match="neighbours"):
        listener_vector(SimpleNamespace(named=beside), ["artist 01"])


def test_vectors_say_that_neighbours_were_left_out(sample, tmp_path):
    plain, plays = made()
    beside = NamedModel(plain.model, plain.artists, plain.weighting, 4.0, Beside(neighbours(plays, k=5), 0.3))
    for named, told in ((beside, b"neighbours"), (plain, None)):
        told_of = {"digest": sample.digest, "terms": sample.terms, "manifest": sample.manifest}
        of = SimpleNamespace(named=named, listeners=np.ones(60, np.float32), **told_of)
        assert ("neighbours" in export(of, tmp_path / "a.parquet")) == bool(told)
        assert pq.read_schema(tmp_path / "a.parquet").metadata.get(b"recsys.left_out") == told


def test_vectors_are_the_factors_and_say_where_they_come_from(sample, tmp_path):
    export(sample, tmp_path / "a.parquet")
    export(sample, tmp_path / "a.arrow")
    read = (pq.read_table(tmp_path / "a.parquet"), pyarrow.feather.read_table(tmp_path / "a.arrow"))
    for table in read:
        assert table.schema.field("vector").type == pa.list_(pa.float32(), sample.named.model.factors)
        np.testing.assert_array_equal(np.stack(table["vector"].to_numpy()), sample.named.model.item_factors)
        assert table["artist"].to_pylist() == list(sample.named.artists.names)
        assert table["listeners"].to_pylist() == sample.listeners.tolist()
        told = {key.decode(): value.decode() for key, value in table.schema.metadata.items()}
        assert told["recsys.bundle"] == sample.digest
        assert told["recsys.buyer"] == sample.terms.buyer
        assert told["recsys.use_before"] == str(sample.terms.expires)


def test_the_nearest_vectors_are_the_recommendations(sample):
    liked = {name: 10.0 * place for place, name in enumerate(sample.named.artists.names[:4], 1)}
    scores = np.stack(vectors(sample)["vector"].to_numpy()) @ listener_vector(sample, liked)
    best = [name for name in np.array(sample.named.artists.names)[np.argsort(-scores)] if name not in liked]
    assert best[:5] == [name for name, _ in sample.recommend(liked, 5).artists]


def test_nobody_and_strangers_have_no_vector(sample):
    with pytest.raises(ConfigError, match="does not know zzzzzz"):
        listener_vector(sample, ["zzzzzz", sample.named.artists.names[0]])
    with pytest.raises(ConfigError, match="name an artist"):
        listener_vector(sample, [])


def test_the_example_of_the_room_fills_an_index_that_recommends_as_the_sample_does(bundle):
    """The very lines of the documentation are run."""
    lines = re.search(r"::\n\n(.+)\Z", inspect.getdoc(exports), re.DOTALL)[1]
    names = {"file": bundle[0], "key": bundle[1], "now": NOW}
    exec(compile(textwrap.dedent(lines), "exports", "exec"), names)
    exact = [name for name, _ in names["sample"].recommend(names["liked"], 10).artists]
    assert len(names["recommended"]) == 10
    assert len(set(names["recommended"]) & set(exact)) >= 9


def test_an_index_of_more_artists_finds_nine_of_ten():
    import hnswlib  # noqa: PLC0415 - loads its own threads

    rng = np.random.default_rng(2)
    factors = (rng.normal(size=(3_000, 24)) * rng.gamma(2.0, size=(3_000, 1))).astype(np.float32)
    queries = rng.normal(size=(50, 24)).astype(np.float32)
    index = hnswlib.Index(space="ip", dim=24)
    index.init_index(max_elements=len(factors), M=32, ef_construction=400, random_seed=0)
    index.add_items(factors, num_threads=1)
    index.set_ef(200)
    found, _ = index.knn_query(queries, k=10, num_threads=1)
    exact = np.argsort(-(queries @ factors.T), axis=1)[:, :10]
    recall = np.mean([len(set(a) & set(b)) / 10 for a, b in zip(found.tolist(), exact.tolist(), strict=True)])
    assert recall >= 0.9


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_implicit_recommends_the_same_to_listeners_who_were_folded_in(objective):
    named, plays = made(objective=objective)
    theirs = named.model.to_implicit(named.weighting(plays))
    ids, _ = theirs.recommend(np.arange(40), plays, N=10)
    ours, _ = named.recommender.recommend(np.arange(40), plays, N=10, recalculate_user=True)
    np.testing.assert_array_equal(ids, ours)


def test_a_sample_becomes_a_model_of_implicit(sample):
    rng = np.random.default_rng(0)
    plays = sp.csr_matrix(np.ceil(rng.random((6, len(sample.named.artists))) * 3 - 2).clip(min=0).astype(np.float32))
    theirs = sample.to_implicit(plays)
    ids, _ = theirs.recommend(np.arange(6), plays, N=5)
    ours, _ = sample.recommender.recommend(np.arange(6), plays, N=5, recalculate_user=True)
    np.testing.assert_array_equal(ids, ours)
    if sample.named.model.objective.kind == "implicit":
        assert sample.to_implicit().item_factors.shape == sample.named.model.item_factors.shape


def test_a_buyer_exports_at_the_terminal(bundle, sample, tmp_path, capsys):
    file, key = map(str, bundle)
    for name in ("v.parquet", "v.arrow", "m.onnx"):
        out = tmp_path / name
        assert explained(app, ["sample", "export", file, "--key", key, "--at", NOW.isoformat(), "--out", str(out)]) == 0
        assert "80 artists" in capsys.readouterr().out
    model = onnx.load(tmp_path / "m.onnx")
    assert {one.key: one.value for one in model.metadata_props}["recsys.bundle"] == sample.digest
    row = sp.csr_matrix(np.eye(1, 80, 5, dtype=np.float32))
    ids, _ = sample.recommender.recommend(0, row, N=10, recalculate_user=True)
    assert asked(model, row)[0].tolist() == ids.tolist()
    wrong = ["sample", "export", file, "--key", key, "--at", NOW.isoformat(), "--out", str(tmp_path / "v.xyz")]
    assert explained(app, wrong) == 2
    assert ".parquet" in capsys.readouterr().err
