"""Joining, leaving, and accounts that are one listener's."""

import shutil

import pytest
from assembly import DAY, FOUNDED, KEY
from hypothesis import given
from hypothesis import strategies as st

from recsys.canonical import Pseudonym, canonical_json, utc_text
from recsys.collective import Book, Draft, Members, same_listeners
from recsys.collective.members import PAYLOAD_TYPE
from recsys.collective.same import doubles, grouped
from recsys.consent import Standing
from recsys.errors import LogBrokenError, MembershipError
from recsys.listens import ingest
from recsys.proof import Likeness
from recsys.synthetic import make_collective
from recsys.transparency import SigningKey, sign

PURPOSE = "train-recommender"
OWN = SigningKey(b"o" * 32)


def test_who_joined_belongs_until_they_leave_and_may_come_back(stored_home):
    members = Members(stored_home)
    joined = members.join("ada", at=FOUNDED)
    assert members.of("ada") == joined
    assert members.of("bob") is None
    assert not joined.standing(FOUNDED - DAY)
    assert joined.standing(FOUNDED)
    members.leave("ada", at=FOUNDED + 2 * DAY)
    left = members.of("ada")
    assert [left.standing(FOUNDED + days * DAY) for days in (1, 2, 3)] == [True, False, False]
    again = members.join("ada", at=FOUNDED + 4 * DAY)
    assert again.key == joined.key
    assert members.roster() == {again.pseudonym: again}
    assert not again.throughout(FOUNDED, FOUNDED + 5 * DAY)


def test_nobody_joins_twice_or_leaves_twice(home):
    members = Members(home)
    members.join_many(["ada", "bob"], at=FOUNDED)
    with pytest.raises(MembershipError, match="already"):
        members.join_many(["cyd", "ada"], at=FOUNDED)
    assert len(members.roster()) == 2
    members.leave("ada", at=FOUNDED)
    for name in ("ada", "zed"):
        with pytest.raises(MembershipError, match="no member"):
            members.leave(name, at=FOUNDED)


def test_leaving_withdraws_every_consent_and_erases_what_was_handed_in(tmp_path, home):
    make_collective(tmp_path / "world", members=3, seed=0, workers=1)
    exports = sorted((tmp_path / "world" / "exports").iterdir())
    ingest(exports[0].parent, home.contributions, home.pseudonyms, workers=1)
    name = exports[0].stem
    members, pseudonym = Members(home), home.pseudonyms.of(name)
    members.join(name, at=FOUNDED)
    home.ledger.grant(name, PURPOSE, at=FOUNDED)
    home.ledger.grant(name, "research", at=FOUNDED)
    assert pseudonym in home.contributions.members
    left = members.leave(name, at=FOUNDED + DAY)
    assert left.erased.removed
    assert pseudonym not in home.contributions.members
    for purpose in (PURPOSE, "research"):
        assert home.ledger.standings(purpose, FOUNDED + 2 * DAY)[pseudonym] is Standing.WITHDRAWN


def test_a_leave_that_was_interrupted_is_finished_by_leaving_again(home, monkeypatch):
    members = Members(home)
    members.join("ada", at=FOUNDED)
    home.ledger.grant("ada", PURPOSE, at=FOUNDED)

    def fail(*_arguments, **_options):
        raise OSError("power")

    with monkeypatch.context() as broken:
        broken.setattr("recsys.collective.members.erase", fail)
        with pytest.raises(OSError, match="power"):
            members.leave("ada", at=FOUNDED + DAY)
    assert not members.of("ada").left
    members.leave("ada", at=FOUNDED + 2 * DAY)
    assert members.of("ada").left == utc_text(FOUNDED + 2 * DAY)


def test_a_key_of_ones_own_signs_joining_and_leaving(home):
    members = Members(home)
    assert members.join("ada", at=FOUNDED, key=OWN).key == OWN.public
    assert members.key_of(home.pseudonyms.of("ada")) is None
    assert Book.of(home, "members").about(home.pseudonyms.of("ada"))[0].envelope.by([OWN.public]).signatures
    members.leave("ada", at=FOUNDED + DAY, key=OWN)
    members.join("bob", at=FOUNDED, key=OWN.public)
    entry = Book.of(home, "members").about(home.pseudonyms.of("bob"))[0]
    assert entry.envelope.by([home.operator.public]).signatures
    assert members.leave("bob", at=FOUNDED + DAY).member.left


