import pickle
import signal
from dataclasses import fields

import numpy as np
import pytest
import scipy.sparse as sp
from implicit.cpu.als import AlternatingLeastSquares
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import parametrize_with_checks
from threadpoolctl import threadpool_limits

from recsys.als import ALS
from recsys.als.halfstep import Effort, Machine
from recsys.als.reference import half_step
from recsys.als.training import Recipe, Training
from recsys.errors import ModelInvalidError

OWN_WORDS = "rows are users and columns items: the refusal says so in its own words"
NOT_APPLICABLE = {
    "check_n_features_in_after_fitting": OWN_WORDS,
    "check_estimators_empty_data_messages": OWN_WORDS,
    "check_fit2d_predict1d": OWN_WORDS,
    "check_complex_data": "raises TypeError, as a wrong type is",
    "check_dtype_object": "weights are numbers; a matrix of objects is refused",
}


@parametrize_with_checks([ALS(factors=2, iterations=3)], expected_failed_checks=lambda _: NOT_APPLICABLE)
def test_manners_of_scikit_learn(estimator, check):
    check(estimator)


def test_checkerboard_by_head():
    # Even users like even items, odd users odd ones; the one like that is missing must come first.
    board = (np.indices((10, 12)).sum(axis=0) % 2 == 0).astype(np.float32)
    for user in range(10):
        seen = board.copy()
        missing = user % 2 + 4
        seen[user, missing] = 0
        model = ALS(factors=2, alpha=20.0, regularization=0.1).fit(sp.csr_matrix(seen)).model_
        ids, scores = model.recommend(user, sp.csr_matrix(seen[user]), N=2)
        assert ids[0] == missing
        assert scores[0] > 0.5 > 2 * abs(scores[1])


@pytest.mark.parametrize("nu", [0.0, 1.0])
@pytest.mark.parametrize("objective", ["implicit", "ials"])
def test_gradient_vanishes_at_convergence(user_items, objective, nu):
    als = ALS(4, objective=objective, nu=nu, alpha=2.0, regularization=3 * 0.1**nu, unobserved_weight=0.2)
    als.set_params(iterations=600, half_precision=False, cg_steps=4, momentum=0.5).fit(user_items)
    model = als.model_
    at_zero = als.loss_function().gradient(user_items, np.full((60, 4), 0.1), np.full((40, 4), 0.1))
    for slope, scale in zip(
        als.loss_function().gradient(user_items, model.user_factors, model.item_factors), at_zero, strict=True
    ):
        assert np.abs(slope).max() < 5e-4 * np.abs(scale).max()


def test_plain_sweeps_are_those_of_the_twin(user_items):
    als = ALS(5, alpha=2.0, iterations=3, momentum=0.0, half_precision=False, cg_steps=50).fit(user_items)
    start = np.random.default_rng(0).normal(size=(40, 5)) / 3
    als.fit(user_items, start=(None, start))
    Y = start
    for _ in range(3):
        X = half_step(user_items, Y, als.loss_function())
        Y = half_step(user_items.T.tocsr(), X, als.loss_function())
    found = als.model_  # in coordinates of its own
    np.testing.assert_allclose(found.user_factors @ found.item_factors.T, X @ Y.T, atol=2e-4)
    np.testing.assert_allclose(found.item_factors @ found.item_factors.T, Y @ Y.T, atol=2e-4)


def test_reaches_the_loss_of_implicit(make_tastes):
    matrix = make_tastes(300, 200, density=0.1)
    X, Y = (0.1 * np.random.default_rng(n).random((n, 12), dtype=np.float32) for n in (300, 200))
    with threadpool_limits(1, "blas"):
        theirs = AlternatingLeastSquares(12, regularization=0.05, alpha=2.0, iterations=60, num_threads=1)
    theirs.user_factors, theirs.item_factors = X.copy(), Y.copy()
    theirs.fit(matrix, show_progress=False)
    als = ALS(12, regularization=0.05, alpha=2.0, iterations=60, momentum=0.0).fit(matrix, start=(X, Y))
    target = als.loss_function().loss(matrix, theirs.user_factors, theirs.item_factors)
    assert als.loss(matrix) == pytest.approx(target, rel=1e-3)
    assert als.losses_[-1] == pytest.approx(als.loss(matrix), rel=3e-5)
    assert ALS(**als.get_params()).set_params(momentum=1.0).fit(matrix, start=(X, Y)).loss(matrix) < target


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("momentum", [0.0, 1.0, 5.0, 20.0])
def test_loss_never_rises(make_tastes, momentum, seed):
    losses = ALS(8, alpha=5.0, momentum=momentum, iterations=25).fit(make_tastes(200, 150, seed=seed)).losses_
    assert len(losses) == 25
    assert (np.diff(losses) <= 1e-5 * losses[:-1]).all()


