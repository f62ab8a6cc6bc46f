"""What singles people out, against counting by hand."""

import math

import numpy as np
import pytest
import scipy.sparse as sp

from recsys.models import neighbours
from recsys.privacy import singled_out, unicity


def matrix(*rows):
    return sp.csr_matrix(np.array(rows, dtype=np.float32))


def test_everybody_with_a_taste_of_their_own_is_singled_out_and_twins_are_not():
    own = matrix([1, 2, 0, 0, 0, 0], [0, 0, 3, 1, 0, 0], [0, 0, 0, 0, 1, 9])
    assert singled_out(own, 2) == 1
    twins = sp.vstack([own, own]).tocsr()
    assert singled_out(twins, 2) == 0


def test_who_has_fewer_artists_is_not_asked_about():
    assert math.isnan(singled_out(matrix([1, 0, 0], [0, 1, 0]), 2))
    assert singled_out(matrix([1, 1, 0], [0, 1, 0], [0, 0, 1]), 2) == 1


@pytest.mark.parametrize("known", [2, 3])
def test_the_share_is_that_of_a_count_over_all_draws(known):
    """With histories of exactly so many artists there is one draw for each, and the share can be counted."""
    rng = np.random.default_rng(known)
    rows = np.zeros((150, 7), dtype=np.float32)
    for row in rows:
        row[rng.choice(7, known, replace=False)] = 1
    sets = [frozenset(np.flatnonzero(row)) for row in rows]
    alone = sum(sum(one <= other for other in sets) == 1 for one in sets)
    assert singled_out(sp.csr_matrix(rows), known) == alone / 150


def test_more_listeners_than_are_looked_at_at_once_are_all_counted(monkeypatch):
    plays = sp.random(90, 30, density=0.2, format="csr", random_state=0)
    whole = singled_out(plays, 3)
    monkeypatch.setattr(unicity, "_ROWS_AT_ONCE", 7)
    assert singled_out(plays, 3) == whole
    assert 0 < whole < 1


def test_the_artist_with_fewest_listeners_is_counted_one_without_any_too():
    assert unicity.fewest_listeners(matrix([5, 1, 1], [2, 1, 0])) == 1
    assert unicity.fewest_listeners(matrix([5, 1, 0], [2, 1, 0])) == 0


def test_pairs_that_are_shared_are_counted_by_who_has_both(monkeypatch):
    monkeypatch.setattr(unicity, "_ITEMS_AT_ONCE", 2)
    plays = matrix([1, 1, 0], [4, 1, 0], [0, 1, 1], [0, 0, 7])
    alike = matrix([0, 0.5, 0], [0.5, 0, 0.2], [0, 0.2, 0])
    found = unicity.shared_pairs(plays, alike)
    assert found.fewest == 1
    assert found.unique == 0.5
    assert unicity.shared_pairs(plays, None) == unicity.SharedPairs(0, 0.0)


def test_neighbours_of_enough_listeners_single_nobody_out():
    plays = sp.random(200, 30, density=0.2, format="csr", random_state=0, dtype=np.float32)
    alone = unicity.shared_pairs(plays, neighbours(plays, k=20).alike)
    together = unicity.shared_pairs(plays, neighbours(plays, k=20, together=5).alike)
    assert alone.fewest < 5 <= together.fewest
    assert together.unique == 0
