import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ttest_rel

from recsys.evaluation import Scores, compare
from recsys.evaluation.scores import Bootstrap
from recsys.evaluation.significance import holm, p_bootstrap, p_wilcoxon


def scores(values, *, n_resamples=2000):
    return Scores(np.arange(len(values)), {"ndcg_at_10": np.asarray(values, float)}, Bootstrap(n_resamples))


def test_holm_by_hand():
    """Sorted .01 .02 .04 times 3, 2, 1; the last is lifted to the one before it only if it were smaller."""
    assert holm([0.04, 0.01, 0.02]).tolist() == pytest.approx([0.04, 0.03, 0.04])
    assert holm([0.5, 0.6]).tolist() == [1, 1]
    assert holm([]).tolist() == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_lies_between_nothing_and_bonferroni(p_values):
    corrected, p = holm(p_values), np.array(p_values)
    assert (corrected >= p).all()
    assert (corrected <= np.minimum(p * len(p), 1) + 1e-12).all()
    order = np.argsort(p, kind="stable")
    assert (np.diff(corrected[order]) >= 0).all()


@pytest.mark.parametrize("shift", [0.0, 0.05, 0.1])
def test_the_bootstrap_agrees_with_students_test_where_both_hold(shift):
    rng = np.random.default_rng(0)
    one, other = rng.normal(shift, 0.5, 400), rng.normal(0, 0.5, 400)
    expected = ttest_rel(one, other).pvalue
    assert p_bootstrap(one - other, Bootstrap(20_000)) == pytest.approx(expected, abs=0.015)


def test_a_real_lead_is_significant_and_noise_is_not():
    rng = np.random.default_rng(1)
    base = rng.random(500)
    found = compare(
        {"best": scores(base + 0.1), "twin": scores(base + 0.1 + rng.normal(0, 0.2, 500)), "worse": scores(base)},
        "ndcg_at_10",
    )
    verdict = {(one.model, one.other): one.significant() for one in found}
    winner = found[0].model
    assert winner in {"best", "twin"}
    assert verdict[winner, "worse"]
    assert not verdict[winner, "twin" if winner == "best" else "best"]


def test_false_alarms_are_as_rare_as_the_level_says():
    """Fifty comparisons of models that are alike: about one in twenty would be expected by either test alone."""
    rng = np.random.default_rng(2)
    alarms = 0
    for _ in range(50):
        one, other = rng.random(100), rng.random(100)
        alarms += compare({"a": scores(one, n_resamples=400), "b": scores(other, n_resamples=400)}, "ndcg_at_10")[
            0
        ].significant()
    assert alarms <= 7


def test_equal_models_do_not_differ():
    same = np.random.default_rng(0).random(50)
    (one,) = compare({"a": scores(same), "b": scores(same)}, "ndcg_at_10")
    assert (one.difference.mean, one.p_bootstrap, one.p_wilcoxon) == (0, 1, 1)
    assert p_wilcoxon(np.zeros(3)) == 1


def test_all_comparisons_made_together_are_corrected_together():
    rng = np.random.default_rng(3)
    base = rng.random(200)
    lead = base + 0.02 + rng.normal(0, 0.1, 200)
    (alone,) = compare({"a": scores(lead), "b": scores(base)}, "ndcg_at_10", [("a", "b")])
    noise = [("b", f"n{i}") for i in range(4)]
    others = {f"n{i}": scores(base + rng.normal(0, 0.1, 200)) for i in range(4)}
    together = compare({"a": scores(lead), "b": scores(base), **others}, "ndcg_at_10", [("a", "b"), *noise])
    assert together[0].p_wilcoxon > alone.p_wilcoxon


def test_a_metric_that_one_lacks_is_named():
    with pytest.raises(ValueError, match="not every model has recall_at_5"):
        compare({"a": scores([1.0]), "b": scores([0.0])}, "recall_at_5", [("a", "b")])
