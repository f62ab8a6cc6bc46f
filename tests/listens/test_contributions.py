"""What is stored: whole, once, under a pseudonym."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from listens.made import ACCOUNT_2025, EXTENDED_2025, account_row, column, extended_row, make_zip

from recsys.canonical import Pseudonym, Pseudonyms
from recsys.errors import ConfigError
from recsys.listens import Contributions, read_export

PSEUDONYMS = Pseudonyms(b"k" * 32)
ANNA, BO = PSEUDONYMS.of("Anna Ö."), PSEUDONYMS.of("bo")
FIRST, SECOND = "1" * 64, "2" * 64


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
    assert path == store.folder / ANNA / f"{FIRST}.parquet"
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
    (store.folder / ANNA / f".{FIRST}.parquet.7-abcd.partial").write_bytes(b"PAR1")
    (store.folder / "notes.txt").write_bytes(b"")
    assert store.members == ()
    with pytest.raises(KeyError):
        store.read(ANNA)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_damaged_file_is_named_or_reads_as_a_table(store, tmp_path, data):
    path = store.add(handed_in(tmp_path, [extended_row()]), FIRST)
    content = bytearray(path.read_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    cut = data.draw(st.booleans())
    content[place] ^= 0xFF
    path.write_bytes(content[:place] if cut else content)
    try:
        assert store.read(ANNA).table.num_rows <= 1
        assert store.report(ANNA, FIRST).files_read >= 0
    except ConfigError as fault:
        assert str(path) in str(fault)  # noqa: PT017 - both ends are allowed
