import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from recsys.als.inputs import canonical
from recsys.als.start import item_start

PAIRS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 6), st.floats(-1e3, 1e3)), max_size=30)


def bits(matrix):
    return matrix.indptr.tobytes(), matrix.indices.tobytes(), matrix.data.tobytes()


@given(PAIRS, st.randoms())
def test_order_of_pairs_does_not_matter(pairs, random):
    shuffled = random.sample(pairs, len(pairs))
    made = []
    for given_pairs in (pairs, shuffled):
        rows, columns, values = (np.array([pair[part] for pair in given_pairs]) for part in range(3))
        made.append(canonical(sp.coo_matrix((values.astype(float), (rows.astype(int), columns.astype(int))), (5, 7))))
    assert bits(made[0]) == bits(made[1])
    assert made[0].data.all()


@pytest.mark.parametrize("index", [np.int32, np.int64])
@pytest.mark.parametrize("value", [np.float32, np.float64, np.int8, np.uint16, np.bool_])
@pytest.mark.parametrize("form", [sp.csr_matrix, sp.csc_array, sp.coo_array, np.asarray])
def test_forms_and_types(form, value, index):
    dense = np.array([[1, 0, 1], [0, 0, 0], [0, 1, 0]], dtype=value)
    matrix = form(dense)
    if isinstance(matrix, sp.csr_matrix):
        matrix.indices, matrix.indptr = matrix.indices.astype(index), matrix.indptr.astype(index)
    made = canonical(matrix)
    assert isinstance(made, sp.csr_matrix)
    assert made.dtype == np.float32
    np.testing.assert_array_equal(made.toarray(), dense)


def test_duplicates_add_up_and_zeros_go():
    matrix = sp.csr_matrix(([1.0, 2.0, 0.0, 4.0, -4.0], [1, 1, 0, 2, 2], [0, 3, 5]), shape=(2, 3))
    assert canonical(matrix).toarray().tolist() == [[0, 3, 0], [0, 0, 0]]
    assert canonical(matrix).nnz == 1
    assert matrix.nnz == 5


def test_the_matrix_of_the_caller_stays_as_it_is():
    matrix = sp.csr_matrix(([3.0, 1.0, 0.0], [2, 0, 1], [0, 3]), shape=(1, 3))
    before = [part.copy() for part in (matrix.indptr, matrix.indices, matrix.data)]
    canonical(matrix)
    for part, was in zip((matrix.indptr, matrix.indices, matrix.data), before, strict=True):
        np.testing.assert_array_equal(part, was)


def test_a_canonical_matrix_is_not_copied():
    matrix = sp.csr_matrix(np.float32([[1, 0, 2]]))
    assert np.shares_memory(canonical(matrix).data, matrix.data)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e300])
def test_values_that_are_no_numbers_are_named(value):
    matrix = sp.csr_matrix(([1.0, value], [1, 2], [0, 0, 1, 2]), shape=(3, 3))
    with pytest.raises(ValueError, match="row 2, column 2"):
        canonical(matrix)


def test_wrong_shapes_and_types():
    with pytest.raises(ValueError, match="2 columns, the model has 3 items"):
        canonical(np.ones((4, 2)), n_items=3)
    with pytest.raises(ValueError, match="are its rows items"):
        canonical(np.ones((3, 2)), n_items=3)
    with pytest.raises(ValueError, match="1 dimension"):
        canonical(np.ones(3))
    with pytest.raises(TypeError, match="complex128"):
        canonical(np.ones((3, 2), dtype=complex))


def test_a_broken_matrix_is_refused():
    matrix = sp.csr_matrix(np.float32([[1, 0, 2], [0, 3, 0]]))
    matrix.indices[0] = 7
    with pytest.raises(ValueError, match="indices must be"):
        canonical(matrix)


def test_start_of_an_item_is_its_own():
    keys = np.array([7, 2**63, 12345], dtype=np.uint64)
    all_three = item_start(keys, 5, seed=3)
    np.testing.assert_array_equal(item_start(keys[[2, 0]], 5, seed=3), all_three[[2, 0]])
    assert not np.array_equal(item_start(keys, 5, seed=4), all_three)


def test_start_is_about_normal():
    start = item_start(np.arange(20_000, dtype=np.uint64), 16, seed=0, scale=1.0) * 4
    assert abs(start.mean()) < 0.01
    assert start.std() == pytest.approx(1.0, abs=0.01)
    assert (start**4).mean() == pytest.approx(2.7, abs=0.1)  # 3 for a normal, 1.8 for a uniform number
    correlations = np.corrcoef(start.T) - np.eye(16)
    assert np.abs(correlations).max() < 0.04
