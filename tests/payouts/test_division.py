import hashlib
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.collective.split import VANA, Split
from recsys.errors import PayoutError, ProposalInvalidError
from recsys.payouts import check_statement, check_table, divide, largest_remainder, statement, words
from recsys.payouts.rounding import tie
from recsys.payouts.rules import equal, square_root, value

SALE = "ab" * 32
RULES = ("equal", "points", "sqrt", "value")


def weights_of(points, values):
    return {"equal": equal(points), "points": points, "sqrt": square_root(points), "value": value(values)}


def named(numbers):
    return {f"member-{place:05d}": number for place, number in enumerate(numbers)}


@st.composite
def splits(draw):
    parts = draw(st.lists(st.integers(0, 10), min_size=3, max_size=3).filter(any))
    treasury, artists, _ = (Fraction(part, sum(parts)) for part in parts)
    chosen = draw(st.dictionaries(st.sampled_from(RULES), st.integers(1, 7), min_size=1))
    whole = sum(chosen.values())
    return Split(treasury, artists, {rule: Fraction(part, whole) for rule, part in chosen.items()})


pools = st.lists(st.tuples(st.integers(0, 10**6), st.floats(-1e3, 1e3, allow_nan=False)), min_size=1, max_size=12).map(
    lambda drawn: (named(points for points, _ in drawn), named(phi for _, phi in drawn))
)


def divided(price, split, pool, sale=SALE):
    return divide(price, split, weights_of(*pool), sale=sale, artists={"A": 3, "B": 1, "C": 0})


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**12), splits(), pools)
def test_every_cent_of_the_price_goes_somewhere(price, split, pool):
    found = divided(price, split, pool)
    assert found.treasury_cents + found.artists_cents + found.members_cents == price
    assert all(payment.cents >= 0 for payment in (*found.payments, *found.escrow))
    for cents, share in ((found.treasury_cents, split.treasury), (found.members_cents, split.members)):
        assert abs(cents - share * price) < 1


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**9), splits(), pools, st.randoms())
def test_the_order_in_which_members_come_changes_nothing(price, split, pool, random):
    order = list(pool[0])
    random.shuffle(order)
    moved = tuple({name: one[name] for name in order} for one in pool)
    assert divided(price, split, moved) == divided(price, split, pool)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**9), splits(), pools)
def test_whoever_weighs_more_by_every_rule_does_not_get_less_than_a_cent_less(price, split, pool):
    found = divided(price, split, pool)
    for one in found.payments:
        for other in found.payments:
            if all(one.weights[rule] >= other.weights[rule] for rule in split.rules):
                assert one.cents >= other.cents - 1


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**9), splits(), pools)
def test_every_statement_can_be_computed_again_from_itself(price, split, pool):
    found = divided(price, split, pool)
    for payment in found.payments:
        told = statement(found, payment.payee)
        assert check_statement(told).sound
        assert not check_statement({**told, "cents": payment.cents + 1}).sound
        assert words(told).startswith("You get ")
    assert check_table(found.totals_document(), found.table()).sound


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("weighs", ["various", "nothing", "one alone"])
def test_fifty_five_thousand_dollars_are_just_that(rule, weighs):
    various = (place % 751 * (weighs == "various") + (place == 17) * (weighs == "one alone") for place in range(10_000))
    pool = named(various)
    values = {name: (held - 300) / 7 for name, held in pool.items()}
    found = divide(5_500_000, Split(rules={rule: Fraction(1)}), weights_of(pool, values), sale=SALE)
    assert found.members_cents == sum(payment.cents for payment in found.payments) == 5_500_000


def test_by_head():
    # 100 cents by 1 : 1 : 1 are 33 1/3 each; the cent that is left over goes to the least SHA-256 of sale and name
    found = divide(100, Split(), {"equal": equal(dict.fromkeys("abc"))}, sale=SALE)
    lucky = min("abc", key=lambda name: tie(SALE, name))
    assert {payment.payee: payment.cents for payment in found.payments} == {
        name: 33 + (name == lucky) for name in "abc"
    }
    # 10 cents by 5 : 3 : 1 are 5.56, 3.33 and 1.11: the greatest remainder is the first's
    by_points = divide(10, Split(rules={"points": Fraction(1)}), {"points": {"a": 5, "b": 3, "c": 1}}, sale=SALE)
    assert [payment.cents for payment in by_points.payments] == [6, 3, 1]


def test_ties_are_decided_by_the_sale_and_the_name():
    assert tie("sale", "payee") == hashlib.sha256(b"sale\npayee").hexdigest()


def test_unwrapped_points_and_their_square_roots():
    pool = {"much": 400, "little": 100}
    by_points = divide(1_000, Split(rules={"points": Fraction(1)}), {"points": pool}, sale=SALE)
    by_root = divide(900, Split(rules={"sqrt": Fraction(1)}), {"sqrt": square_root(pool)}, sale=SALE)
    assert [payment.cents for payment in by_points.payments] == [200, 800]
    assert [payment.cents for payment in by_root.payments] == [300, 600]  # 10 : 20
    assert square_root({"two": 2})["two"] == 1_414_213


def test_value_pays_nothing_below_zero():
    found = divide(
        99, Split(rules={"value": Fraction(1)}), {"value": value({"a": -5.0, "b": 1.0, "c": 2.0})}, sale=SALE
    )
    assert [payment.cents for payment in found.payments] == [0, 33, 66]


