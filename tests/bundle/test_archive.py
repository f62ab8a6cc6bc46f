"""Entries have one file, and a file that is not that one is refused."""

import io
import os
import zipfile

import pytest
from bundle import hostile
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.bundle import archive
from recsys.errors import BundleInvalidError

ENTRIES = {"README.md": b"# hello\n", "empty.json": b"", "model.safetensors": bytes(range(256)) * 8, "z": b"\x00"}
WHOLE = hostile.written(ENTRIES)
NAMES = st.from_regex(r"[A-Za-z0-9_]([A-Za-z0-9_.-]{0,20}[A-Za-z0-9_])?", fullmatch=True)


@settings(deadline=None)
@given(st.dictionaries(NAMES, st.binary(max_size=300), min_size=1, max_size=12))
def test_any_entries_come_back_and_are_a_zip_for_every_tool(entries):
    whole = hostile.written(entries)
    assert archive.read(whole) == entries
    with zipfile.ZipFile(io.BytesIO(whole)) as other:
        assert other.testzip() is None
        assert {name: other.read(name) for name in other.namelist()} == entries


def test_it_is_what_zipfile_writes_when_it_is_told_to():
    assert hostile.zipped({name: ENTRIES[name] for name in sorted(ENTRIES)}) == WHOLE


def test_every_changed_byte_is_found():
    for place in range(len(WHOLE)):
        for change in (1, 0x80, 0xFF):
            bad = bytearray(WHOLE)
            bad[place] ^= change
            with pytest.raises(BundleInvalidError):
                archive.read(bytes(bad))


def test_every_missing_end_and_every_added_byte_is_found():
    for end in range(len(WHOLE)):
        with pytest.raises(BundleInvalidError):
            archive.read(WHOLE[:end])
    for place in range(0, len(WHOLE) + 1, 7):
        with pytest.raises(BundleInvalidError):
            archive.read(WHOLE[:place] + b"x" + WHOLE[place:])


def link(info):
    info.external_attr = 0o120777 << 16


def dated(info):
    info.date_time = (2026, 1, 1, 0, 0, 0)


def commented(info):
    info.comment = b"psst"


def padded(info):
    info.extra = b"\x99\x99\x02\x00hi"


def encrypted(whole):
    bad = bytearray(whole)
    bad[6] |= 1
    return bytes(bad)


BOMB = {"README.md": bytes(50_000_000)}


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"%PDF-1.7 and so on", "does not begin as a bundle"),
        (b"GIF89a" + WHOLE, "does not begin as a bundle"),
        (hostile.zipped({}), "nothing in it"),
        (WHOLE + b"tail", "4 bytes stand behind the end"),
        (WHOLE[:-30], "cut short"),
        (WHOLE[:100], "cut short"),
        (hostile.zipped(BOMB, compression=zipfile.ZIP_DEFLATED), "packed the file again"),
        (hostile.zipped(BOMB, compression=zipfile.ZIP_LZMA), "packed the file again"),
        (encrypted(WHOLE), "encrypted"),
        (hostile.zipped({f"entry{n:03}": b"" for n in range(300)}), "more than 64 entries"),
        (hostile.zipped({"../../etc/passwd": b"x"}), "no folder"),
        (hostile.zipped({"/etc/passwd": b"x"}), "no folder"),
        (hostile.zipped({"C:\\x": b"x"}), "no folder"),
        (hostile.zipped({"..": b"x"}), "no folder"),
        (hostile.zipped({".git": b"x"}), "no folder"),
        (hostile.zipped({"folder/": b""}), "no folder"),
        (hostile.zipped({"README\u202e.md": b""}), "no folder|packed"),
        (hostile.zipped(ENTRIES, change=link), "one form"),
        (hostile.zipped(ENTRIES, change=dated), "header"),
        (hostile.zipped(ENTRIES, change=commented), "one form"),
        (hostile.zipped(ENTRIES, change=padded), "packed the file again"),
        (hostile.zipped(ENTRIES, comment=b"psst"), "stand behind|one form"),
        (hostile.zipped({name: ENTRIES[name] for name in reversed(ENTRIES)}), "one form"),
    ],
)
def test_what_is_not_the_one_form_is_refused_in_words(data, words):
    with pytest.raises(BundleInvalidError, match=words):
        archive.read(data)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_an_entry_that_is_there_twice_is_refused():
    with pytest.raises(BundleInvalidError, match="twice"):
        archive.read(hostile.zipped(ENTRIES, twice=["README.md"]))


def test_what_is_no_file_is_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path, words in ((tmp_path, "is no file"), (tmp_path / "pipe", "is no file"), (tmp_path / "no", "no file")):
        with pytest.raises(BundleInvalidError, match=words):
            archive.read_file(path)


def test_a_file_that_is_too_large_is_not_read(tmp_path, monkeypatch):
    path = tmp_path / "large"
    with path.open("wb") as file:
        file.truncate(archive.MAX_BYTES + 1)
    monkeypatch.setattr(type(path), "open", None)
    with pytest.raises(BundleInvalidError, match="at most"):
        archive.read_file(path)
