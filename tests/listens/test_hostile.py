"""Exports that are damaged or made to harm: each is refused by a sentence that names the file and the entry."""

from __future__ import annotations

import os
import stat
import struct
import tracemalloc
import zipfile

import pytest
from listens.made import ACCOUNT_2025, EXTENDED_2025, account_row, as_bytes, extended_row, make_folder, make_zip

from recsys.errors import UnreadableExportError
from recsys.listens import bounds, read_export, reading

MB = 1 << 20
HISTORY = "MyData/StreamingHistory0.json"


def refusal(path):
    with pytest.raises(UnreadableExportError) as caught:
        read_export(path)
    assert caught.value.path == path
    assert str(caught.value).startswith(path.name)
    return caught.value


def with_entry_field(path, offset, packed):
    """Overwrite a field of the last record in a zip's directory; `offset` counts from the record's start."""
    raw = bytearray(path.read_bytes())
    record = raw.rindex(b"PK\x01\x02")
    raw[record + offset : record + offset + len(packed)] = packed
    path.write_bytes(raw)
    return path


def test_a_missing_file_is_named(tmp_path):
    assert "no such file" in refusal(tmp_path / "anna.zip").reason


def test_a_pipe_is_not_read(tmp_path):
    os.mkfifo(tmp_path / "anna.zip")
    assert "neither a file nor a folder" in refusal(tmp_path / "anna.zip").reason


@pytest.mark.parametrize("content", [b"", b"<!doctype html>", b"PK", b"PK\x03\x04" + b"\x00" * 99])
def test_what_is_no_zip_is_refused(tmp_path, content):
    (tmp_path / "anna.zip").write_bytes(content)
    assert "not a zip" in refusal(tmp_path / "anna.zip").reason


def test_an_empty_zip_is_refused(tmp_path):
    assert "empty zip" in refusal(make_zip(tmp_path / "anna.zip", {})).reason


def test_a_zip_cut_anywhere_is_refused(tmp_path):
    whole = make_zip(tmp_path / "whole.zip", {HISTORY: [account_row()] * 9}).read_bytes()
    for length in range(len(whole)):
        (tmp_path / "anna.zip").write_bytes(whole[:length])
        assert "zip" in refusal(tmp_path / "anna.zip").reason


def test_a_changed_byte_in_the_history_is_noticed(tmp_path):
    path = make_zip(tmp_path / "anna.zip", {HISTORY: [account_row(msPlayed=number) for number in range(99)]})
    raw = bytearray(path.read_bytes())
    raw[120] ^= 0xFF
    path.write_bytes(raw)
    assert refusal(path).entry == HISTORY


def test_an_encrypted_zip_is_refused(tmp_path):
    path = with_entry_field(make_zip(tmp_path / "anna.zip", {HISTORY: []}), 8, struct.pack("<H", 1))
    fault = refusal(path)
    assert (fault.entry, "without a password" in fault.reason) == (HISTORY, True)


def test_a_rare_packing_method_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "anna.zip", "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr(HISTORY, b"[]")
    assert "rare method (14)" in refusal(tmp_path / "anna.zip").reason


@pytest.mark.parametrize(
    "name",
    ["../StreamingHistory0.json", "a/../../StreamingHistory0.json", "/etc/StreamingHistory0.json", "..", "C:\\x.json"],
)
def test_an_entry_that_points_out_of_the_zip_is_refused(tmp_path, name):
    fault = refusal(make_zip(tmp_path / "anna.zip", {HISTORY: [], name: []}))
    assert (fault.entry, "points out of the zip" in fault.reason) == (name, True)
    assert [path.name for path in tmp_path.iterdir()] == ["anna.zip"]


def test_an_entry_without_a_name_is_passed_over(tmp_path):
    with zipfile.ZipFile(tmp_path / "anna.zip", "w") as archive:
        archive.writestr(HISTORY, "[]")
        info = zipfile.ZipInfo("x")
        info.filename = ""
        archive.writestr(info, "")
    assert read_export(tmp_path / "anna.zip").report.files_read == 1


def test_a_link_in_a_zip_is_refused(tmp_path):
    info = zipfile.ZipInfo(HISTORY)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "anna.zip", "w") as archive:
        archive.writestr(info, "/etc/passwd")
    assert "a link" in refusal(tmp_path / "anna.zip").reason


@pytest.mark.parametrize("what", ["link", "pipe"])
def test_a_link_or_a_pipe_in_a_folder_is_refused(tmp_path, what):
    folder = make_folder(tmp_path / "anna", {"MyData/Userdata.json": {}})
    path = folder / HISTORY
    os.mkfifo(path) if what == "pipe" else path.symlink_to("Userdata.json")
    fault = refusal(folder)
    assert (fault.entry, "a link or a device" in fault.reason) == (HISTORY, True)


