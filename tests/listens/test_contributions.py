"""What is stored: whole, once, under a pseudonym."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from listens.made import ACCOUNT_2025, EXTENDED_2025, account_row, column, extended_row, make_zip

from recsys.canonical import Pseudonym, Pseudonyms
from recsys.errors import ConfigError, MemberErasedError
from recsys.listens import Contributions, Tombstone, read_export

PSEUDONYMS = Pseudonyms(b"k" * 32)
ANNA, BO = PSEUDONYMS.of("Anna Ö."), PSEUDONYMS.of("bo")
FIRST, SECOND = "1" * 64, "2" * 64
STONE = Tombstone("2026-02-03T04:05:06.000000Z", 7)


@pytest.fixture
def store(tmp_path):
    return Contributions(tmp_path / "contributions")


def handed_in(tmp_path, rows, name=EXTENDED_2025, member=ANNA):
    return read_export(make_zip(tmp_path / "a.zip", {name: rows}), member=member)


def test_nothing_is_made_before_something_is_added(store):
    assert store.members == ()
    assert not store.has(ANNA, FIRST)
    assert not store.folder.exists()


def test_what_was_added_is_read_back(store, tmp_path):
    listens = handed_in(tmp_path, [extended_row(), extended_row(incognito_mode=True)])
    path = store.add(listens, FIRST)
    assert path == store.folder / ANNA / f"{FIRST}.listens"
    assert (store.has(ANNA, FIRST), store.has(ANNA, SECOND), store.has(BO, FIRST)) == (True, False, False)
    back = store.read(ANNA)
    assert (back.member, back.report) == (ANNA, listens.report)
    assert isinstance(back.member, Pseudonym)
    assert back.table.equals(listens.table)
    assert back.table.schema.equals(listens.table.schema, check_metadata=True)
    assert store.report(ANNA, FIRST) == listens.report


def test_members_are_sorted_and_each_is_there_once(store, tmp_path):
    for member, digest in ((ANNA, FIRST), (BO, FIRST), (ANNA, SECOND)):
        store.add(handed_in(tmp_path, [extended_row()], member=member), digest)
    assert store.members == tuple(sorted([ANNA, BO]))


def test_overlapping_exports_of_one_member_count_once(store, tmp_path):
    store.add(handed_in(tmp_path, [extended_row(), extended_row(ms_played=5)]), FIRST)
    store.add(handed_in(tmp_path, [account_row(), account_row(msPlayed=7)], ACCOUNT_2025), SECOND)
    store.add(handed_in(tmp_path, [extended_row()]), "3" * 64)
    merged = store.read(ANNA)
    assert sorted(column(merged, "ms_played")) == [5, 7, 200_000]
    assert merged.report.left_out == {"in-extended": 1, "repeated": 1}
    assert (merged.report.rows_read, merged.report.rows_used, merged.report.files_read) == (5, 3, 3)


def test_an_export_without_music_is_a_contribution(store, tmp_path):
    store.add(handed_in(tmp_path, []), FIRST)
    assert store.members == (ANNA,)
    assert store.read(ANNA).table.num_rows == 0


def test_a_name_is_refused_where_a_pseudonym_belongs(store, tmp_path):
    with pytest.raises(TypeError, match="under pseudonyms"):
        store.add(handed_in(tmp_path, [], member="anna"), FIRST)
    assert store.members == ()


@pytest.mark.parametrize("digest", ["", "..", "x" * 64, "1" * 63, f"../{FIRST}"])
def test_a_digest_that_is_none_is_refused(store, digest):
    with pytest.raises(ValueError, match="64 lower-case hex digits"):
        store.has(ANNA, digest)


@pytest.mark.parametrize("member", ["anna", "..", BO])
def test_a_member_who_is_not_there_is_a_key_error(store, member):
    with pytest.raises(KeyError):
        store.read(member)


def test_what_a_killed_process_left_is_not_a_contribution(store):
    (store.folder / ANNA).mkdir(parents=True)
    (store.folder / ANNA / f".{FIRST}.listens.7-abcd.partial").write_bytes(b"PAR1")
    (store.folder / "notes.txt").write_bytes(b"")
    assert store.members == ()
    with pytest.raises(KeyError):
        store.read(ANNA)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_damaged_file_is_always_named(store, tmp_path, data):
    path = store.add(handed_in(tmp_path, [extended_row()]), FIRST)
    content = bytearray(path.read_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(content[:place] if data.draw(st.booleans()) else content)
    for read in (lambda: store.read(ANNA), lambda: store.report(ANNA, FIRST)):
        with pytest.raises(ConfigError, match=re.escape(str(path))):
            read()


def test_a_file_of_another_member_or_export_is_refused(store, tmp_path):
    hers = store.add(handed_in(tmp_path, [extended_row()]), FIRST)
    his = store.add(handed_in(tmp_path, [extended_row()], member=BO), FIRST)
    other = store.add(handed_in(tmp_path, [extended_row(ms_played=7)]), SECOND)
    whole = his.read_bytes()
    for stranger in (hers, other):
        his.write_bytes(stranger.read_bytes())
        with pytest.raises(ConfigError, match="does not fit its member"):
            store.read(BO)
    his.write_bytes(whole)
    hers.write_bytes(other.read_bytes())
    with pytest.raises(ConfigError, match="does not fit its member"):
        store.read(ANNA)
    assert store.read(BO).table.num_rows == 1


def test_a_member_under_the_name_of_another_is_refused_even_with_the_key(store, tmp_path):
    store.add(handed_in(tmp_path, [extended_row()]), FIRST)
    (store.folder / ANNA).rename(store.folder / BO)
    (store.keys.folder / f"{ANNA}.key").rename(store.keys.folder / f"{BO}.key")
    with pytest.raises(ConfigError, match="does not fit its member"):
        store.read(BO)


def test_a_file_from_before_encryption_is_not_passed_over(store):
    (store.folder / ANNA).mkdir(parents=True)
    (store.folder / ANNA / f"{FIRST}.parquet").write_bytes(b"PAR1")
    with pytest.raises(ConfigError, match="before contributions were encrypted"):
        store.members  # noqa: B018


def test_what_is_erased_cannot_be_read_from_any_copy(store, tmp_path):
    """The backup holds every contribution and every key file but the one that was destroyed."""
    for member in (ANNA, BO):
        store.add(handed_in(tmp_path, [extended_row()], member=member), FIRST)
    shutil.copytree(store.folder, tmp_path / "backup")
    removed = store.erase(ANNA, STONE)
    assert removed == [store.keys.folder / f"{ANNA}.key", store.folder / ANNA / f"{FIRST}.listens"]
    assert store.members == (BO,)
    assert not store.has(ANNA, FIRST)
    shutil.rmtree(store.folder)
    shutil.copytree(tmp_path / "backup", store.folder)
    assert store.members == (BO,)
    for read in (lambda: store.read(ANNA), lambda: store.report(ANNA, FIRST)):
        with pytest.raises(MemberErasedError, match="erased at 2026"):
            read()
    store.keys.lift(ANNA)
    with pytest.raises(ConfigError, match=r"cannot be read without it; put the key back"):
        store.read(ANNA)
    assert store.read(BO).table.num_rows == 1


def test_nothing_of_an_erased_member_is_taken_in_until_they_come_back(store, tmp_path):
    listens = handed_in(tmp_path, [extended_row()])
    store.add(listens, FIRST)
    store.erase(ANNA, STONE)
    with pytest.raises(MemberErasedError, match="consent grant"):
        store.add(listens, FIRST)
    assert not (store.folder / ANNA).exists()
    (store.folder / ANNA).mkdir()
    (store.folder / ANNA / f"{SECOND}.listens").write_bytes(b"by one who was at work meanwhile, under the old key")
    store.reopen(ANNA)
    store.add(listens, FIRST)
    assert store.read(ANNA).table.equals(listens.table)


def test_erasing_again_finishes_what_was_begun_and_keeps_the_first_date(store, tmp_path):
    store.add(handed_in(tmp_path, [extended_row()]), FIRST)
    assert len(store.erase(ANNA, STONE)) == 2
    assert store.erase(ANNA, replace(STONE, at="2030")) == []
    assert store.keys.tombstone(ANNA) == STONE
    assert store.erase(BO, STONE) == []
    assert store.members == ()
