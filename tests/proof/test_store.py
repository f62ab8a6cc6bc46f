"""Sketches and awards: made once, kept under the member's own key, gone with the member."""

from datetime import UTC, datetime

import numpy as np
import pytest
from proof.plays import listens, person

from recsys.canonical import Pseudonyms
from recsys.errors import ConfigError
from recsys.listens import Contributions, Tombstone
from recsys.proof import SCORERS, Award, ProofStore, award, prove_members

AT = datetime(2026, 1, 15, 12, tzinfo=UTC)
NAMES = Pseudonyms(b"k" * 32)
MEASURED = SCORERS["measured"]


@pytest.fixture
def store(tmp_path):
    return ProofStore(tmp_path / "proof", Contributions(tmp_path / "contributions"))


def hand_in(store, name, rows, digest="a" * 64):
    member = NAMES.of(name)
    store.contributions.add(listens(rows, member), digest)
    return member


def test_members_come_in_the_order_in_which_they_were_first_seen(store):
    later_letters = [hand_in(store, name, person(seed)) for seed, name in enumerate(["zoe", "yan"])]
    first = store.refresh(workers=1)
    assert {one.member for one in first} == set(later_letters)
    ada = hand_in(store, "ada", person(5))
    hand_in(store, "zoe", person(6), digest="b" * 64)
    again = store.refresh(workers=1)
    assert [one.member for one in again] == [*(one.member for one in first), ada]
    assert [one.arrival for one in again] == [0, 1, 2]


def test_only_what_is_new_is_sketched(store):
    for seed in range(3):
        hand_in(store, f"m{seed}", person(seed))
    seen = []
    store.refresh(progress=lambda *at: seen.append(at), workers=1)
    assert seen == [(1, 3), (2, 3), (3, 3)]
    seen.clear()
    before = store.refresh(progress=lambda *at: seen.append(at), workers=1)
    assert seen == []
    member = hand_in(store, "m1", person(9), digest="b" * 64)
    after = store.refresh(progress=lambda *at: seen.append(at), workers=1)
    assert seen == [(1, 1)]
    changed = [
        one.member for one, other in zip(before, after, strict=True) if not np.array_equal(*signatures(one, other))
    ]
    assert changed == [member]


def signatures(one, other):
    return one.sketch.signatures, other.sketch.signatures


def test_a_run_that_was_killed_goes_on_where_it_stopped(store):
    for seed in range(4):
        hand_in(store, f"m{seed}", person(seed))

    def die(done, _total):
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.refresh(progress=die, workers=1)
    seen = []
    assert len(store.refresh(progress=lambda *at: seen.append(at), workers=1)) == 4
    assert seen == [(1, 2), (2, 2)]


def test_what_is_kept_is_noise_without_the_members_key(store):
    member = hand_in(store, "ada", person(1))
    (one,) = store.refresh(workers=1)
    store.award(member, Award(1, "t", "measured"))
    kept = [path.read_bytes() for path in store.folder.iterdir()]
    assert len(kept) == 2
    assert not any(
        part in data for data in kept for part in (b"PK\x03\x04", b"arrival", b"measured", one.sketch.to_bytes()[:64])
    )
    other = hand_in(store, "bob", person(2))
    store.refresh(workers=1)
    (store.folder / f"{other}.sketch").write_bytes((store.folder / f"{member}.sketch").read_bytes())
    with pytest.raises(ConfigError, match="does not fit its member"):
        store.refresh(workers=1)


def test_who_was_erased_is_forgotten(store):
    gone, stays = hand_in(store, "ada", person(1)), hand_in(store, "bob", person(2))
    store.refresh(workers=1)
    store.award(gone, Award(5, "t", "measured"))
    store.contributions.erase(gone, Tombstone("2026-01-01T00:00:00Z", 0))
    assert [one.member for one in store.refresh(workers=1)] == [stays]
    assert not list(store.folder.glob(f"*{gone}*"))
    assert store.forget(stays)
    assert not store.forget(stays)


def test_a_damaged_sketch_says_what_to_do(store):
    member = hand_in(store, "ada", person(1))
    store.refresh(workers=1)
    path = store.folder / f"{member}.sketch"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ConfigError, match="may be deleted: it is made anew"):
        store.refresh(workers=1)
    path.unlink()
    assert len(store.refresh(workers=1)) == 1


def test_a_second_account_is_found_whoever_is_asked_for(store):
    hand_in(store, "ada", person(1))
    hand_in(store, "cyd", person(3))
    store.refresh(workers=1)
    copy = hand_in(store, "bob", person(1))
    proofs = dict(prove_members(store, at=AT, scorer=MEASURED, workers=1))
    assert {member for member, proof in proofs.items() if not proof.valid} == {copy}
    alone = dict(prove_members(store, at=AT, scorer=MEASURED, only={copy}, workers=1))
    assert alone == {copy: proofs[copy]}
    assert proofs[copy].attributes["uniqueness"]["compared_with"] == 2
    assert proofs[copy].doubts() == ["partial"]


def test_what_was_awarded_is_not_awarded_again(store):
    member = hand_in(store, "ada", person(1, plays=200))
    hand_in(store, "cyd", person(3))

    def proof():
        return dict(prove_members(store, at=AT, scorer=MEASURED, only={member}, workers=1))[member]

    first = proof()
    assert first.points > 0
    award(store, member, first)
    assert proof().points == 0
    hand_in(store, "ada", person(8), digest="b" * 64)
    more = proof()
    assert more.points == more.attributes["total_points"] - first.points > 0
    award(store, member, more)
    award(store, member, proof())  # worth nothing: not recorded
    assert [one.points for one in store.awards(member)] == [first.points, more.points]


def test_looking_creates_nothing(store):
    assert store.refresh(workers=1) == []
    assert not store.folder.exists()


def test_a_signature_is_shown_where_one_was_verified(store):
    member = hand_in(store, "ada", person(1))
    ((_, proof),) = prove_members(store, at=AT, scorer=MEASURED, signed_by=lambda who: f"key of {who[:4]}", workers=1)
    assert proof.attributes["ownership"]["signed_by"] == f"key of {member[:4]}"
