"""Voting from end to end: what counts, what is refused and why, who can see what when."""

import json
from dataclasses import replace
from fractions import Fraction

import pytest
from assembly import AFTER, CLOSES, DAY, DURING, FOUNDED, KEY, NAMES, OPENS, assembled, cast, proposal, reasons

from recsys.bundle import Approval
from recsys.canonical import canonical_json, sha256_hex, utc_text
from recsys.collective import Vote, Votes, approve, tally
from recsys.collective.asked import weights_bytes
from recsys.collective.ballots import Opening, Submission, delegate_to
from recsys.errors import BallotRefusedError, LogBrokenError, NotForSaleError, ProposalInvalidError
from recsys.transparency import SigningKey, sign


def counts(found):
    return found.yes, found.no, found.abstain


def filled(votes, asked, name, choice="yes", *, at=DURING, key=None, voter=None):
    """Fill in a ballot as a member does, or as somebody does who has another key or names another voter."""
    member = votes._home.pseudonyms.of(name)
    key, voter = key or votes.members.key_of(member), voter or votes.booth.voter(asked, member)
    return Submission.make(asked, voter, member=member, key=key, opening=Opening.of(choice), at=at)


def test_a_vote_from_end_to_end(stored_home):
    votes, asked = assembled(stored_home)
    outcome = cast(votes, asked, ada="yes", bob="no", cyd="yes", dan="abstain")
    assert (len(outcome.taken), outcome.refused) == (4, ())
    assert votes.proposals.of(asked).state(DURING) == "open"
    cast(votes, asked, at=DURING + DAY, bob="yes")
    found = tally(stored_home, asked, AFTER, same=())
    assert counts(found) == (3, 0, 1)
    assert (found.eligible, found.turnout, found.passed) == (5, Fraction(4, 5), True)
    approval = Approval.read(approve(stored_home, asked, AFTER).to_json(), stored_home.operator.public)
    assert approval.tally == {"yes": 3, "no": 0, "abstain": 1, "eligible": 5}
    approval.covers(votes.proposals.of(asked).proposal.terms())
    assert tally(stored_home, asked, AFTER + DAY) == found
    assert votes.proposals.of(asked).state(AFTER) == "passed"


def test_nothing_of_a_choice_is_seen_before_the_close(home):
    votes, asked = assembled(home)
    one, other = cast(votes, asked, ada="yes", bob="yes").taken
    for entry in votes.book.entries():
        assert b"yes" not in entry.envelope.payload
        assert b"yes" not in entry.secret
    seen = [json.loads(entry.entry.envelope.payload) for entry in (one, other)]
    assert seen[0]["commitment"] != seen[1]["commitment"]
    for name in NAMES:
        assert home.pseudonyms.of(name) not in str(seen)
        assert votes.members.of(name).key.raw.hex() not in str(seen)
    with pytest.raises(ProposalInvalidError, match="voting goes on"):
        tally(home, asked, CLOSES - DAY)


def test_a_voter_is_another_one_in_every_vote(home):
    votes, asked = assembled(home)
    other = votes.proposals.propose(proposal(title="Another"), at=FOUNDED).hash
    one = cast(votes, asked, ada="yes").taken[0].entry
    two = cast(votes, other, ada="yes").taken[0].entry
    assert one.owner != two.owner
    assert json.loads(one.envelope.payload)["key"] != json.loads(two.envelope.payload)["key"]
    assert counts(tally(home, other, AFTER, same=())) == (1, 0, 0)