def test_the_key_is_the_one_that_agreed(home):
    home.ledger.grant("ada", PURPOSE, at=FOUNDED)
    with pytest.raises(MembershipError, match="join with that"):
        Members(home).join("ada", at=FOUNDED, key=OWN)
    assert Members(home).join("ada", at=FOUNDED).key == home.ledger.kept_key("ada")


@pytest.mark.parametrize(
    "wrong",
    [
        {"member": "0" * 64},
        {"kind": "leave"},
        {"kind": "visit"},
        {"key": "00" * 32},
        {"key": "zz"},
    ],
)
def test_what_is_no_membership_is_not_believed(home, wrong):
    member = home.pseudonyms.of("ada")
    told = {"kind": "join", "member": str(member), "key": KEY.public.raw.hex(), "at": utc_text(FOUNDED), **wrong}
    draft = Draft(member, sign(PAYLOAD_TYPE, canonical_json(told), KEY))
    Book.of(home, "members").append(lambda _shown: [draft], at=FOUNDED)
    with pytest.raises(LogBrokenError):
        Members(home).of("ada")
    with pytest.raises(LogBrokenError):
        Members(home).roster()


def test_a_second_joining_does_not_follow_from_the_first(home):
    member = home.pseudonyms.of("ada")
    for kind in ("join", "join"):
        told = {"kind": kind, "member": str(member), "key": KEY.public.raw.hex(), "at": utc_text(FOUNDED)}
        draft = Draft(member, sign(PAYLOAD_TYPE, canonical_json(told), KEY))
        Book.of(home, "members").append(lambda _shown, one=draft: [one], at=FOUNDED)
    with pytest.raises(LogBrokenError, match="does not follow"):
        Members(home).of("ada")


def test_one_history_under_two_names_is_one_listener(tmp_path, home):
    make_collective(tmp_path / "world", members=8, seed=3, workers=1)
    exports = sorted((tmp_path / "world" / "exports").iterdir())
    for export in exports:
        ingest(export, home.contributions, home.pseudonyms, workers=1)
    largest = max(exports, key=lambda path: path.stat().st_size)
    assert same_listeners(home.proofs, workers=1) == ()
    shutil.copy(largest, tmp_path / "somebody_else.zip")
    ingest(tmp_path / "somebody_else.zip", home.contributions, home.pseudonyms, workers=1)
    group = (home.pseudonyms.of(largest.stem), home.pseudonyms.of("somebody_else"))
    assert same_listeners(home.proofs, workers=1) == (group,)


NAMES = [Pseudonym(f"{number:064x}") for number in range(7)]


@given(st.sets(st.tuples(st.integers(0, 6), st.integers(0, 6))), st.sets(st.sampled_from(NAMES)))
def test_groups_are_what_is_connected_and_their_first_voter_votes(pairs, voters):
    pairs = {(min(pair), max(pair)) for pair in pairs if pair[0] != pair[1]}
    near = {}
    for one, other in pairs:
        near.setdefault(NAMES[other], []).append(Likeness(NAMES[one], "view", 1.0, 0.8, earlier=True))
        near.setdefault(NAMES[one], []).append(Likeness(NAMES[other], "view", 1.0, 0.8, earlier=False))
    label = list(range(7))
    for _ in range(7):
        for one, other in pairs:
            label[one] = label[other] = min(label[one], label[other])
    expected = {tuple(n for n, own in zip(NAMES, label, strict=True) if own == kind) for kind in set(label)}
    groups = grouped(NAMES, near)
    assert set(groups) == {group for group in expected if len(group) > 1}
    told = doubles(groups, voters)
    for group in expected:
        voting = [member for member in group if member in voters]
        assert [member for member in voting if member not in told] == voting[:1]


def test_only_more_than_half_alike_is_one_listener():
    alike = {NAMES[1]: [Likeness(NAMES[0], "view", 1.0, 0.5, earlier=True)]}
    assert grouped(NAMES[:2], alike) == ()
    more = {NAMES[1]: [Likeness(NAMES[0], "view", 1.0, 0.51, earlier=True)]}
    assert grouped(NAMES[:2], more) == ((NAMES[0], NAMES[1]),)
