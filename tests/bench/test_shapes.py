import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.bench import shapes
from recsys.bench.shapes import SHAPES, Shape, confidence_of, open_plays, plays_from_parquet, plays_like_music
from recsys.errors import ConfigError


def test_the_shapes_are_those_of_the_literature():
    sizes = {name: (size.users, size.items, size.pairs) for name, size in SHAPES.items()}
    assert sizes["S"] == (10_000, 20_000, 1_000_000)
    assert sizes["M"] == (358_868, 160_112, 17_400_000)
    assert sizes["L"] == (571_355, 41_140, 33_600_000)
    assert sizes["W"] == (7_000, 34_000, 400_000)


def test_a_shape_has_the_counts_it_names():
    plays = plays_like_music(SHAPES["W"])
    assert plays.shape == (7_000, 34_000)
    assert plays.nnz == 400_000
    assert plays.has_canonical_format
    assert plays.data.dtype == np.float32
    assert plays.data.min() >= 1
    assert np.diff(plays.indptr).min() >= 1


def test_music_has_stars_and_fans():
    """One artist in a hundred has a quarter of the pairs together; the busiest listener has many times the mean."""
    plays = plays_like_music(SHAPES["W"])
    listeners = np.sort(np.bincount(plays.indices))[::-1]
    assert listeners[:340].sum() > plays.nnz / 4
    assert np.diff(plays.indptr).max() > 5 * plays.nnz / plays.shape[0]


def test_listeners_share_tastes():
    """Artists go together far more unevenly than by popularity alone, which gives about 1 for the ratio below."""
    plays = plays_like_music(Shape("tiny", 600, 400, 9_000))
    likes = (plays.toarray() > 0).astype(float)
    together = likes.T @ likes
    alone = np.outer(likes.sum(axis=0), likes.sum(axis=0)) / 600
    pairs = np.triu_indices(400, 1)
    assert np.square(together[pairs] - alone[pairs]).sum() / alone[pairs].sum() > 1.5


def test_the_seed_decides_everything():
    tiny = Shape("tiny", 50, 40, 600)
    one, same, other = (plays_like_music(tiny, seed) for seed in (1, 1, 2))
    assert (one != same).nnz == 0
    assert (one != other).nnz > 0


def test_blocks_of_users_are_joined(monkeypatch):
    monkeypatch.setattr(shapes, "_USERS_AT_ONCE", 7)
    plays = plays_like_music(Shape("tiny", 50, 40, 600))
    assert plays.nnz == 600
    assert plays.has_canonical_format


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 40), st.integers(2, 40), st.floats(0, 1), st.integers(0, 99))
def test_any_shape_that_fits_is_filled_exactly(users, items, fullness, seed):
    pairs = users + round(fullness * users * (items // 2 - 1))
    plays = plays_like_music(Shape("any", users, items, pairs), seed)
    assert plays.nnz == pairs
    assert plays.has_canonical_format
    assert np.diff(plays.indptr).max() <= items // 2


@pytest.mark.parametrize("pairs", [9, 10 * 4 + 1])
def test_a_shape_that_does_not_fit_is_refused(pairs):
    with pytest.raises(ConfigError, match="do not go into 10 x 8; ask for 10 to 40"):
        plays_like_music(Shape("odd", 10, 8, pairs))


def test_an_unknown_shape_names_the_known_ones():
    with pytest.raises(ConfigError, match=r"no shape is called 'XL'; take S, M, L, W or the path"):
        open_plays("XL")


def test_confidence_by_hand():
    plays = plays_like_music(Shape("tiny", 5, 8, 20))
    confidence = confidence_of(plays)
    assert confidence.data == pytest.approx(1 + 4 * np.log(1 + plays.data.astype(float)))
    assert confidence.data.dtype == np.float32
    assert np.array_equal(confidence.indices, plays.indices)


def parquet(tmp_path, **columns):
    file = tmp_path / "train.parquet"
    pq.write_table(pa.table(columns), file)
    return file


def test_a_parquet_file_becomes_a_matrix(tmp_path):
    """User ann played b once and a twice in two rows; ids stand in ascending order."""
    file = parquet(tmp_path, user_id=["zoe", "ann", "ann", "ann"], artist=["b", "b", "a", "a"], plays=[5, 1, 1, 1])
    assert plays_from_parquet(file).toarray().tolist() == [[2, 1], [0, 5]]
    size, plays = open_plays(str(tmp_path))
    assert plays.nnz == 3
    assert (size.shape, size.users, size.items, size.pairs) == (tmp_path.name, 2, 2, 3)


def test_without_plays_each_row_counts_one(tmp_path):
    file = parquet(tmp_path, user=[7, 9], item=[3, 3])
    assert plays_from_parquet(file).toarray().tolist() == [[1], [1]]


def test_a_missing_column_is_named(tmp_path):
    file = parquet(tmp_path, who=[1], artist=[2])
    with pytest.raises(ConfigError, match=r"train.parquet has the columns \['who', 'artist'\].*user or user_id"):
        plays_from_parquet(file)


def test_a_folder_without_data_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"no folder with a train.parquet"):
        plays_from_parquet(tmp_path)
