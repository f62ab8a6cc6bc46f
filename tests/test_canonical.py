import multiprocessing
import os
import stat
import subprocess
import sys
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from recsys.canonical import (
    Pseudonym,
    Pseudonyms,
    atomic_path,
    canonical_json,
    parse_json,
    sweep,
    utc_text,
    write_atomically,
)
from recsys.errors import ConfigError

MOMENTS = st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=5),
    max_leaves=12,
)
ascii_names = st.text(st.characters(max_codepoint=127), max_size=5)
plain_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ascii_names, inner, max_size=5),
    max_leaves=12,
)


@given(json_values | plain_values)
def test_canonical_json_is_what_its_reference_writes(value):
    assert canonical_json(value) == rfc8785.dumps(value)


@pytest.mark.parametrize(
    "value", [2**53, -(2**53), [{"a": 2**60}], float("nan"), {"a": float("inf")}, "\ud800", {1: 2}]
)
def test_what_has_no_canonical_form_is_refused(value):
    with pytest.raises(ValueError):  # noqa: PT011 - the two writers say it in their own words
        canonical_json(value)


@given(plain_values | st.floats(-1e15, 1e15))
def test_json_is_read_as_it_was_written(value):
    assert canonical_json(parse_json(canonical_json(value))) == canonical_json(value)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"\xff",
        b'{"a":1,"a":1}',
        b"[NaN]",
        b"[-Infinity]",
        b"1e999",
        b'"\\ud800"',
        b"9007199254740993",
        b"[" * 100_000 + b"]" * 100_000,
    ],
)
def test_json_that_means_two_things_or_none_is_refused(data):
    with pytest.raises(ValueError):  # noqa: PT011 - several readers say it in their own words
        parse_json(data)


def test_canonical_json_sorts_names_by_their_utf_16_code_units():
    assert canonical_json({"\ufb33": 2, "\U0001f600": 1}) == '{"\U0001f600":1,"\ufb33":2}'.encode()  # RFC 8785, 3.2.3


def test_canonical_json_sorts_keys_and_leaves_letters_as_they_are():
    assert canonical_json({"b": 1, "a": "Björk"}) == '{"a":"Björk","b":1}'.encode()


@given(MOMENTS, MOMENTS)
def test_texts_of_instants_sort_as_the_instants_do(one, other):
    assert (one < other) == (utc_text(one) < utc_text(other))


@given(MOMENTS, st.integers(min_value=-14, max_value=14))
def test_an_instant_has_one_text_in_every_zone(moment, hours):
    assert utc_text(moment.astimezone(timezone(timedelta(hours=hours)))) == utc_text(moment)


def test_a_time_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="no time zone"):
        utc_text(datetime(2026, 1, 1))  # noqa: DTZ001


def test_a_failed_write_leaves_the_old_bytes_and_no_trace(tmp_path):
    path = tmp_path / "file"
    write_atomically(path, b"old")
    with suppress(RuntimeError), atomic_path(path) as partial:
        partial.write_bytes(b"new, but only ha")
        raise RuntimeError
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_pseudonym_depends_on_key_and_name_and_stays_what_it_is():
    one, other = Pseudonyms(b"a" * 32), Pseudonyms(b"b" * 32)
    assert one.of("ada") != other.of("ada") != one.of("bob")
    assert one.of(one.of("ada")) == one.of("ada")
    assert isinstance(one.of("ada"), Pseudonym)
    assert one.key_id not in {one.of("recsys member key"), other.key_id}


def test_one_person_has_one_pseudonym_however_the_name_is_composed():
    names = Pseudonyms(b"a" * 32)
    assert names.of("Zoe\u0308 Quill") == names.of(" Zo\u00eb Quill ")


@pytest.mark.parametrize("nobody", ["", "  "])
def test_nobody_has_no_pseudonym(nobody):
    with pytest.raises(ValueError, match="empty"):
        Pseudonyms(b"a" * 32).of(nobody)


def test_a_key_of_another_length_is_refused():
    with pytest.raises(ConfigError, match="32 bytes; this one has 5"):
        Pseudonyms(b"short")


def test_a_key_is_made_once_and_for_its_owner_alone(tmp_path):
    path = tmp_path / "keys" / "member.key"
    made = Pseudonyms.at(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert Pseudonyms.at(path).key_id == made.key_id
    assert list(path.parent.iterdir()) == [path]


def key_id(path):
    return Pseudonyms.at(path).key_id


def test_processes_that_make_a_key_at_once_get_the_same(tmp_path):
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        found = pool.map(key_id, [tmp_path / "member.key"] * 8)
    assert len(set(found)) == 1


def test_what_killed_processes_left_is_swept_and_what_is_being_written_stays(tmp_path):
    killed = subprocess.Popen([sys.executable, "-c", ""])
    killed.wait()
    gone, alive = f".a.{killed.pid}-0123abcd.partial", f".b.{os.getpid()}-0123abcd.partial"
    kept = {alive, "a", f".a.{killed.pid}-xyz.partial", f"a.{killed.pid}-0123abcd.partial", ".a.partial"}
    for folder in (tmp_path, tmp_path / "deep" / "er"):
        folder.mkdir(parents=True, exist_ok=True)
        for name in {gone, *kept}:
            (folder / name).write_bytes(b"")
    (tmp_path / f".folder.{killed.pid}-0123abcd.partial").mkdir()
    (tmp_path / f".folder.{killed.pid}-0123abcd.partial" / "x").write_bytes(b"")
    assert {path.name for path in sweep(tmp_path)} == {gone, f".folder.{killed.pid}-0123abcd.partial"}
    for folder in (tmp_path, tmp_path / "deep" / "er"):
        assert {path.name for path in folder.iterdir() if path.name != "deep"} == kept
    assert sweep(tmp_path) == []
    assert sweep(tmp_path / "absent") == []


def test_a_process_that_ended_and_was_not_asked_after_keeps_nothing(tmp_path):
    ended = subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE)
    ended.stdout.read()
    os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)
    left = tmp_path / f".a.{ended.pid}-0123abcd.partial"
    left.write_bytes(b"")
    assert sweep(tmp_path) == [left]
    ended.communicate()


def test_a_process_that_has_the_number_of_a_killed_one_keeps_nothing(tmp_path):
    left = tmp_path / f".a.{os.getpid()}-0123abcd.partial"
    left.write_bytes(b"")
    os.utime(left, (1_000_000_000, 1_000_000_000))  # long before this process began
    assert sweep(tmp_path) == [left]