def test_a_pipe_that_is_no_history_is_never_opened(tmp_path):
    folder = make_folder(tmp_path / "anna", {HISTORY: [account_row()]})
    os.mkfifo(folder / "MyData/Userdata.json")
    assert read_export(folder).table.num_rows == 1


def test_a_bomb_by_ratio_is_refused_before_it_is_inflated(tmp_path):
    path = make_zip(tmp_path / "anna.zip", {HISTORY: b"[" + b" " * 20 * MB + b"]"})
    tracemalloc.start()
    fault = refusal(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (fault.entry, "zip bomb" in fault.reason) == (HISTORY, True)
    assert peak < 5 * MB


def test_a_bomb_that_lies_about_its_size_is_not_inflated_beyond_it(tmp_path):
    path = make_zip(tmp_path / "anna.zip", {HISTORY: b"[" + b" " * 20 * MB + b"]"})
    with_entry_field(path, 24, struct.pack("<I", 99))
    tracemalloc.start()
    fault = refusal(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (fault.entry, "damaged zip" in fault.reason) == (HISTORY, True)
    assert peak < 5 * MB


def test_a_history_beyond_all_measure_is_refused(tmp_path):
    path = with_entry_field(make_zip(tmp_path / "anna.zip", {HISTORY: []}), 24, struct.pack("<I", 65 * MB))
    assert "larger than 64 MB" in refusal(path).reason


def test_a_file_beyond_all_measure_is_refused(tmp_path):
    path = make_folder(tmp_path / "anna", {HISTORY: b""}) / HISTORY
    os.truncate(path, 65 * MB)
    assert "larger than 64 MB" in refusal(tmp_path / "anna").reason
    assert "larger than 64 MB" in refusal(path).reason


@pytest.mark.parametrize("kind", ["zip", "folder"])
def test_too_much_in_all_is_refused(tmp_path, monkeypatch, kind):
    monkeypatch.setattr(bounds, "MAX_BYTES", 400)
    files = {f"MyData/StreamingHistory{number}.json": [account_row()] for number in range(9)}
    path = make_zip(tmp_path / "anna", files) if kind == "zip" else make_folder(tmp_path / "anna", files)
    assert "of history in one export" in refusal(path).reason


def test_too_many_plays_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "MAX_TABLE_BYTES", 500)
    assert (
        "nobody listens that much" in refusal(make_zip(tmp_path / "anna.zip", {HISTORY: [account_row()] * 10})).reason
    )


@pytest.mark.parametrize("kind", ["zip", "folder"])
def test_too_many_files_are_refused(tmp_path, monkeypatch, kind):
    monkeypatch.setattr(bounds, "MAX_FILES", 9)
    files = {f"{number}.txt": b"" for number in range(10)}
    path = make_zip(tmp_path / "anna", files) if kind == "zip" else make_folder(tmp_path / "anna", files)
    assert "files" in refusal(path).reason


def test_a_directory_that_would_fill_the_memory_is_not_read(tmp_path):
    path = make_zip(tmp_path / "anna.zip", {f"{number:02}" + "x" * 65_000: b"" for number in range(40)})
    tracemalloc.start()
    fault = refusal(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert "at once" in fault.reason
    assert peak < MB


def deep(depth):
    return b'[{"endTime":"2025-03-01 07:34","msPlayed":1,"x":' + b"[" * depth + b"]" * depth + b"}]"


def edited(**changes):
    """One good row and one with a text put in place of a value, as JSON that a writer would not write."""
    good, text = as_bytes([account_row()])[:-1] + b",", as_bytes([account_row()])[1:]
    for key, value in changes.items():
        start = text.index(f'"{key}": '.encode()) + len(key) + 4
        end = min(place for place in (text.find(b",\n", start), text.find(b"\n", start)) if place > 0)
        text = text[:start] + value + text[end:]
    return good + text


WRONG = {
    "nothing": (b"", "truncated"),
    "blank": (b"  ", "truncated"),
    "cut": (as_bytes([account_row()])[:-5], "truncated"),
    "two values": (b"[] []", "trailing characters"),
    "not json": (b"List(Map(city -> Nowhere))", "malformed"),
    "an object": (b'{"endTime": 1}', "Expected `array`, got `object`"),
    "a number": (b"1", "Expected `array`, got `int`"),
    "lists": (b"[[]]", "Expected `object`, got `array`"),
    "no time": (b'[{"msPlayed": 1}]', "missing required field"),
    "no duration": (b'[{"endTime": "2025-03-01 07:34"}]', r"missing required field `msPlayed`"),
    "deep": (deep(100_000), "too deep"),
    "NaN": (edited(msPlayed=b"NaN"), "malformed"),
    "Infinity": (edited(msPlayed=b"Infinity"), "malformed"),
    "NaN elsewhere": (as_bytes([account_row()]).replace(b'"msPlayed"', b'"x": NaN, "msPlayed"'), "malformed"),
    "negative": (edited(msPlayed=b"-1"), r"Expected `int` >= 0 - at `\$\[1\].msPlayed`"),
    "a fraction": (edited(msPlayed=b"1.5"), "Expected `int`, got `float`"),
    "a power": (edited(msPlayed=b"1e3"), "Expected `int`, got `float`"),
    "number as text": (edited(msPlayed=b'"200000"'), "Expected `int`, got `str`"),
    "truth as number": (edited(msPlayed=b"true"), "Expected `int`, got `bool`"),
    "null": (edited(msPlayed=b"null"), "Expected `int`, got `null`"),
    "beyond 64 bits": (edited(msPlayed=b"9" * 30), "Expected `int` <="),
    "a play of weeks": (edited(msPlayed=b"604800001"), "Expected `int` <= 604800000"),
    "name as number": (edited(artistName=b"7"), r"Expected `str \| null`, got `int`"),
    "1970": (edited(endTime=b'"1970-01-01 00:00"'), r"\$\[1\].endTime lies in the year 1970: Spotify began in 2006"),
    "2999": (edited(endTime=b'"2999-01-01 00:00"'), "lies in the year 2999"),
    "no such day": (edited(endTime=b'"2025-02-30 00:00"'), r"\$\[1\].endTime is not a time"),
    "another calendar": (edited(endTime=b'"01.03.2025 07:34"'), "is not a time"),
    "a zone": (edited(endTime=b'"2025-03-01 07:34+02:00"'), "is not a time"),
    "not utf-8": (edited(artistName=b'"\xff"'), "not UTF-8"),
    "not utf-8 elsewhere": (as_bytes([account_row()]).replace(b'"msPlayed"', b'"x": "\xff", "msPlayed"'), "not UTF-8"),
    "half a surrogate": (edited(artistName=b'"\\ud800"'), "malformed"),
    "utf-16": ("[]".encode("utf-16"), "not UTF-8"),
    "key twice": (
        as_bytes([account_row()]).replace(b'"msPlayed"', b'"msPlayed": 1, "msPlayed"'),
        "names msPlayed twice",
    ),
}


@pytest.mark.parametrize(("content", "reason"), WRONG.values(), ids=WRONG.keys())
def test_a_wrong_history_is_refused_by_name(tmp_path, content, reason):
    path = make_zip(tmp_path / "anna.zip", {HISTORY: content})
    with pytest.raises(UnreadableExportError, match=reason) as caught:
        read_export(path)
    assert caught.value.entry == HISTORY
    assert str(caught.value).startswith(f"anna.zip: {HISTORY}: ")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"ts": "1970-01-01T00:00:00Z"}, r"\$\[1\].ts lies in the year 1970"),
        ({"ts": "2025-03-01 07:34"}, r"\$\[1\].ts is not a time"),
        ({"ts": ""}, "is not a time"),
        ({"ts": None}, "Expected `str`, got `null`"),
        ({"ms_played": -5}, "Expected `int` >= 0"),
        ({"incognito_mode": "false"}, "Expected `bool"),
        ({"spotify_track_uri": 5}, "Expected `str"),
    ],
)
def test_a_wrong_row_of_the_extended_history_is_refused(tmp_path, changes, reason):
    path = make_zip(tmp_path / "anna.zip", {EXTENDED_2025: [extended_row(), extended_row(**changes)]})
    with pytest.raises(UnreadableExportError, match=reason):
        read_export(path)


