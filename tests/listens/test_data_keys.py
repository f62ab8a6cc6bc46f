"""A member's data key: made once, known to one folder, and gone when it is destroyed."""

from __future__ import annotations

import multiprocessing
import os

import pytest

from recsys.canonical import Pseudonyms
from recsys.errors import ConfigError, MemberErasedError
from recsys.listens import DataKeys, Tombstone

ANNA, BO = (Pseudonyms(b"k" * 32).of(name) for name in ("anna", "bo"))
STONE = Tombstone("2026-02-03T04:05:06.000000Z", 7)
NONCE = bytes(12)


@pytest.fixture
def keys(tmp_path):
    return DataKeys(tmp_path / "keys" / "data")


def sealed(keys, member):
    return keys.make(member).encrypt(NONCE, b"plain", None)


def test_asking_makes_nothing(keys):
    assert keys.tombstone(ANNA) is None
    assert keys.tombstones() == {}
    with pytest.raises(ConfigError, match="put the key back"):
        keys.of(ANNA)
    assert not keys.folder.exists()


def test_a_key_is_made_once_for_each_member_and_its_owner_alone_may_read_it(keys):
    assert sealed(keys, ANNA) == sealed(DataKeys(keys.folder), ANNA)
    assert sealed(keys, ANNA) != sealed(keys, BO)
    assert keys.of(ANNA).decrypt(NONCE, sealed(keys, ANNA), None) == b"plain"
    assert [(keys.folder / f"{ANNA}.key").stat().st_mode & 0o777, keys.folder.stat().st_mode & 0o777] == [0o600, 0o700]


@pytest.mark.parametrize("key", [b"", b"k" * 31, b"k" * 33])
def test_a_key_of_another_length_is_refused(keys, key):
    sealed(keys, ANNA)
    (keys.folder / f"{ANNA}.key").write_bytes(key)
    with pytest.raises(ConfigError, match="expected 32"):
        keys.of(ANNA)


def write_down(folder, out):
    (out / str(os.getpid())).write_bytes(sealed(DataKeys(folder), ANNA))


def test_processes_that_ask_at_once_get_the_same_key(keys, tmp_path):
    (tmp_path / "out").mkdir()
    context = multiprocessing.get_context("fork")
    asking = [context.Process(target=write_down, args=(keys.folder, tmp_path / "out")) for _ in range(8)]
    for process in asking:
        process.start()
    for process in asking:
        process.join()
    told = [path.read_bytes() for path in (tmp_path / "out").iterdir()]
    assert len(told) == 8
    assert len(set(told)) == 1


def test_a_destroyed_key_is_nowhere_and_is_not_made_anew(keys):
    sealed(keys, ANNA)
    path = keys.folder / f"{ANNA}.key"
    key = path.read_bytes()
    again = keys.folder / f".{ANNA}.key.7-abcd.partial"  # a process that was killed while it made the key
    os.link(path, again)
    witness = path.open("rb")  # whoever holds the file sees its bytes overwritten
    assert keys.destroy(ANNA, STONE) == [again, path]
    assert witness.read() not in {key, b""}
    witness.close()
    assert [path.name for path in keys.folder.iterdir() if path.name != ".lock"] == [f"{ANNA}.destroyed"]
    for ask in (keys.of, keys.make, keys.refuse_erased):
        with pytest.raises(MemberErasedError, match="consent grant"):
            ask(ANNA)
    assert not path.exists()
    assert keys.tombstones() == {ANNA: STONE}


def test_a_key_that_comes_back_from_a_backup_is_refused(keys):
    sealed(keys, ANNA)
    path = keys.folder / f"{ANNA}.key"
    key = path.read_bytes()
    keys.destroy(ANNA, STONE)
    path.write_bytes(key)
    for ask in (keys.of, keys.make):
        with pytest.raises(MemberErasedError):
            ask(ANNA)
    assert keys.destroy(ANNA, STONE) == [path]


def test_who_comes_back_gets_another_key(keys):
    before = sealed(keys, ANNA)
    keys.destroy(ANNA, STONE)
    keys.lift(ANNA)
    keys.lift(ANNA)
    assert sealed(keys, ANNA) != before
    assert keys.tombstones() == {}


def test_a_tombstone_that_cannot_be_read_still_closes_the_door(keys):
    keys.destroy(ANNA, STONE)
    (keys.folder / f"{ANNA}.destroyed").write_bytes(b"{}")
    with pytest.raises(ConfigError, match="no tombstone"):
        keys.make(ANNA)
