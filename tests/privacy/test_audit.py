"""The audit of a model: honest ones pass, planted leaks are refused by name."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
import scipy.sparse as sp

from recsys.als import ALS, ALSModel
from recsys.canonical import canonical_json
from recsys.errors import LeakError
from recsys.models import Beside, Weighting, neighbours
from recsys.privacy import Limits, audit

STRICT = Limits(max_membership_auc=0.7, max_tpr_at_1pct_fpr=0.25, min_listeners=5, max_unicity=0.0)


@dataclass(frozen=True)
class Shared:
    model: ALSModel
    weighting: Weighting
    beside: Beside | None = None


def tastes(listeners, *, artists=60, seed=0):
    """Draw listeners from four tastes, so that there is something to learn."""
    rng = np.random.default_rng(seed)
    groups = rng.integers(0, 4, listeners)
    likes = 0.08 + 0.4 * (np.arange(artists)[None] % 4 == groups[:, None])
    return sp.csr_matrix((rng.random((listeners, artists)) < likes).astype(np.float32))


def trained(members, **settings):
    weighting = Weighting.plain("binary")
    return Shared(ALS(**settings).fit(weighting(members)).model_, weighting)


@pytest.fixture(scope="module")
def people():
    everybody = tastes(700)
    return everybody[:400], everybody[400:]


@pytest.fixture(scope="module")
def honest(people):
    return trained(people[0], factors=16, regularization=10.0)


@pytest.fixture(scope="module")
def audited(honest, people):
    return audit(honest, *people)


def test_an_honest_model_passes(audited):
    audited.refuse(STRICT)
    assert audited.membership.members == audited.membership.held_out == 300
    assert audited.foreign_rows == 0


def test_a_model_that_knows_nobody_is_at_chance(people):
    rng = np.random.default_rng(0)
    members, held_out = people
    knows_nobody = Shared(
        ALSModel(np.empty((0, 8), np.float32), rng.normal(size=(60, 8)).astype(np.float32)), Weighting.plain("binary")
    )
    found = audit(knows_nobody, members, held_out).membership
    assert found.auc.low < 0.5 < found.auc.high
    assert found.epsilon == 0


def test_an_overfitted_model_is_refused_with_figure_and_limit():
    everybody = tastes(160)
    members, held_out = everybody[:80], everybody[80:]
    found = audit(trained(members, factors=48, regularization=1e-4, iterations=30, alpha=20.0), members, held_out)
    assert found.membership.auc.low > 0.8
    assert found.membership.epsilon > 0
    with pytest.raises(LeakError, match=r"AUC of 0\.\d+ \[.*80 held-out.*max_membership_auc = 0\.7"):
        found.refuse(STRICT)
    with pytest.raises(LeakError, match=r"max_tpr_at_1pct_fpr = 0\.25"):
        found.refuse(replace(STRICT, max_membership_auc=None))


def test_a_figure_that_is_low_on_few_listeners_shows_nothing(people, honest):
    members, held_out = people
    few = audit(honest, members, held_out[:8])
    assert few.membership.auc.high - few.membership.auc.low > 0.4
    with pytest.raises(LeakError, match="8 held-out"):
        few.refuse(STRICT)


def test_a_score_far_below_chance_is_a_leak_too(audited):
    turned = replace(audited.membership, auc=replace(audited.membership.auc, value=0.1, low=0.05, high=0.15))
    with pytest.raises(LeakError, match="max_membership_auc"):
        replace(audited, membership=turned).refuse(STRICT)


@pytest.mark.parametrize("n", [1, 5, 30])
def test_members_slipped_in_among_the_artists_are_found(honest, people, n):
    factors = honest.model.item_factors.copy()
    rng = np.random.default_rng(n)
    factors[rng.permutation(len(factors))[:n]] = honest.model.user_factors[rng.permutation(400)[:n]] * 2
    slipped = replace(honest, model=replace(honest.model, item_factors=factors))
    found = audit(slipped, *people)
    assert found.foreign_rows >= 1
    with pytest.raises(LeakError, match="foreign_rows"):
        found.refuse(replace(STRICT, max_membership_auc=None, max_tpr_at_1pct_fpr=None))


def test_an_artist_of_few_listeners_is_refused(audited):
    with pytest.raises(LeakError, match=rf"{audited.fewest_listeners} listeners; expected 1,?000 or more"):
        audited.refuse(replace(STRICT, min_listeners=1000))


def test_neighbours_that_point_at_a_single_member_are_refused(people, honest):
    members, held_out = people
    lonely = members.toarray()
    lonely[:, 58:] = 0
    lonely[0, 58:] = 1
    lonely = sp.csr_matrix(lonely)
    beside = Beside(neighbours(lonely, k=60), 0.3)
    found = audit(replace(honest, beside=beside), lonely, held_out)
    assert found.pairs.fewest == 1
    with pytest.raises(LeakError, match="max_unicity"):
        found.refuse(replace(STRICT, min_listeners=1))
    kept = Beside(neighbours(lonely, k=60, together=5), 0.3)
    assert audit(replace(honest, beside=kept), lonely, held_out).pairs.unique == 0


def test_without_held_out_listeners_nothing_is_shown(honest, people):
    found = audit(honest, people[0], sp.csr_matrix((0, 60), dtype=np.float32))
    assert found.membership is None
    with pytest.raises(LeakError, match="nobody"):
        found.refuse(STRICT)
    found.refuse(replace(STRICT, max_membership_auc=None, max_tpr_at_1pct_fpr=None))


def test_the_same_model_gives_the_same_figures_and_they_tell_of_no_row(honest, people, audited):
    told = audited.as_dict()
    assert canonical_json(audit(honest, *people).as_dict()) == canonical_json(told)
    assert set(told) == {
        "membership",
        "fewest_listeners",
        "foreign_rows",
        "shared_pairs",
        "rows_shared",
        "members_singled_out_in_the_data",
    }
    assert len(canonical_json(told)) < 700


def test_what_is_given_is_left_as_it_was(honest, people):
    members, held_out = (one.copy() for one in people)
    audit(honest, members, held_out, at_most=20)
    assert (members != people[0]).nnz == 0
    assert (held_out != people[1]).nnz == 0
