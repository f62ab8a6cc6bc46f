"""A published vote: counted again by anybody, and whatever is changed in it is found."""

import base64
import json

import pytest
from assembly import AFTER, DURING, FOUNDED, KEY, assembled, cast, proposal
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.canonical import canonical_json, parse_json
from recsys.collective import Vote, publish, tally, verify
from recsys.collective.ballots import Opening
from recsys.collective.published import read_receipt
from recsys.errors import ProofInvalidError, ProposalInvalidError
from recsys.home import Home


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """Publish a vote whose log holds another vote's ballots, a change of mind, a refusal and a late double."""
    home = Home(tmp_path_factory.mktemp("published") / "home")
    votes, asked = assembled(home)
    other = votes.proposals.propose(proposal(title="Another"), at=FOUNDED).hash
    cast(votes, other, ada="no", bob="no")
    taken = cast(votes, asked, ada="yes", bob="no", cyd="yes", dan="yes").taken
    receipts = {"before": votes.receipt(taken[1])}
    cast(votes, asked, zed="yes")
    now = votes.cast(asked, Vote("bob", "yes"), at=DURING)
    receipts |= {"ada": votes.receipt(taken[0]), "bob": votes.receipt(now), "dan": votes.receipt(taken[3])}
    receipts["other"] = votes.receipt(cast(votes, other, cyd="no").taken[0])
    same = (tuple(home.pseudonyms.of(name) for name in ("cyd", "dan")),)
    found = tally(home, asked, AFTER, same=same)
    cast(votes, other, dan="yes")
    receipts["later"] = votes.receipt(cast(votes, other, eve="no").taken[0])
    data = publish(home, asked)
    return home.operator.public, data, {name: canonical_json(one) for name, one in receipts.items()}, found


def test_anybody_can_count_again_from_the_file_and_the_public_key(published):
    key, data, _, found = published
    recount = verify(data, key)
    assert recount.verdict.sound, recount.verdict.words()
    assert recount.tally == found
    assert (found.yes, found.no, found.eligible, len(found.refused)) == (3, 0, 4, 2)


def test_nobody_is_named_and_other_votes_stay_shut(published):
    _, data, _, _ = published
    told = parse_json(data)
    assert [isinstance(one, str) for one in told["entries"][:3]] == [True, True, False]
    assert b"member" not in data.replace(b"one-member-one-vote", b"").replace(b"no member", b"")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("ada", "and counts: yes"),
        ("before", "you changed it later"),
        ("bob", "and counts: yes"),
        ("dan", "does not count: double"),
    ],
)
def test_a_voter_finds_their_own_ballot(published, name, words):
    key, data, receipts, _ = published
    verdict = verify(data, key, receipts[name]).verdict
    assert verdict.sound
    assert words in verdict.checks[-1].words


@pytest.mark.parametrize(("name", "words"), [("other", "another vote"), ("later", "another vote")])
def test_a_receipt_of_another_vote_is_told_from_ones_own(published, name, words):
    key, data, receipts, _ = published
    verdict = verify(data, key, receipts[name]).verdict
    assert verdict.failed == ("your ballot",)
    assert words in verdict.checks[-1].words


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_byte_that_is_changed_is_found(published, data):
    key, whole, _, _ = published
    place = data.draw(st.integers(0, len(whole) - 1))
    other = data.draw(st.integers(0, 255).filter(lambda byte: byte != whole[place]))
    verdict = verify(whole[:place] + bytes([other]) + whole[place + 1 :], key).verdict
    assert not verdict.sound


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_byte_of_a_receipt_that_is_changed_is_found(published, data):
    key, whole, receipts, _ = published
    receipt = receipts["ada"]
    place = data.draw(st.integers(0, len(receipt) - 1))
    other = data.draw(st.integers(0, 255).filter(lambda byte: byte != receipt[place]))
    changed = receipt[:place] + bytes([other]) + receipt[place + 1 :]
    verdict = verify(whole, key, changed).verdict
    assert not verdict.sound or parse_json(changed) == parse_json(receipt)