@pytest.mark.parametrize("key", ["ts", "ms_played", "master_metadata_album_artist_name", "master_metadata_track_name"])
def test_a_key_named_twice_is_refused_and_a_title_spelt_like_it_is_not(tmp_path, key):
    row = as_bytes([extended_row(master_metadata_track_name=key, master_metadata_album_artist_name=key)])
    assert read_export(make_zip(tmp_path / "good.zip", {EXTENDED_2025: row})).table.num_rows == 1
    twice = row.replace(b'"platform"', f'"{key}" : null, "platform"'.encode())
    order = twice if key.startswith("master") else row.replace(b'"shuffle"', b'"' + key.encode() + b'": 7, "shuffle"')
    assert refusal(make_zip(tmp_path / "anna.zip", {EXTENDED_2025: order})).entry == EXTENDED_2025


def test_personal_fields_may_be_of_any_type_since_they_are_not_decoded(tmp_path):
    row = extended_row(ip_addr={"a": [1]}, platform=7, username=None, conn_country=[])
    assert read_export(make_zip(tmp_path / "anna.zip", {EXTENDED_2025: [row]})).table.num_rows == 1


def test_the_fault_of_one_file_refuses_the_export(tmp_path):
    files = {ACCOUNT_2025: [account_row()], "Spotify Account Data/StreamingHistory_music_1.json": b"["}
    assert refusal(make_zip(tmp_path / "anna.zip", files)).entry.endswith("music_1.json")
