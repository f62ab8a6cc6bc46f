import numpy as np
import pytest
import scipy.sparse as sp


def tastes(n_users=60, n_items=40, density=0.2, seed=0, scale=4.0):
    """A matrix with structure to find: users and items have one of four tastes, and like their own."""
    rng = np.random.default_rng(seed)
    same = rng.integers(4, size=n_users)[:, None] == rng.integers(4, size=n_items)[None, :]
    liked = rng.random((n_users, n_items)) < np.where(same, 3 * density, density / 3)
    return sp.csr_matrix(np.where(liked, scale * rng.random((n_users, n_items)) + 0.5, 0).astype(np.float32))


@pytest.fixture
def user_items():
    return tastes()


@pytest.fixture
def make_tastes():
    return tastes