@pytest.mark.parametrize("more", [b"\n", b" "])
def test_another_spelling_of_the_same_is_found(published, more):
    key, data, _, _ = published
    assert verify(data + more, key).verdict.failed == ("file",)


def without(told, place):
    told["entries"].pop(place)


def swapped(told):
    told["entries"][2], told["entries"][3] = told["entries"][3], told["entries"][2]


def hidden(told):
    told["entries"][2] = "0" * 64


def turned(told):
    told["entries"][2]["opening"] = {"choice": "no", "nonce": told["entries"][2]["opening"]["nonce"]}


def opened_twice(told):
    told["entries"][6]["opening"] = {"choice": "no", "nonce": "0" * 64}


def enrolled(told):
    told["roll"]["voters"]["0" * 64] = 1


def readmitted(told):
    told["roll"]["excluded"].clear()


def resold(told):
    told["proposal"]["price_cents"] = 1


def recounted(told):
    envelope = json.loads(told["result"])
    payload = json.loads(base64.b64decode(envelope["payload"]))
    payload["yes"] += 1
    envelope["payload"] = base64.b64encode(canonical_json(payload)).decode()
    told["result"] = canonical_json(envelope).decode()


CHANGES = {
    "a ballot is left out": (lambda told: without(told, 2), "log"),
    "the last entry is left out": (lambda told: without(told, -1), "log"),
    "ballots are swapped": (swapped, "log"),
    "a ballot is hidden": (hidden, "log"),
    "a choice is turned": (turned, "openings"),
    "something else is opened": (opened_twice, "openings"),
    "a voter is added": (enrolled, "roll"),
    "a double is let in": (readmitted, "roll"),
    "the price is another": (resold, "proposal"),
    "the result is another": (recounted, "result"),
    "something is added": (lambda told: told.update(more=1), "file"),
    "the roll is a list": (lambda told: told.update(roll=[]), "file"),
    "entries are numbers": (lambda told: told.update(entries=[1]), "file"),
    "the result is a number": (lambda told: told.update(result=1), "file"),
    "voters are a list": (lambda told: told["roll"].update(voters=[1]), "file"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_what_was_changed_is_named(published, what):
    key, data, _, _ = published
    told = parse_json(data)
    change, check = CHANGES[what]
    change(told)
    assert verify(canonical_json(told), key).verdict.failed[0] == check


def test_another_operator_s_word_is_not_believed(published):
    _, data, receipts, _ = published
    assert verify(data, KEY.public).verdict.failed == ("result",)
    assert verify(b"{}", KEY.public).verdict.failed == ("file",)
    assert verify(b"\xff", KEY.public, receipts["ada"]).verdict.failed == ("file",)


def test_a_history_that_was_rewritten_after_a_ballot_is_found(published, tmp_path):
    key, data, _, _ = published
    home = Home(tmp_path / "home")
    (home.path / "keys").mkdir(parents=True)
    votes, asked = assembled(home)
    receipt = votes.receipt(cast(votes, asked, ada="yes").taken[0])
    verdict = verify(data, key, canonical_json(receipt)).verdict
    assert verdict.failed == ("your ballot",)


def test_choices_are_not_published_before_they_are_counted(home):
    votes, asked = assembled(home)
    cast(votes, asked, ada="yes")
    with pytest.raises(ProposalInvalidError, match="stay secret"):
        publish(home, asked)


def test_a_vote_without_ballots_can_be_published(home):
    _, asked = assembled(home)
    tally(home, asked, AFTER, same=())
    recount = verify(publish(home, asked), home.operator.public)
    assert recount.verdict.sound, recount.verdict.words()


def test_what_is_no_receipt_is_refused():
    for wrong in (b"", b"[]", b"{}", canonical_json({"format": "x", "inclusion": {}, "opening": {}})):
        with pytest.raises(ProofInvalidError):
            read_receipt(wrong)


def test_a_commitment_binds_proposal_voter_choice_and_nonce():
    one = Opening("yes", "0" * 64)
    told = {one.commitment(p, v) for p in ("p", "q") for v in ("v", "w")}
    others = {Opening("no", "0" * 64).commitment("p", "v"), Opening("yes", "1" * 64).commitment("p", "v")}
    assert len(told | others) == 6