def test_ballots_that_may_not_count_are_refused_and_listed_with_their_reasons(home):
    votes, asked = assembled(home)
    other = votes.proposals.propose(proposal(title="Another"), at=FOUNDED).hash
    votes.members.leave("dan", at=OPENS)
    votes.members.join("new", at=DURING)
    stale, good = filled(votes, asked, "ada", "no"), filled(votes, asked, "ada", at=DURING + DAY / 2)
    handed = {
        "its voter has left": filled(votes, asked, "dan"),
        "its voter joined after voting had opened": filled(votes, asked, "new"),
        "its voter is no member": filled(votes, asked, "zed", key=KEY),
        "forged: its voting card is not signed by the member": filled(votes, asked, "bob", key=KEY),
        "forged: it names another voter than its card": filled(votes, asked, "bob", voter="0" * 64),
        "forged: it is not signed by the key that it names, or is no ballot": replace(
            good, ballot=sign(good.ballot.payload_type, good.ballot.payload, KEY)
        ),
        "forged: its voting card is of another ballot": replace(good, card=filled(votes, other, "ada").card),
        "it is a ballot of another proposal": filled(votes, other, "bob"),
        "its opening is not what it committed to": replace(filled(votes, asked, "cyd"), opening=Opening.of("yes")),
        "'maybe' is no choice; the choices are yes, no, abstain": filled(votes, asked, "cyd", "maybe"),
        "it delegates, which the proposal does not allow": filled(votes, asked, "cyd", delegate_to("0" * 64)),
        "it is dated 2026-01-06T00:00Z, after it came": filled(votes, asked, "cyd", at=DURING + 3 * DAY),
        "early: it is dated 2026-01-01T00:00Z; voting opens 2026-01-02T00:00Z": filled(votes, asked, "cyd", at=FOUNDED),
    }
    outcome = votes.take(asked, list(handed.values()), at=DURING + DAY, same=())
    assert reasons(outcome.refused) == list(handed)
    assert outcome.taken == ()
    again = votes.take(asked, [good, good, stale], at=DURING + DAY, same=())
    assert len(again.taken) == 1
    replays = ["replayed: this ballot was handed in before", "replayed: it was made before the ballot that stands"]
    assert reasons(again.refused) == replays
    assert reasons(votes.take(asked, [good], at=DURING + DAY, same=()).refused) == replays[:1]
    late = ["late: it came 2026-01-09T00:00Z; voting closed 2026-01-09T00:00Z"]
    assert reasons(votes.take(asked, [filled(votes, asked, "bob")], at=CLOSES, same=()).refused) == late
    found = tally(home, asked, AFTER, same=())
    assert counts(found) == (1, 0, 0)
    assert reasons(found.refused) == [*handed, *replays, replays[0], *late]


def test_nobody_can_vote_with_somebody_elses_card(home):
    votes, asked = assembled(home)
    bobs = filled(votes, asked, "bob")
    stolen = filled(votes, asked, "ada", key=KEY, voter=votes.booth.voter(asked, home.pseudonyms.of("bob")))
    outcome = votes.take(asked, [replace(stolen, card=bobs.card)], at=DURING, same=())
    assert reasons(outcome.refused) == ["forged: its voting card is of another ballot"]
    named = {**json.loads(bobs.ballot.payload), "key": KEY.public.raw.hex()}
    forged = sign(bobs.ballot.payload_type, canonical_json(named), KEY)
    outcome = votes.take(asked, [replace(bobs, ballot=forged)], at=DURING, same=())
    assert reasons(outcome.refused) == ["forged: its voting card is of another ballot"]


def test_one_listener_has_one_vote_that_of_the_first_account(home):
    votes, asked = assembled(home)
    group = tuple(home.pseudonyms.of(name) for name in ("zed", "bob", "cyd"))
    told = [Vote(name, "yes") for name in ("bob", "cyd", "ada")]
    outcome = votes.cast_many(asked, told, at=DURING, same=(group,))
    double = "double: an earlier account of the same listener has the vote"
    assert reasons(outcome.refused) == [double]
    assert outcome.refused[0].voter == votes.booth.voter(asked, group[2])
    assert reasons(votes.take(asked, [filled(votes, asked, "cyd")], at=DURING, same=(group,)).refused) == [double]
    found = tally(home, asked, AFTER, same=(group,))
    assert (counts(found), found.eligible) == ((2, 0, 0), 4)


def test_doubles_that_are_found_after_they_voted_do_not_count(home):
    votes, asked = assembled(home)
    cast(votes, asked, bob="yes", cyd="yes")
    found = tally(home, asked, AFTER, same=(tuple(home.pseudonyms.of(name) for name in ("bob", "cyd")),))
    assert (counts(found), found.eligible) == ((1, 0, 0), 4)
    assert reasons(found.refused) == ["double: an earlier account of the same listener has the vote"]


def test_who_leaves_before_the_close_takes_their_vote_along_and_who_leaves_after_it_does_not(home):
    votes, asked = assembled(home)
    cast(votes, asked, ada="yes", bob="no", cyd="yes")
    votes.members.leave("bob", at=DURING + DAY)
    votes.members.leave("cyd", at=CLOSES + DAY / 2)
    found = tally(home, asked, AFTER, same=())
    assert (counts(found), found.eligible) == ((2, 0, 0), 4)
    assert reasons(found.refused) == ["its voter has left"]


