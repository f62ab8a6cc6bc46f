"""Who is a copy of whom: all copies of a history are found, and no two people of one taste are."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from proof.plays import person, row, table

from recsys.proof import History, Sketch, likenesses
from recsys.proof.neighbours import _candidates
from recsys.proof.sketch import LEAST_TOKENS, PERMUTATIONS, VIEWS, tokens


def sketch(rows):
    return Sketch.of(History.of(table(rows)))


def likeness(*histories):
    """Give the overlap of the last history with the one most like it, and the view in which they are alike."""
    names = [f"m{place}" for place in range(len(histories))]
    found = likenesses(names, [sketch(rows) for rows in histories])
    near = [like for like in found.get(names[-1], ()) if like.earlier]
    return (near[0].overlap, near[0].view, near[0].other) if near else (0.0, None, None)


ORIGINAL = person(1)


def shuffled(rows, rng):
    times = [play["played_at"] for play in rows]
    return [play | {"played_at": times[place]} for play, place in zip(rows, rng.permutation(len(rows)), strict=True)]


def shifted(rows, _rng):
    return [play | {"played_at": play["played_at"].replace(year=2023)} for play in rows]


def edited(rows, rng):
    """Drop, rename and add a thirtieth each: a tenth of the rows."""
    kind = rng.integers(0, 30, size=len(rows)).tolist()
    kept = [play | ({"track": "renamed"} if k == 1 else {}) for play, k in zip(rows, kind, strict=True) if k != 0]
    added = [play | {"ms_played": play["ms_played"] // 2 + 7} for play, k in zip(rows, kind, strict=True) if k == 2]
    return kept + added


def as_account(rows, _rng):
    """Hand the same plays in as account data: minutes only, and nothing about ends."""
    return [play | {"clock": "minute", "finished": False, "source": "spotify-account"} for play in rows]


def as_scrobbles(rows, _rng):
    return [play | {"ms_played": None, "finished": True, "source": "lastfm"} for play in rows]


@pytest.mark.parametrize("copy", [shuffled, shifted, edited, as_account])
@pytest.mark.parametrize("seed", range(3))
def test_copies_are_found(copy, seed):
    made = copy(person(seed), np.random.default_rng(seed))
    overlap, view, other = likeness(person(90), person(seed), made)
    assert overlap > 0.9
    assert view in {"partial", "year"}
    assert other == "m1"


def test_a_copy_without_durations_is_found_by_its_order():
    rng = np.random.default_rng(0)
    assert likeness(as_scrobbles(ORIGINAL, rng), as_scrobbles(ORIGINAL, rng))[:2] == (1.0, "order")


def test_a_copy_of_bare_totals_is_found():
    totals = [row(None, artist=f"A{n}", track=None, ms_played=None, plays=5 + n * n, clock="none") for n in range(60)]
    assert likeness(totals, totals)[:2] == (1.0, "totals")


@pytest.mark.parametrize("seed", range(4))
def test_one_year_is_found_in_ten(seed):
    """The year is a tenth of the whole: as sets of all years the two agree in a tenth only."""
    years = [
        play | {"played_at": play["played_at"].replace(year=2015 + place // 200)}
        for place, play in enumerate(person(seed, 2_000))
    ]
    last_year = as_account([play for play in years if play["played_at"].year == 2024], None)
    overlap, _, other = likeness(person(90), years, last_year)
    assert overlap > 0.7
    assert other == "m1"


def test_accounts_that_play_one_list_are_found():
    def account(seed):
        rng = np.random.default_rng(seed)
        return [
            row(200 * place, artist=f"A{n % 37}", track=f"T{n}", ms_played=int(rng.integers(1_000, 180_000)))
            for place, n in enumerate(rng.integers(0, 60, size=300).tolist())
        ]

    assert likeness(account(1), account(2))[:2] == (1.0, "tracks")


@pytest.mark.parametrize("taste", range(3))
def test_people_of_one_taste_are_no_copies(taste):
    people = [person(seed, taste=taste) for seed in range(20, 32)]
    names = [str(place) for place in range(len(people))]
    assert likenesses(names, [sketch(rows) for rows in people]) == {}
    found = likenesses(names, [sketch(as_account(rows, None)) for rows in people])
    assert all(like.overlap < 0.2 for near in found.values() for like in near)


def test_who_came_first_is_not_the_copy():
    found = likenesses(["first", "second"], [sketch(ORIGINAL), sketch(ORIGINAL)])
    assert [(like.other, like.earlier) for like in found["first"]] == [("second", False)]
    assert [(like.other, like.earlier) for like in found["second"]] == [("first", True)]


def test_too_little_is_not_compared():
    few = person(5, plays=20)
    assert not sketch(few).comparable
    assert likeness(few, few)[0] == 0.0


def test_very_many_copies_of_one_history_are_all_found():
    one = sketch(ORIGINAL)
    names = [str(place) for place in range(150)]
    found = likenesses(names, [one] * 150)
    assert all(any(like.earlier for like in found[name]) for name in names[1:])


def test_an_album_in_its_order_is_no_order_of_ones_own():
    album = [row(200 * n, track=f"t{n}") for n in range(80)]
    assert len(tokens(History.of(table(album)))["order"]) == 0


@settings(max_examples=25, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(0, 80))
def test_the_order_of_rows_does_not_matter(shuffle, plays):
    rows = person(6, plays=plays)
    mixed = shuffle.sample(rows, len(rows))
    first, again = sketch(rows), sketch(mixed)
    assert np.array_equal(first.signatures, again.signatures)
    assert np.array_equal(first.sizes, again.sizes)


def test_a_signature_estimates_the_jaccard_similarity():
    """Two sets of 1,000 that share 600: 600 / 1,400 = 0.43, give or take four standard errors of 0.044."""
    from recsys.proof.sketch import _signature  # noqa: PLC0415 - the estimate behind all

    values = np.random.default_rng(0).integers(0, 2**63, size=1_400).astype(np.uint64)
    agreeing = (_signature(values[:1_000]) == _signature(values[400:])).mean()
    assert agreeing == pytest.approx(600 / 1_400, abs=4 * 0.044)


def test_buckets_hold_exactly_the_pairs_that_agree_in_a_band():
    rng = np.random.default_rng(1)
    signatures = rng.integers(0, 12, size=(40, PERMUTATIONS)).astype(np.uint32)
    for view in VIEWS:
        bands = signatures[:, : view.rows * view.bands].reshape(40, view.bands, view.rows)
        by_hand = {
            (one, other)
            for one in range(40)
            for other in range(one + 1, 40)
            if (bands[one] == bands[other]).all(axis=1).any()
        }
        assert set(zip(*(side.tolist() for side in _candidates(signatures, view)), strict=True)) == by_hand
        assert by_hand or view.rows > 2


def test_a_sketch_is_read_as_it_was_written():
    made = sketch(ORIGINAL)
    again = Sketch.from_bytes(made.to_bytes())
    assert np.array_equal(again.signatures, made.signatures)
    assert (made.sizes >= LEAST_TOKENS).any()
    with pytest.raises(ValueError, match="not uint32"):
        Sketch.from_bytes(Sketch(made.signatures[:, :3], made.sizes).to_bytes())
