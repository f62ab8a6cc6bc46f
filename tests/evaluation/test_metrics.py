import math

import ir_measures
import numpy as np
import pytest
from evaluation.made import lists_of, random_lists

from recsys.evaluation import MAP, MRR, NDCG, HitRate, Recall


def test_names_hold_no_at_sign():
    names = [metric(100).name for metric in (NDCG, Recall, MAP, MRR, HitRate)]
    assert names == ["ndcg_at_100", "recall_at_100", "map_at_100", "mrr_at_100", "hit_rate_at_100"]


def test_figures_by_hand():
    """Two targets; of three places the second hits."""
    lists = lists_of([[5, 1, 6]], target=[[1, 2]])
    assert Recall(3)(lists).tolist() == [1 / 2]
    assert NDCG(3)(lists).tolist() == pytest.approx([(1 / math.log2(3)) / (1 + 1 / math.log2(3))])
    assert MAP(3)(lists).tolist() == [1 / 2 * 1 / 2]
    assert MRR(3)(lists).tolist() == [1 / 2]
    assert HitRate(3)(lists).tolist() == [1]
    assert HitRate(1)(lists).tolist() == MRR(1)(lists).tolist() == MAP(1)(lists).tolist() == [0]


def test_finding_all_first_is_worth_one():
    lists = lists_of([[1, 2, 5]], target=[[1, 2]])
    assert [metric(3)(lists).tolist() for metric in (NDCG, Recall, MAP, MRR, HitRate)] == [[1.0]] * 5


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("k", [1, 3, 10])
def test_figures_agree_with_those_of_trec_eval(seed, k):
    """It divides recall and precision by all targets, we by as many as k places can hold."""
    lists, targets = random_lists(seed)
    qrels = {str(u): {str(i): 1 for i in wanted} for u, wanted in enumerate(targets)}
    run = {str(u): {str(i): -float(place) for place, i in enumerate(ids[:k])} for u, ids in enumerate(lists.ids)}
    theirs = {"R": {}, "AP": {}, "nDCG": {}, "RR": {}, "Success": {}}
    wanted = [ir_measures.parse_measure(f"{name}@{k}") for name in theirs]
    for figure in ir_measures.iter_calc(wanted, qrels, run):
        theirs[figure.measure.NAME][int(figure.query_id)] = figure.value
    share = lists.n_targets / np.minimum(lists.n_targets, k)
    for metric, name, scale in (
        (Recall, "R", share),
        (MAP, "AP", share),
        (MRR, "RR", 1),
        (HitRate, "Success", 1),
        (NDCG, "nDCG", 1),
    ):
        expected = np.array([theirs[name][u] for u in range(len(targets))]) * scale
        assert metric(k)(lists) == pytest.approx(expected, abs=1e-9), name


def test_equal_metrics_are_equal_and_different_ones_are_not():
    assert NDCG(5) == NDCG(5)
    assert NDCG(5) != NDCG(6)
    assert NDCG(5) != Recall(5)


@pytest.mark.parametrize("k", [0, -1, 2.5, True, "100"])
def test_a_list_has_at_least_one_place(k):
    with pytest.raises(ValueError, match=r"k is .* 1 or more"):
        NDCG(k)