def test_delegation_is_followed_unless_the_delegator_votes(home):
    votes, asked = assembled(home, delegation=True)
    told = [
        Vote("ada", delegate="bob"),
        Vote("bob", delegate="cyd"),
        Vote("cyd", "no"),
        Vote("dan", delegate="eve"),
        Vote("eve", delegate="dan"),
    ]
    assert votes.cast_many(asked, told, at=DURING, same=()).refused == ()
    refused = votes.cast_many(asked, [Vote("ada", delegate="zed"), Vote("ada", delegate="ada")], at=DURING, same=())
    assert reasons(refused.refused) == [
        "it delegates to somebody who may not vote",
        "it delegates to its own voter",
    ]
    votes.cast(asked, Vote("bob", "yes"), at=DURING)
    found = tally(home, asked, AFTER, same=())
    assert counts(found) == (2, 1, 0)
    assert reasons(found.refused)[2:] == ["delegated in a circle, or to somebody who did not vote"] * 2


def test_stated_weights_count_as_stated(home):
    stated = {"ada": 10, "bob": 3, "cyd": 4}
    told = {"weighting": "stated-weights", "weights": sha256_hex(weights_bytes(home, stated))}
    votes, asked = assembled(home, stated=stated, **told)
    cast(votes, asked, ada="no", bob="yes", cyd="yes", dan="yes")
    found = tally(home, asked, AFTER, same=())
    assert (counts(found), found.eligible, found.passed) == ((7, 10, 0), 17, False)
    with pytest.raises(NotForSaleError, match="7 yes, 10 no"):
        approve(home, asked, AFTER)
    with pytest.raises(ProposalInvalidError, match="not those whose SHA-256"):
        votes.proposals.propose(proposal(title="b", **told), at=FOUNDED, weights={**stated, "ada": 11})
    with pytest.raises(ProposalInvalidError, match="a whole number"):
        weights_bytes(home, {"ada": 1.5})


def test_a_member_with_a_key_of_their_own_votes_with_it_alone(home):
    votes, own = Votes(home), SigningKey(b"o" * 32)
    votes.members.join("ada", at=FOUNDED, key=own)
    asked = votes.proposals.propose(proposal(), at=FOUNDED).hash
    with pytest.raises(BallotRefusedError, match="a key of their own"):
        votes.cast(asked, Vote("ada", "yes"), at=DURING)
    with pytest.raises(BallotRefusedError, match="not signed by the member"):
        votes.cast(asked, Vote("ada", "yes", key=KEY), at=DURING)
    votes.cast(asked, Vote("ada", "yes", key=own), at=DURING)
    assert counts(tally(home, asked, AFTER, same=())) == (1, 0, 0)


def test_a_proposal_is_proposed_once_before_it_opens(home):
    votes, asked = assembled(home)
    with pytest.raises(ProposalInvalidError, match="stands already"):
        votes.proposals.propose(proposal(), at=FOUNDED)
    with pytest.raises(ProposalInvalidError, match="before it is proposed"):
        votes.proposals.propose(proposal(title="b"), at=OPENS + DAY)
    assert votes.proposals.find(asked[:6]) == asked
    for unknown in ("0" * 64, "zz"):
        with pytest.raises(ProposalInvalidError):
            cast(votes, unknown, ada="yes")
    with pytest.raises(ProposalInvalidError, match="recsys vote list"):
        votes.proposals.find("zz")


def test_without_the_key_of_votes_nothing_is_counted(home):
    votes, asked = assembled(home)
    cast(votes, asked, ada="yes")
    (home.path / "keys" / "votes.key").write_bytes(b"x" * 32)
    with pytest.raises(LogBrokenError, match=r"votes\.key"):
        tally(home, asked, AFTER, same=())


def test_a_vote_that_nobody_cast_fails_and_approves_nothing(home):
    _, asked = assembled(home)
    found = tally(home, asked, AFTER, same=())
    assert (counts(found), found.eligible, found.passed) == ((0, 0, 0), 5, False)
    with pytest.raises(NotForSaleError, match="did not agree"):
        approve(home, asked, AFTER)


def test_the_instants_of_entries_are_those_that_were_given(home):
    votes, asked = assembled(home)
    assert cast(votes, asked, ada="yes").taken[0].entry.at == utc_text(DURING)
