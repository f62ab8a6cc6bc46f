import math

import numpy as np
import pytest

from recsys.evaluation import NDCG, Recall


def test_names_hold_no_at_sign():
    assert NDCG(100).name == "ndcg_at_100"
    assert Recall(20).name == "recall_at_20"


def test_figures_by_hand():
    """Two targets, the second place hits."""
    hit, two = np.array([[False, True, False]]), np.array([2])
    assert Recall(3)(hit, two).tolist() == [1 / 2]
    assert NDCG(3)(hit, two).tolist() == pytest.approx([(1 / math.log2(3)) / (1 + 1 / math.log2(3))])


def test_equal_metrics_are_equal_and_different_ones_are_not():
    assert NDCG(5) == NDCG(5)
    assert NDCG(5) != NDCG(6)
    assert NDCG(5) != Recall(5)


@pytest.mark.parametrize("k", [0, -1, 2.5, True, "100"])
def test_a_list_has_at_least_one_place(k):
    with pytest.raises(ValueError, match=r"k is .* 1 or more"):
        NDCG(k)
