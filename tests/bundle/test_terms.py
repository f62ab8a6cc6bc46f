"""What may be agreed to, and that it is read back as it was said."""

from dataclasses import replace
from datetime import UTC, date, datetime

import bundles
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.bundle import Approval, Terms, example
from recsys.canonical import canonical_json
from recsys.errors import NotForSaleError, SignatureInvalidError, TermsInvalidError
from recsys.transparency import SigningKey

OPERATOR = SigningKey(b"o" * 32)
PROPOSAL = "ab" * 32
SOLD = {"kind": "full", "proposal": PROPOSAL, "factors": None, "artists": None, "price_cents": 5_500_000}
LINES = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S")), min_size=1, max_size=80)


TOLD = st.fixed_dictionaries(
    {
        "kind": st.just("sample"),
        "buyer": LINES,
        "purpose": LINES,
        "expires": st.dates(),
        "factors": st.none() | st.integers(1, 4096),
        "artists": st.integers(1, 10**6),
        "half_precision": st.booleans(),
        "price_cents": st.none() | st.integers(0, 10**12),
    }
)


@settings(deadline=None)
@given(TOLD)
def test_terms_come_back_from_json_and_from_odrl(told):
    terms = Terms(**told)
    assert Terms.from_dict(terms.as_dict()) == terms
    for assigner in (None, OPERATOR.public.did):
        assert Terms.from_odrl(terms.odrl(assigner)) == terms


def test_the_example_is_terms_that_can_be_loaded(tmp_path):
    (tmp_path / "terms.toml").write_text(example(datetime(2026, 1, 1, tzinfo=UTC)))
    terms = Terms.load(tmp_path / "terms.toml")
    assert (terms.kind, terms.expires, terms.min_listeners) == ("sample", date(2026, 4, 1), 10)


def test_a_policy_says_what_other_tools_read():
    policy = bundles.make_terms(price_cents=5_500_000).odrl(OPERATOR.public.did)
    (permission,) = policy["permission"]
    assert policy["@type"] == "Agreement"
    assert permission["assigner"] == OPERATOR.public.did
    (duty,) = permission["duty"]
    assert duty["constraint"][0]["rightOperand"] == {"@value": "55000.00", "@type": "xsd:decimal"}
    assert {rule["action"] for rule in policy["prohibition"]} == {"distribute", "sell", "derive"}


@pytest.mark.parametrize("path", [("permission", 0, "constraint", 0, "rightOperand", "@value"), ("recsys", "expires")])
def test_a_policy_that_contradicts_itself_is_refused(path):
    policy = bundles.make_terms().odrl()
    place = policy
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = "2099-01-01"
    with pytest.raises(TermsInvalidError, match="contradicts itself"):
        Terms.from_odrl(policy)


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"kind": "gift"}, "kind is 'gift'"),
        ({"buyer": "  "}, "buyer"),
        ({"buyer": "Solo\u202eIA"}, "visible"),
        ({"purpose": None}, "purpose|NoneType|argument"),
        ({"min_listeners": 1}, "min_listeners"),
        ({"min_listeners": True}, "min_listeners"),
        ({"factors": 0}, "factors"),
        ({"artists": 2.5}, "artists"),
        ({"factors": None, "artists": None}, "weaker"),
        ({"proposal": "xyz"}, "hash"),
        ({"price_cents": -1}, "price_cents"),
        ({"currency": "dollars"}, "three letters"),
        ({"half_precision": 1}, "half_precision"),
        ({"expires": "2027-01-01"}, "day such as"),
        ({"kind": "full", "factors": None, "artists": None}, "vote"),
        (SOLD | {"artists": 5}, "whole model"),
    ],
)
def test_unclear_terms_are_refused(told, words):
    with pytest.raises(TermsInvalidError, match=words):
        bundles.make_terms(**told)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("kind = ", "cannot be read"),
        ('kind = "sample"', "do not say 'buyer'"),
        ('colour = "red"', "no key 'colour'"),
        ("[limits]\nmax = 3", "no key 'max'"),
        ("[limits]\nmax_unicity = 3", "between 0 and 1"),
        ("limits = 3", "table"),
    ],
)
def test_a_file_that_holds_no_terms_is_refused(tmp_path, text, words):
    path = tmp_path / "terms.toml"
    path.write_text(text)
    with pytest.raises(TermsInvalidError, match=words):
        Terms.load(path)
    with pytest.raises(TermsInvalidError, match="no file"):
        Terms.load(tmp_path / "nothing.toml")


def test_terms_hold_until_the_day_on_which_they_end():
    terms = bundles.make_terms(expires=date(2026, 5, 1))
    terms.refuse_expired(datetime(2026, 4, 30, 23, 59, 59, tzinfo=UTC))
    with pytest.raises(TermsInvalidError, match="ran out"):
        terms.refuse_expired(datetime(2026, 5, 1, tzinfo=UTC))


def approval(**told):
    terms = bundles.make_terms(**SOLD)
    plain = {name: getattr(terms, name) for name in ("proposal", "buyer", "kind", "purpose", "expires", "price_cents")}
    counts = {"yes": 60, "no": 20, "abstain": 5, "eligible": 120}
    return Approval(**{**plain, "tally": counts, "ballots": {"size": 85, "root": "cd" * 32}, **told})


def test_an_approval_comes_back_as_it_was_signed_and_covers_what_was_voted_on():
    read = Approval.read(approval().signed(OPERATOR).to_json(), OPERATOR.public)
    assert read == approval()
    read.covers(bundles.make_terms(**SOLD))
    read.covers(bundles.make_terms(**SOLD, expires=date(2026, 2, 1)))


@pytest.mark.parametrize(
    "told",
    [
        {"proposal": "cd" * 32},
        {"buyer": "somebody else"},
        {"purpose": "anything"},
        {"price_cents": 1},
        {"price_cents": None},
        {"expires": date(2199, 1, 1)},
        {"kind": "sample", "artists": 5},
    ],
)
def test_an_approval_covers_nothing_else(told):
    with pytest.raises(NotForSaleError, match="members approved"):
        approval().covers(bundles.make_terms(**{**SOLD, **told}))


def test_only_the_collective_approves():
    envelope = approval().signed(SigningKey(b"x" * 32)).to_json()
    with pytest.raises(SignatureInvalidError):
        Approval.read(envelope, OPERATOR.public)
    other = replace(approval(), proposal="cd" * 32).signed(OPERATOR)
    payload = other.payload.replace(b'"name":"proposal"', b'"name":"poposals"')
    with pytest.raises(SignatureInvalidError):
        Approval.read(replace(other, payload=payload).to_json(), OPERATOR.public)
    with pytest.raises(SignatureInvalidError, match="envelope"):
        Approval.read(canonical_json({"yes": 1}), OPERATOR.public)