def test_momentum_saves_sweeps(make_tastes):
    matrix = make_tastes(400, 300, density=0.1)
    plain = ALS(16, momentum=0.0, iterations=15).fit(matrix).losses_[-1]
    assert (ALS(16, iterations=15).fit(matrix).losses_ < plain).sum() >= 4


def test_negative_values_are_dislikes():
    likes = np.array([[1, 1, 0, 0], [1, 1, 0, -3], [0, 0, 1, 1], [0, 0, 1, 1]], dtype=np.float32)
    model = ALS(2, alpha=10.0, regularization=0.1).fit(sp.csr_matrix(likes)).model_
    scores = model.user_factors @ model.item_factors.T
    assert abs(scores[1, 3]) < 0.1
    assert scores[1, 0] > 0.8


def test_weights_per_item_are_weights_of_pairs(user_items):
    weights = sp.diags(np.linspace(0.5, 2, 40).astype(np.float32))
    model = ALS(4, iterations=3).fit(user_items @ weights).model_
    scaled = user_items.toarray() * weights.diagonal()
    np.testing.assert_array_equal(model.user_factors, ALS(4, iterations=3).fit(scaled).model_.user_factors)


@pytest.mark.parametrize("settings", [{}, {"objective": "ials", "nu": 1.0}, {"half_precision": False}])
def test_same_seed_same_bits_for_any_threads_and_order(user_items, settings):
    pairs = user_items.tocoo()
    order = np.random.default_rng(0).permutation(pairs.nnz)
    shuffled = sp.coo_matrix((pairs.data[order], (pairs.row[order], pairs.col[order])), shape=pairs.shape)
    one = ALS(7, num_threads=1, iterations=4, **settings).fit(user_items).model_
    three = ALS(7, num_threads=3, iterations=4, **settings).fit(shuffled).model_
    assert one.user_factors.tobytes() == three.user_factors.tobytes()
    assert one.item_factors.tobytes() == three.item_factors.tobytes()
    other = ALS(7, random_state=1, iterations=4, **settings).fit(user_items).model_
    assert one.user_factors.tobytes() != other.user_factors.tobytes()


def test_refit_forgets(user_items, make_tastes):
    als = ALS(4, iterations=3).fit(make_tastes(30, 20, seed=9))
    again = als.fit(user_items).model_
    assert again.user_factors.tobytes() == ALS(4, iterations=3).fit(user_items).model_.user_factors.tobytes()


def test_item_keys_decide_the_start(user_items):
    keys = np.arange(100, 140, dtype=np.uint64)
    order = np.random.default_rng(0).permutation(40)
    als = ALS(4, iterations=6, half_precision=False, cg_steps=20)
    one = als.fit(user_items, item_keys=keys).model_
    other = als.fit(user_items[:, order], item_keys=keys[order]).model_
    np.testing.assert_allclose(other.item_factors, one.item_factors[order], atol=1e-4)


def test_more_factors_than_pairs_and_rows(user_items):
    losses = ALS(200, iterations=3).fit(user_items).losses_
    assert losses[-1] < ALS(8, iterations=3).fit(user_items).losses_[-1]


def test_works_in_cross_validation_pipelines_and_grids(make_tastes):
    matrix = make_tastes(80, 60)
    als = ALS(6, alpha=5.0, iterations=4)
    scores = cross_val_score(als, matrix, cv=KFold(4, shuffle=True, random_state=0))
    assert scores.shape == (4,)
    assert (scores > 0.3).all()
    pipeline = make_pipeline(FunctionTransformer(np.sqrt, accept_sparse=True), ALS(6, iterations=4))
    assert cross_val_score(pipeline, matrix, cv=3).shape == (3,)
    search = GridSearchCV(als, {"factors": [1, 6]}, cv=KFold(3, shuffle=True, random_state=0)).fit(matrix)
    assert search.best_params_ == {"factors": 6}
    assert search.transform(matrix).shape == (80, 6)


