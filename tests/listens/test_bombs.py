"""Exports made to fill a machine's memory or its time: refused by name, within the memory that a large export takes."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from listens.made import ACCOUNT_2025, EXTENDED_2025, account_row, as_bytes, extended_row, make_folder, make_zip

from recsys.errors import UnreadableExportError
from recsys.listens import bounds, read_export

MB = 1 << 20
HISTORY = "MyData/StreamingHistory0.json"


def zipped(tmp_path, files):
    return make_zip(tmp_path / "inner", files).read_bytes()


def refusal(path):
    with pytest.raises(UnreadableExportError) as caught:
        read_export(path)
    return caught.value


@pytest.mark.parametrize("kind", ["zip", "folder"])
def test_zips_inside_an_export_are_read(tmp_path, kind):
    both = {
        "my_spotify_data.zip": zipped(tmp_path, {ACCOUNT_2025: [account_row(trackName="A")]}),
        "deep/er.zip": zipped(tmp_path, {"all.ZIP": zipped(tmp_path, {EXTENDED_2025: [extended_row()]})}),
    }
    made = make_zip(tmp_path / "anna.zip", both) if kind == "zip" else make_folder(tmp_path / "anna", both)
    listens = read_export(made)
    assert listens.table["track"].to_pylist() == ["A", "Slow Tide"]
    assert listens.report.files_read == 2


def test_the_fault_of_a_zip_inside_names_both(tmp_path):
    inner = zipped(tmp_path, {HISTORY: b"["})
    assert refusal(make_zip(tmp_path / "anna.zip", {"a/b.zip": inner})).entry == f"a/b.zip/{HISTORY}"
    assert refusal(make_zip(tmp_path / "anna.zip", {"a/b.zip": inner[:50]})).entry == "a/b.zip"
    assert refusal(make_zip(tmp_path / "anna.zip", {"b.zip": b"<!doctype html>"})).entry == "b.zip"


@pytest.mark.parametrize("twin", ["__MACOSX/my_spotify_data.zip", "._my_spotify_data.zip", "__MACOSX/MyData/x.json"])
def test_what_macos_puts_beside_a_file_is_not_opened(tmp_path, twin):
    path = make_zip(tmp_path / "anna.zip", {HISTORY: [account_row()], twin: b"\x00\x05\x16\x07"})
    assert read_export(path).report.files_read == 1


def test_a_history_is_found_by_its_content(tmp_path):
    path = make_zip(
        tmp_path / "anna.zip", {"renamed.json": [extended_row()], "other.json": {"ts": "2025"}, "x.csv": b"?"}
    )
    assert read_export(path).report.files_read == 1


def test_zips_that_lie_too_deep_are_refused(tmp_path):
    content = zipped(tmp_path, {HISTORY: [account_row()]})
    for depth in range(bounds.MAX_DEPTH):
        assert read_export(make_zip(tmp_path / "anna.zip", {HISTORY: []})).report.files_read == 1
        content = zipped(tmp_path, {f"{depth}.zip": content})
    (tmp_path / "anna.zip").write_bytes(content)
    fault = refusal(tmp_path / "anna.zip")
    assert (fault.entry, "zips inside one another" in fault.reason) == ("2.zip/1.zip/0.zip", True)


def test_files_in_all_zips_count_together(tmp_path, monkeypatch):
    monkeypatch.setattr(bounds, "MAX_FILES", 20)
    inner = zipped(tmp_path, {f"{number}.txt": b"" for number in range(5)})
    path = make_zip(tmp_path / "anna.zip", {f"{number}.zip": inner for number in range(4)})
    assert "more than 20 files inside" in refusal(path).reason


def test_sizes_in_all_zips_count_together(tmp_path, monkeypatch):
    monkeypatch.setattr(bounds, "MAX_BYTES", 4_000)
    inner = zipped(tmp_path, {HISTORY: [account_row()] * 9})
    path = make_zip(tmp_path / "anna.zip", {f"{number}.zip": inner for number in range(4)})
    assert "of history in one export" in refusal(path).reason


def overlapping(path, entries):
    """Make what D. Fifield calls full overlap: one file, and a directory that names it many times."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(HISTORY, as_bytes([account_row()] * 999))
        archive.filelist += [copy.copy(archive.filelist[0]) for _ in range(entries - 1)]
    return path


def quoting(path):
    """Make his quoted overlap: the first file's data begin with the second file's header."""
    inner = zipfile.ZipInfo(HISTORY)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(inner, as_bytes([account_row()] * 9))
        archive.writestr("MyData/StreamingHistory1.json", b"[]")
        first, second = archive.filelist
        first.compress_size = first.file_size = second.header_offset + 50
    return path


