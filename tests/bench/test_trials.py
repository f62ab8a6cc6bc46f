import pytest

from recsys.bench.floor import Speed
from recsys.bench.trials import Trials
from recsys.bench.worker import Answer, Point


def run(*points):
    return Answer([Point(*point) for point in points], 0)


def trials(**runs):
    return Trials(
        factors=8,
        reference="them",
        runs=runs,
        peaks=dict.fromkeys(runs, 300),
        speed=Speed(1e9, 1e9),
        floor_seconds=0.5,
        data_bytes=200,
    )


THEM = run((1, 3.0, 200.0), (2, 5.0, 150.0), (3, 7.0, 100.0))  # one second of set-up, two per sweep


def row_of(found, name):
    return next(row for row in found.rows() if row["contestant"] == name)


def test_figures_by_hand():
    """We take half a second for set-up, a second per sweep, and are below their last loss after two sweeps."""
    found = trials(us=[run((1, 1.5, 180.0), (2, 2.5, 100.0), (3, 3.5, 90.0))], them=[THEM])
    ours = row_of(found, "us")
    assert (ours["sweep_seconds"], ours["setup_seconds"]) == (1.0, 0.5)
    assert (ours["target_sweeps"], ours["target_seconds"]) == (2, 2.5)
    assert (ours["sweep_ratio"], ours["target_ratio"]) == (2.0, pytest.approx(7 / 2.5))
    assert ours["loss_gap"] == pytest.approx(-0.1)
    assert ours["floor_ratio"] == 2.0
    assert ours["peak_ratio"] == 1.5


def test_the_reference_reaches_its_own_loss_at_its_end():
    theirs = row_of(trials(them=[THEM]), "them")
    assert (theirs["target_sweeps"], theirs["target_seconds"], theirs["setup_seconds"]) == (3, 7.0, 1.0)
    assert (theirs["sweep_ratio"], theirs["target_ratio"], theirs["loss_gap"]) == (1, 1, 0)


def test_medians_and_bests_are_over_the_runs():
    slow, quick = (run((1, s, None), (2, 2 * s, None), (3, 3 * s, 100.0)) for s in (4.0, 1.0))
    theirs = row_of(trials(them=[THEM, slow, quick]), "them")
    assert (theirs["sweep_seconds"], theirs["sweep_seconds_best"]) == (2.0, 1.0)
    assert (theirs["target_seconds"], theirs["target_seconds_best"]) == (7.0, 3.0)


def test_who_is_not_watched_is_placed_on_straight_lines():
    """From 300 at sweep 3 to 0 at sweep 6 the loss passes 100 at sweep 5, which is two thirds of the way in time."""
    found = trials(us=[run((3, 3.0, 300.0), (6, 9.0, 0.0))], them=[THEM])
    ours = row_of(found, "us")
    assert (ours["target_sweeps"], ours["target_seconds"], ours["sweep_seconds"]) == (5, 7.0, 2.0)


def test_a_loss_that_is_not_reached_has_no_time_and_is_told():
    found = trials(us=[run((1, 1.0, 200.0), (2, 2.0, 102.0))], them=[THEM])
    ours = row_of(found, "us")
    assert ours["target_sweeps"] is ours["target_seconds"] is ours["target_ratio"] is None
    assert list(found.notes()) == [
        "LOSSES DO NOT AGREE: with 8 factors us ends 2.00% above them, more than 1%; its times are not for equal work."
    ]


def test_ending_lower_is_no_disagreement():
    assert not list(trials(us=[run((1, 1.0, 50.0))], them=[THEM]).notes())


def test_runs_that_end_apart_are_told():
    apart = run((1, 1.0, None), (3, 2.0, 100.5))
    assert list(trials(them=[THEM, apart]).notes()) == ["With 8 factors the runs of them end up to 0.5% apart."]


def test_a_single_point_is_a_sweep_time():
    assert row_of(trials(them=[run((2, 6.0, 1.0))]), "them")["sweep_seconds"] == 3.0


def test_curves_are_the_first_runs():
    (curve,) = trials(them=[THEM, run((1, 9.0, None), (3, 9.5, 100.0))]).curves()
    assert (curve.contestant, curve.factors) == ("them", 8)
    assert (curve.sweeps, curve.seconds, curve.losses) == ([1, 2, 3], [3.0, 5.0, 7.0], [200.0, 150.0, 100.0])