def test_hyper_parameters_are_written_once(user_items):
    described = {parameter.name: parameter for parameter in fields(ALS)}
    assert set(described) == set(ALS().get_params())
    assert all(parameter.metadata["help"].endswith(".") for parameter in described.values())
    assert clone(ALS(7, nu=0.5)).get_params() == ALS(7, nu=0.5).get_params()
    assert repr(ALS(7, nu=0.5)) == "ALS(factors=7, nu=0.5)"
    fitted = pickle.loads(pickle.dumps(ALS(3, iterations=2).fit(user_items)))
    assert fitted.recommend(0, user_items[0], N=2)[0].shape == (2,)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"factors": 0}, "factors is 0; expected a whole number of at least 1"),
        ({"factors": 2.5}, "factors is 2.5"),
        ({"iterations": "3"}, "iterations is '3'"),
        ({"regularization": -1.0}, "regularization is -1.0"),
        ({"alpha": 0.0}, "alpha is 0"),
        ({"alpha": float("nan")}, "alpha is nan"),
        ({"objective": "bpr"}, "expected one of 'implicit', 'ials'"),
        ({"num_threads": True}, "num_threads is True"),
        ({"random_state": None}, "random_state is None"),
        ({"warm_up": -1}, "warm_up is -1"),
    ],
)
def test_hyper_parameters_are_checked_when_fitting(user_items, parameters, message):
    with pytest.raises(ValueError, match=message):
        ALS(**parameters).fit(user_items)


def test_inputs_are_checked(user_items):
    with pytest.raises(ValueError, match="stores no pair"):
        ALS().fit(sp.csr_matrix((3, 4)))
    with pytest.raises(ValueError, match="one unsigned integer for each of the 40 columns"):
        ALS().fit(user_items, item_keys=np.arange(3))
    with pytest.raises(ValueError, match=r"have shape \(40, 3\); expected \(40, 64\)"):
        ALS().fit(user_items, start=(None, np.ones((40, 3))))
    with pytest.raises(ValueError, match="hold NaN"):
        ALS(1).fit(user_items, start=(None, np.full((40, 1), np.nan)))


def test_callback_sees_each_sweep_and_can_stop(user_items):
    seen = []

    def callback(sweep, loss, model):
        seen.append((sweep, loss, model.loss(user_items)))
        return sweep == 3

    als = ALS(4, iterations=10).fit(user_items, callback=callback)
    assert [sweep for sweep, _, _ in seen] == [1, 2, 3]
    assert als.n_iter_ == 3
    np.testing.assert_allclose([loss for _, loss, _ in seen], [exact for _, _, exact in seen], rtol=2e-4)
    np.testing.assert_array_equal(als.losses_, [loss for _, loss, _ in seen])


def test_tolerance_stops_when_little_is_gained(user_items):
    als = ALS(4, iterations=500, tolerance=1e-3).fit(user_items)
    assert 3 < als.n_iter_ < 100


def stop_after(sweeps):
    def callback(sweep, _loss, _model):
        if sweep == sweeps:
            raise KeyboardInterrupt

    return callback


def test_interruption_leaves_the_model_so_far(user_items):
    als = ALS(4, iterations=10)
    with pytest.raises(KeyboardInterrupt):
        als.fit(user_items, callback=stop_after(4))
    assert als.n_iter_ == 4
    expected = ALS(4, iterations=4).fit(user_items).model_
    np.testing.assert_array_equal(als.model_.user_factors, expected.user_factors)


def test_resumed_run_ends_with_the_same_bits(user_items, tmp_path):
    path = tmp_path / "run.safetensors"
    whole = ALS(4, iterations=9).fit(user_items)
    with pytest.raises(KeyboardInterrupt):
        ALS(4, iterations=9).fit(user_items, callback=stop_after(5), checkpoint=path)
    taken = []
    resumed = ALS(4, iterations=9, num_threads=1).fit(
        user_items, checkpoint=path, callback=lambda sweep, _loss, _model: taken.append(sweep)
    )
    assert taken == [6, 7, 8, 9]
    assert resumed.model_.user_factors.tobytes() == whole.model_.user_factors.tobytes()
    assert resumed.model_.item_factors.tobytes() == whole.model_.item_factors.tobytes()
    np.testing.assert_array_equal(resumed.losses_, whole.losses_)
    with pytest.raises(ModelInvalidError, match="another run"):
        ALS(4, iterations=9, alpha=2.0).fit(user_items, checkpoint=path)
    with pytest.raises(ModelInvalidError, match="another run"):
        ALS(4, iterations=9).fit(user_items[:50], checkpoint=path)


def test_refresh_welcomes_new_users_and_items(make_tastes):
    matrix = make_tastes(80, 50, density=0.3)
    als = ALS(6, alpha=5.0, iterations=10).fit(matrix[:60, :40])
    als.refresh(matrix, iterations=3)
    assert als.model_.user_factors.shape == (80, 6)
    assert als.model_.item_factors.shape == (50, 6)
    assert als.losses_[-1] < ALS(6, alpha=5.0, iterations=3).fit(matrix).losses_[-1]
    with pytest.raises(ValueError, match="items keep their places"):
        als.refresh(matrix[:, :30])


def test_a_sweep_that_fails_says_which_row(user_items):
    matrix = user_items.copy()
    matrix.data[matrix.indptr[7]] = 3e38
    with pytest.raises(Exception, match="row") as failure:
        ALS(4, alpha=100.0).fit(matrix)
    assert type(failure.value).__name__ == "SolveFailedError"


