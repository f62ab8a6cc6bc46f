import numpy as np
import pytest
from evaluation.made import lists_of

from recsys.evaluation import NDCG, Fame, by_segment, measure, segments

FAME = Fame(np.arange(10, 0, -1), 10)  # item 0 is the best known


@pytest.fixture
def lists():
    """Six users who know 1 to 6 items, the first three the best known ones and the others the least known ones."""
    heard = [[0], [0, 1], [0, 1, 2], [9, 8, 7, 6], [9, 8, 7, 6, 5], [9, 8, 7, 6, 5, 4]]
    return lists_of([[i] for i in range(6)], target=[[0], [1], [5], [5], [4], [4]], fold_in=heard)


def test_thirds_by_amount_and_by_fame(lists):
    groups = segments(lists, FAME)
    assert {name: np.flatnonzero(members).tolist() for name, members in groups.items()} == {
        "light": [0, 1],
        "medium": [2, 3],
        "heavy": [4, 5],
        "niche": [3, 4],
        "mixed": [2, 5],
        "mainstream": [0, 1],
    }


def test_figures_of_a_segment_are_those_of_its_users(lists):
    scores = measure(lists, [NDCG(1)])
    parts = by_segment(scores, segments(lists, FAME))
    assert [parts[name]["ndcg_at_1"].mean for name in ("light", "medium", "heavy")] == [1, 0, 1 / 2]
    assert parts["heavy"].users.tolist() == [4, 5]


def test_every_user_is_in_one_third_of_each_kind(lists):
    groups = segments(lists, FAME)
    assert sum(groups[name].astype(int) for name in ("light", "medium", "heavy")).tolist() == [1] * 6
    assert sum(groups[name].astype(int) for name in ("niche", "mixed", "mainstream")).tolist() == [1] * 6


def test_a_segment_without_anybody_is_left_out():
    one = lists_of([[0]], fold_in=[[1]])
    assert list(by_segment(measure(one, [NDCG(1)]), segments(one, FAME))) == ["light", "niche"]