@pytest.mark.parametrize("entries", [2, 9_000])
def test_entries_that_share_bytes_are_refused(tmp_path, entries):
    fault = refusal(overlapping(tmp_path / "anna.zip", entries))
    assert (fault.entry, "shares bytes" in fault.reason) == (HISTORY, True)


def test_an_entry_that_holds_another_is_refused(tmp_path):
    assert "shares bytes" in refusal(quoting(tmp_path / "anna.zip")).reason


ACCOUNT_FILES = (
    "Userdata Identity Identifiers Payments UserAddress Inferences SearchQueries Follow UserPrompts Playlist1 "
    "Playlist12 Marquee Wrapped2024 YourSoundCapsule DuoNewFamily Userdata(1) identity_2 user"
)
PERSONAL = [f"{name}.json" for name in ACCOUNT_FILES.split()]


@pytest.mark.parametrize("name", PERSONAL)
@pytest.mark.parametrize("kind", ["zip", "inner zip", "folder"])
def test_a_personal_file_is_not_opened_even_to_look_at_it(tmp_path, name, kind):
    """It holds what would be a history, and cannot be opened at all."""
    files = {HISTORY: [account_row()], f"Spotify Account Data/{name}": [account_row(trackName="Secret")]}
    if kind == "folder":
        folder = make_folder(tmp_path / "anna", {HISTORY: files[HISTORY]})
        (folder / "Userdata").mkdir()
        (folder / "Userdata" / name).symlink_to(tmp_path / "nowhere")
        assert read_export(folder).report.files_read == 1
        return
    path = make_zip(tmp_path / "anna.zip", files)
    raw = bytearray(path.read_bytes())
    place = raw.index(name.encode()) + len(name)
    raw[place : place + 20] = b"\xff" * 20
    path.write_bytes(raw)
    if kind == "inner zip":
        path = make_zip(tmp_path / "outer.zip", {"inner.zip": path.read_bytes()})
    assert read_export(path).table["track"].to_pylist() == ["Slow Tide"]


MEASURE = """
import json, re, sys, time
from pathlib import Path
from recsys.errors import UnreadableExportError
from recsys.listens import read_export

def peak():
    return int(re.search(r"VmHWM:\\s*(\\d+)", Path("/proc/self/status").read_text())[1]) >> 10

small, path = sys.argv[1:]
read_export(small)
before, start = peak(), time.process_time()
try:
    said = str(read_export(path).report.rows_used)
except UnreadableExportError as fault:
    said = str(fault)
print(json.dumps([said, peak() - before, time.process_time() - start]))
"""


def measured(tmp_path, files):
    """Read an export in a process of its own: what it said, by how many MB its memory grew, and its seconds."""
    small = make_zip(tmp_path / "small.zip", {HISTORY: [account_row()], EXTENDED_2025: [extended_row()]})
    path = make_zip(tmp_path / "anna.zip", files, compresslevel=1)
    command = [sys.executable, "-c", MEASURE, small, path]
    return json.loads(subprocess.run(command, capture_output=True, check=True, timeout=300).stdout)


MANY = b'{"ts":"2025-03-01T07:34:12Z","ms_played":1},'
BOMBS = {
    "a string of 60 MB": (b'[{"ts":"' + b"7" * 60 * MB + b'","ms_played":1}]', "inflates more than 200 times"),
    "a string of 60 MB that does not shrink": (None, "Expected `str` of length"),
    "lists in lists": (b'[{"ts":"2025-03-01T07:34:12Z","ms_played":1,"x":' + b"[" * 30 * MB, "inflates more than"),
    "short rows": (b"[" + MANY * 600_000 + MANY[:-1] + b"]", "more than 500,000 objects"),
    "empty objects": (b"[" + b"{}," * (10 * MB) + b"{}]", "inflates more than|more than 500,000 objects"),
    "as many rows as may be": (b"[" + MANY * 450_000 + MANY[:-1] + b"]", "0"),
}


@pytest.mark.parametrize("name", BOMBS)
def test_memory_stays_bounded_whatever_an_entry_holds(tmp_path, name):
    content, reason = BOMBS[name]
    if content is None:
        noise = np.random.default_rng(0).bytes(30 * MB).hex().encode()
        content = b'[{"ts":"' + noise + b'","ms_played":1}]'
    said, grown, _ = measured(tmp_path, {EXTENDED_2025: content})
    assert any(part in said for part in reason.split("|")), said
    assert grown < 260
