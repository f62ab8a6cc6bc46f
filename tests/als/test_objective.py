import numpy as np
import pytest
import scipy.sparse as sp

from recsys.als import Objective

OBJECTIVES = [
    Objective("implicit", alpha=3.0, regularization=0.1),
    Objective("implicit", alpha=0.5, regularization=0.1, nu=1.0),
    Objective("ials", alpha=2.0, regularization=0.05, unobserved_weight=0.3, nu=0.5),
]


def loss_by_definition(objective, values, X, Y):
    """Every user with every item, one by one."""
    total = 0.0
    n_users, n_items = values.shape
    for u in range(n_users):
        for i in range(n_items):
            score, c = X[u] @ Y[i], objective.alpha * values[u, i]
            own = abs(c) * (float(c > 0) - score) ** 2
            if objective.kind == "ials":
                total += own + objective.unobserved_weight * score**2
            else:
                total += own if c else score**2
    w0 = 1.0 if objective.kind == "implicit" else objective.unobserved_weight
    for rows, factors, others in ((values, X, n_items), (values.T, Y, n_users)):
        counts = (rows != 0).sum(axis=1)
        total += (objective.regularization * (counts + w0 * others) ** objective.nu * (factors**2).sum(axis=1)).sum()
    return total


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_loss_is_its_definition(objective):
    rng = np.random.default_rng(0)
    values = rng.normal(size=(7, 5)) * (rng.random((7, 5)) < 0.5)
    X, Y = rng.normal(size=(7, 3)), rng.normal(size=(5, 3))
    assert objective.loss(sp.csr_matrix(values), X, Y) == pytest.approx(loss_by_definition(objective, values, X, Y))


def test_loss_by_head():
    # One user, two items, the first stored with value 1 and alpha 2; scores 0.5 and 1; all factors 1, 0.5 and 1.
    # 2 (1 - 0.5)^2 + 1^2 + 0.1 (1 + 0.25 + 1) = 0.5 + 1 + 0.225
    objective = Objective("implicit", alpha=2.0, regularization=0.1)
    loss = objective.loss(sp.csr_matrix([[1.0, 0.0]]), np.array([[1.0]]), np.array([[0.5], [1.0]]))
    assert loss == pytest.approx(1.725)


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_gradient_is_the_slope_of_the_loss(objective):
    rng = np.random.default_rng(1)
    values = sp.csr_matrix(rng.normal(size=(6, 5)) * (rng.random((6, 5)) < 0.6))
    X, Y = rng.normal(size=(6, 3)), rng.normal(size=(5, 3))
    by_users, by_items = objective.gradient(values, X, Y)
    dX, dY, step = rng.normal(size=X.shape), rng.normal(size=Y.shape), 1e-6
    rise = objective.loss(values, X + step * dX, Y + step * dY) - objective.loss(values, X - step * dX, Y - step * dY)
    assert rise / (2 * step) == pytest.approx((by_users * dX).sum() + (by_items * dY).sum(), rel=1e-6)


def test_frequency_scaling_of_regularization():
    # lambda (n + w0 m)^nu = 0.1 * (3 + 0.5 * 10)^1
    assert Objective("ials", regularization=0.1, unobserved_weight=0.5, nu=1.0).ridge(np.array([3]), 10) == [0.8]
    assert Objective("implicit", regularization=0.1, nu=1.0).ridge(np.array([3]), 10) == [pytest.approx(1.3)]
    assert Objective(regularization=0.1).ridge(np.array([3, 4]), 10) == [0.1]


def test_constant_is_the_weight_of_liked_pairs():
    assert Objective(alpha=2.0).constant(np.array([1.0, -5.0, 0.5])) == 3.0