def test_training_shares_the_pairs_of_the_caller(user_items):
    state = ALS(3)._start(user_items, None, None)
    recipe = Recipe(Effort(2, 0.0), 1.0, half=True, machine=Machine.choose())
    training = Training(user_items, ALS(3).loss_function(), recipe, state)
    assert np.shares_memory(training._users.values, user_items.data)


@pytest.fixture
def small_samples(monkeypatch):
    monkeypatch.setattr("recsys.als.training._LEAST_SAMPLE", 1)


@pytest.mark.usefixtures("small_samples")
def test_warm_up_saves_sweeps_over_all(make_tastes):
    matrix = make_tastes(1500, 120, density=0.1)
    cold, warm = (ALS(8, iterations=4, warm_up=n).fit(matrix).losses_ for n in (0, 5))
    assert (warm < cold).all()
    assert warm[1] < cold[2]


@pytest.mark.usefixtures("small_samples")
def test_warm_up_depends_on_neither_threads_nor_order(make_tastes):
    matrix = make_tastes(300, 50)
    pairs = matrix.tocoo()
    order = np.random.default_rng(0).permutation(pairs.nnz)
    shuffled = sp.coo_matrix((pairs.data[order], (pairs.row[order], pairs.col[order])), shape=pairs.shape)
    one = ALS(4, num_threads=1, iterations=2).fit(matrix).model_
    assert one.item_factors.tobytes() != ALS(4, iterations=2, warm_up=0).fit(matrix).model_.item_factors.tobytes()
    assert one.item_factors.tobytes() == ALS(4, num_threads=3, iterations=2).fit(shuffled).model_.item_factors.tobytes()


def test_small_samples_tell_nothing(make_tastes):
    matrix = make_tastes(300, 50)
    one, other = (ALS(4, iterations=2, warm_up=n).fit(matrix).model_ for n in (0, 5))
    assert one.item_factors.tobytes() == other.item_factors.tobytes()


@pytest.mark.usefixtures("small_samples")
def test_resumed_and_refreshed_runs_are_not_warmed_up_again(make_tastes, tmp_path, monkeypatch):
    matrix, path = make_tastes(300, 50), tmp_path / "run.safetensors"
    whole = ALS(4, iterations=4).fit(matrix).model_
    with pytest.raises(KeyboardInterrupt):
        ALS(4, iterations=4).fit(matrix, callback=stop_after(2), checkpoint=path)
    monkeypatch.setattr("recsys.als.training._warm_up", None)
    resumed = ALS(4, iterations=4).fit(matrix, checkpoint=path)
    assert resumed.model_.item_factors.tobytes() == whole.item_factors.tobytes()
    resumed.refresh(matrix, iterations=1)


@pytest.fixture
def control_c():
    """Ctrl-C as a terminal has it; what runs in the background may be told to ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield lambda: signal.raise_signal(signal.SIGINT)
    assert signal.signal(signal.SIGINT, before) is signal.default_int_handler


def test_control_c_waits_for_the_end_of_a_sweep(make_tastes, monkeypatch, control_c):
    """Between the two half-steps users and items lie in different coordinates: no model may be taken from there."""
    matrix, solved = make_tastes(300, 200), Training._solve_users

    def interrupted(training):
        loss = solved(training)
        if training.state.sweep == 2:
            control_c()
        return loss

    monkeypatch.setattr(Training, "_solve_users", interrupted)
    als = ALS(6, iterations=50)
    with pytest.raises(KeyboardInterrupt):
        als.fit(matrix)
    assert als.n_iter_ == 3
    assert als.loss(matrix) == pytest.approx(als.losses_[-1], rel=1e-4)


@pytest.mark.parametrize("half", [False, True])
@pytest.mark.parametrize("nu", [0.0, 1.0])
@pytest.mark.parametrize("shape", [(300, 200), (40, 900), (900, 40)], ids=["even", "wide", "tall"])
def test_users_and_items_end_in_the_same_coordinates(make_tastes, shape, nu, half):
    """Whichever side is brought back and whichever stays in its basis, the factors have the loss that was reported."""
    matrix = make_tastes(*shape, density=0.03)
    start = tuple(np.random.default_rng(n).normal(size=(n, 40)).astype(np.float32) / 6 for n in shape)
    als = ALS(40, iterations=4, objective="ials", unobserved_weight=0.2, nu=nu, half_precision=half)
    seen = []
    als.fit(matrix, start=start, callback=lambda _, loss, model: seen.append((loss, model.loss(matrix))) and None)
    reported, found = zip(*seen, strict=True)
    assert found == pytest.approx(reported, rel=1e-3 if half else 1e-5)
