import numpy as np
import pytest
import scipy.sparse as sp

from recsys.confidence import confidence

PLAYS = sp.csr_matrix(np.array([[0, 1], [3, 0]], dtype=np.float32))


@pytest.mark.parametrize(("kind", "values"), [("binary", [1, 1]), ("linear", [1, 3]), ("log", [np.log(2), np.log(4)])])
def test_confidence_by_hand(kind, values):
    found = confidence(PLAYS, kind)
    assert np.allclose(found.data, values)
    assert found.dtype == np.float32
    assert np.array_equal(found.indices, PLAYS.indices)


def test_the_plays_are_left_as_they_were():
    before = PLAYS.data.copy()
    confidence(PLAYS, "linear").data[:] = 9
    assert np.array_equal(PLAYS.data, before)


def test_a_kind_that_is_not_known_is_refused_with_those_that_are():
    with pytest.raises(ValueError, match="binary, log, linear"):
        confidence(PLAYS, "cubic")
