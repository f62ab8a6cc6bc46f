"""A proposal says everything, in one spelling, and nothing unclear."""

from datetime import UTC, date, datetime
from fractions import Fraction

import pytest
from assembly import CLOSES, OPENS, proposal
from hypothesis import given
from hypothesis import strategies as st

from recsys.canonical import canonical_json, parse_json
from recsys.collective import Proposal, Split
from recsys.errors import ProposalInvalidError

TOML = """
title = "A model for Solo AI"
buyer = "Solo AI"
purpose = "recommend music"
kind = "full"
run = "abc"
price_cents = 5_500_000
term_days = 365
opens = 2026-01-02T00:00:00Z
closes = 2026-01-09T01:00:00+01:00
quorum = "50%"
threshold = "2/3"
"""


def test_a_proposal_is_read_from_a_file_that_a_person_wrote(tmp_path):
    path = tmp_path / "proposal.toml"
    path.write_text(TOML)
    assert Proposal.load(path) == proposal()
    assert Proposal.load(path).hash == proposal().hash
    (tmp_path / "proposal.json").write_bytes(canonical_json(proposal().as_dict()))
    assert Proposal.load(tmp_path / "proposal.json") == proposal()


@given(
    st.fractions(0, 1, max_denominator=10**6),
    st.fractions(Fraction(1, 2), 1, max_denominator=10**6),
    st.integers(0, 10**12),
    st.booleans(),
)
def test_it_is_the_same_after_it_was_written_and_read(quorum, threshold, price, delegation):
    one = proposal(quorum=quorum, threshold=threshold, price_cents=price, delegation=delegation)
    again = Proposal.from_dict(parse_json(canonical_json(one.as_dict())))
    assert (again, again.hash) == (one, one.hash)


def test_every_field_is_in_the_hash():
    others = {
        "title": "b",
        "buyer": "b",
        "purpose": "b",
        "kind": "sample",
        "run": "b",
        "version": "b",
        "price_cents": 1,
        "currency": "EUR",
        "term_days": 1,
        "opens": OPENS.replace(minute=1),
        "closes": CLOSES.replace(minute=1),
        "quorum": Fraction(1, 3),
        "threshold": Fraction(3, 4),
        "delegation": True,
        "split": Split(treasury=Fraction(1, 5)),
    }
    hashes = {proposal(**{name: value}).hash for name, value in others.items()}
    weighted = proposal(weighting="stated-weights", weights="0" * 64).hash
    assert len(hashes | {weighted, proposal().hash}) == len(others) + 2


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("title", "", "a line of text"),
        ("buyer", 5, "the buyer of a proposal"),
        ("kind", "everything", "kind is one of"),
        ("price_cents", -1, "0 or more"),
        ("price_cents", 1.5, "whole number of cents"),
        ("price_cents", True, "whole number of cents"),
        ("term_days", 0, "a term has"),
        ("currency", "dollars", "three letters"),
        ("run", None, "the run or the version"),
        ("run", "", "run is text"),
        ("closes", OPENS, "closes after it opens"),
        ("closes", "soon", "no proposal"),
        ("quorum", "3/2", "between 0 and 1"),
        ("quorum", "many", "no fraction"),
        ("threshold", "1/3", "between 1/2 and 1"),
        ("threshold", "0", "between 1/2 and 1"),
        ("weighting", "by-wealth", "weighting is one of"),
        ("weighting", "stated-weights", "SHA-256"),
        ("weights", "0" * 64, "SHA-256"),
        ("format", "other/1", "was expected"),
        ("surprise", 1, "surprise"),
        ("split", {"treasury": "2"}, "between 0 and 1"),
    ],
)
def test_what_is_unclear_is_refused_with_its_name(name, value, words):
    with pytest.raises(ProposalInvalidError, match=words):
        Proposal.from_dict({**proposal().as_dict(), name: value})


def test_a_file_that_is_no_proposal_is_refused(tmp_path):
    for name, text in (("a.toml", "title ="), ("b.json", "[]"), ("c.json", "{"), ("d.toml", 'title = "only"')):
        (tmp_path / name).write_text(text)
        with pytest.raises(ProposalInvalidError):
            Proposal.load(tmp_path / name)
    with pytest.raises(ProposalInvalidError, match="cannot be read"):
        Proposal.load(tmp_path / "none.toml")


def test_the_terms_of_its_bundle_are_those_that_are_voted_on():
    one = proposal()
    terms = one.terms()
    assert (terms.proposal, terms.buyer, terms.purpose, terms.kind) == (one.hash, "Solo AI", "recommend music", "full")
    assert (terms.expires, terms.price_cents) == (date(2027, 1, 9), 5_500_000)
    assert proposal(kind="sample").terms(factors=16).factors == 16
    with pytest.raises(ProposalInvalidError, match="no bundle"):
        proposal(kind="aggregate").terms()


def test_an_instant_without_a_zone_is_utc():
    told = {**proposal().as_dict(), "opens": datetime(2026, 1, 2)}  # noqa: DTZ001 - as TOML gives it
    assert Proposal.from_dict(told).opens == datetime(2026, 1, 2, tzinfo=UTC)
