"""The count, beside a recount by the plainest means."""

from fractions import Fraction
from itertools import pairwise
from types import SimpleNamespace

import pytest
from assembly import KEY, proposal
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.canonical import utc_text
from recsys.collective.ballots import CHOICES, Opening, Submission, delegate_of, delegate_to
from recsys.collective.counting import Roll, Vote, resolved, tallied
from recsys.errors import ProposalInvalidError

VOTERS = st.integers(0, 7).map(lambda number: f"{number:064x}")
OWN = st.sampled_from(CHOICES)
ANY = OWN | VOTERS.map(delegate_to)


def by_hand(votes, voter):
    """Ask the voter; who was told to ask somebody else asks them, at most as often as there are voters."""
    for _ in range(len(votes) + 1):
        if voter not in votes:
            return None
        choice = votes[voter]
        if delegate_of(choice) is None:
            return choice
        voter = delegate_of(choice)
    return None


@given(st.dictionaries(VOTERS, ANY))
def test_delegations_lead_where_asking_each_in_turn_leads(choices):
    votes = {voter: Vote(f"ballot of {voter}", choice) for voter, choice in choices.items()}
    found, lost = resolved(votes, delegation=True)
    expected = {voter: by_hand(choices, voter) for voter in choices}
    assert found == {voter: choice for voter, choice in expected.items() if choice}
    assert {one.voter for one in lost} == {voter for voter, choice in expected.items() if not choice}


def test_delegations_of_very_many_are_followed_in_one_go():
    names = [f"{number:064x}" for number in range(20_000)]
    votes = {one: Vote(one, delegate_to(other)) for one, other in pairwise(names)}
    found, _ = resolved({**votes, names[-1]: Vote("last", "yes")}, delegation=True)
    assert set(found.values()) == {"yes"}
    assert len(found) == len(names)
    found, lost = resolved({**votes, names[-1]: Vote("last", delegate_to(names[0]))}, delegation=True)
    assert (found, len(lost)) == ({}, len(names))


def counted(yes, no, abstain, *, absent=0, **told):
    """Count ballots that say this."""
    choices = ["yes"] * yes + ["no"] * no + ["abstain"] * abstain
    asked = proposal(**told)
    roll = Roll({f"{number:064x}": 1 for number in range(len(choices) + absent)})
    entries = [entry_of(asked, number, choice) for number, choice in enumerate(choices)]
    return tallied(asked, roll, entries, operator=None)


def entry_of(asked, number, choice):
    """Make an entry of the book of ballots, with its opening."""
    voter, opening = f"{number:064x}", Opening.of(choice)
    made = Submission.make(asked.hash, voter, member="0" * 64, key=KEY, opening=opening, at=asked.opens)
    at = utc_text(asked.opens)
    return SimpleNamespace(envelope=made.ballot, at=at, owner=voter, record=made.record), opening


CASES = [
    # yes, no, abstain, absent, quorum, threshold, passes?
    (2, 1, 0, 0, "1/2", "2/3", True),  # exactly two thirds
    (199, 100, 0, 0, "1/2", "2/3", False),  # 0.6656
    (1, 1, 0, 0, "0", "1/2", False),  # a tie never passes
    (2, 1, 3, 0, "1/2", "1/2", True),  # abstentions are no noes
    (1, 0, 0, 1, "1/2", "1", True),  # exactly half turned out
    (1, 0, 0, 2, "1/2", "1/2", False),  # a third turned out
    (0, 0, 5, 0, "1/2", "1/2", False),  # nobody said yes
    (0, 0, 0, 5, "0", "1/2", False),  # nobody voted
    (0, 0, 0, 0, "0", "1/2", False),  # nobody could
    (1, 0, 2, 3, "1/2", "1/2", True),  # abstentions count for the quorum
]


@pytest.mark.parametrize("case", CASES)
def test_quorum_threshold_and_ties(case):
    yes, no, abstain, absent, quorum, threshold, passes = case
    found = counted(yes, no, abstain, absent=absent, quorum=Fraction(quorum), threshold=Fraction(threshold))
    assert (found.yes, found.no, found.abstain) == (yes, no, abstain)
    assert found.eligible == yes + no + abstain + absent
    assert found.passed is passes
    assert found.refused == ()


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), OWN), max_size=20), st.randoms(use_true_random=False))
def test_the_last_ballot_counts_and_otherwise_their_order_does_not_matter(cast, random):
    asked = proposal(quorum=Fraction(0))
    roll = Roll({f"{number:064x}": number + 1 for number in range(6)})
    entries = [entry_of(asked, number, choice) for number, choice in cast]
    found = tallied(asked, roll, entries, operator=None)
    last = dict(cast)
    for choice in CHOICES:
        assert getattr(found, choice) == sum(number + 1 for number, chosen in last.items() if chosen == choice)
    final = [entry for place, entry in enumerate(entries) if cast[place][0] not in {v for v, _ in cast[place + 1 :]}]
    random.shuffle(final)
    assert tallied(asked, roll, final, operator=None) == found


def test_a_proposal_without_delegation_takes_none():
    with pytest.raises(ProposalInvalidError, match="delegation is true or false"):
        proposal(delegation="yes")