def test_one_member_gets_all_and_more_members_than_cents_get_one_each_or_none():
    alone = divide(5_500_000, Split(), {"equal": {"a": 1}}, sale=SALE)
    assert alone.payments[0].cents == 5_500_000
    crowd = divide(3, Split(), {"equal": equal(named([0] * 10))}, sale=SALE)
    assert sorted(payment.cents for payment in crowd.payments) == [0] * 7 + [1] * 3


def test_weights_of_nothing_divide_equally_and_it_is_said():
    found = divide(10, Split(rules={"points": Fraction(1)}), {"points": {"a": 0, "b": 0}}, sale=SALE)
    assert [payment.cents for payment in found.payments] == [5, 5]
    assert found.all_zero == ("points",)
    assert check_table(found.totals_document(), found.table()).sound


def test_vanas_eighty_and_twenty():
    found = divide(5_500_000, VANA, {"equal": equal(named([0] * 10_000))}, sale=SALE)
    assert (found.members_cents, found.treasury_cents) == (4_400_000, 1_100_000)
    assert {payment.cents for payment in found.payments} == {440}


def test_artists_are_set_aside_what_their_listening_carried():
    split = Split(artists=Fraction(1, 10))
    found = divide(1_000, split, {"equal": {"a": 1}}, sale=SALE, artists={"Björk": 3, "Low": 1, "Nobody": 0})
    assert {held.payee: held.cents for held in found.escrow} == {"Björk": 75, "Low": 25, "Nobody": 0}
    with pytest.raises(PayoutError, match="no artist is named"):
        divide(1_000, split, {"equal": {"a": 1}}, sale=SALE)


@pytest.mark.parametrize(
    ("price", "weights", "message"),
    [
        (-1, {"equal": {"a": 1}}, "whole number of cents"),
        (5.5, {"equal": {"a": 1}}, "whole number of cents"),
        (True, {"equal": {"a": 1}}, "whole number of cents"),
        (100, {}, "nobody to pay"),
        (100, {"equal": {}}, "nobody to pay"),
        (100, {"equal": {"a": 0.5}}, "a weight is a whole number"),
        (100, {"equal": {"a": -1}}, "a weight is a whole number"),
        (100, {"equal": {"a": 2**53}}, "a weight is a whole number"),
    ],
)
def test_what_is_no_money_is_refused(price, weights, message):
    with pytest.raises(PayoutError, match=message):
        divide(price, Split(), weights, sale=SALE)


def test_rules_must_speak_of_the_same_members():
    split = Split(rules={"equal": Fraction(1, 2), "points": Fraction(1, 2)})
    with pytest.raises(PayoutError, match="other members"):
        divide(100, split, {"equal": {"a": 1}, "points": {"a": 1, "b": 1}}, sale=SALE)


def test_a_value_that_is_no_number_is_refused():
    with pytest.raises(PayoutError, match="nan"):
        value({"a": float("nan")})


def test_a_changed_table_is_found_out():
    found = divide(101, Split(), {"equal": equal(dict.fromkeys("abc"))}, sale=SALE)
    table = found.table()
    moved = [{**row, "cents": row["cents"] + step} for row, step in zip(table, (1, -1, 0), strict=True)]
    assert {check.name for check in check_table(found.totals_document(), moved).checks if not check.holds} == {
        "table",
        "amounts",
    }
    doubled = [*table, table[0]]
    assert not check_table(found.totals_document(), doubled).sound


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 1_000), st.lists(st.integers(0, 50), min_size=1, max_size=12).filter(any))
def test_largest_remainder_against_its_definition(total, parts):
    names = [f"m{place}" for place in range(len(parts))]
    found = largest_remainder(total, parts, [tie(SALE, name) for name in names])
    quota = [Fraction(total * part, sum(parts)) for part in parts]
    floors = [int(one) for one in quota]
    order = sorted(range(len(parts)), key=lambda place: (floors[place] - quota[place], tie(SALE, names[place])))
    for place in order[: total - sum(floors)]:
        floors[place] += 1
    assert list(found.cents) == floors


@pytest.mark.parametrize("written", ["1/5", "20%", "0.2", 0.2, " 20 % ", Fraction(1, 5)])
def test_a_fifth_is_a_fifth_however_it_is_written(written):
    assert Split.from_dict({"treasury": written}).treasury == Fraction(1, 5)


@settings(max_examples=60, deadline=None)
@given(splits())
def test_a_split_is_read_back_as_it_was_written(split):
    assert Split.from_dict(split.as_dict()) == split
    assert hash(Split.from_dict(split.as_dict())) == hash(split)


@pytest.mark.parametrize(
    "told",
    [
        {"treasury": "1/2", "artists": "2/3"},
        {"treasury": "-1/5"},
        {"treasury": "1/0"},
        {"treasury": "1e999999999"},
        {"treasury": True},
        {"treasury": None},
        {"treasury": "0.1234567891"},
        {"rules": {"equal": "1/2"}},
        {"rules": {"equal": 1, "points": 0}},
        {"rules": {"by age": 1}},
        {"rules": {}},
        {"rules": 7},
        {"tresury": "1/5"},
    ],
)
def test_an_unclear_split_is_refused(told):
    with pytest.raises(ProposalInvalidError):
        Split.from_dict(told)
