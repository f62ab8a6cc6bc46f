"""How entries lie in one file: a zip in the only form that these entries have.

Entries are stored, in the order of their names, all dated 1980-01-01 with mode 0644, no comment, no extra field (PKWARE
APPNOTE 6.3.9, sections 4.3 and 4.4). Every tool opens such a zip. Reading writes it again and compares, so two files
with the same entries are the same file, and there is no room for anything that a reader would not look at.
"""

from __future__ import annotations

import re
import stat
import struct
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from recsys.bundle.contents import MAX_BYTES
from recsys.errors import BundleInvalidError

_LOCAL, _CENTRAL, _END = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
_LOCAL_FORM = struct.Struct("<4s5H3I2H")
_CENTRAL_FORM = struct.Struct("<4s6H3I5H2I")
_END_FORM = struct.Struct("<4s4H2IH")
_VERSION = 20
_UNIX = 3 << 8
_DATE = 1 << 5 | 1  # 1980-01-01
_MODE = (stat.S_IFREG | 0o644) << 16
_ENCRYPTED = 1
_NAME = re.compile(rb"[A-Za-z0-9_]([A-Za-z0-9_.-]{0,62}[A-Za-z0-9_])?")
_MOST = 64
_AGAIN = "ask for it again, and keep the file as you got it"


def pieces(entries: Mapping[str, bytes]) -> Iterator[bytes]:
    """Give the file that holds these entries, piece by piece."""
    for name in sorted(entries):
        yield _local(name.encode(), entries[name])
        yield entries[name]
    yield _directory(entries)


def read_file(path: Path) -> dict[str, bytes]:
    """Read a bundle's entries; they are only parts of a zip yet, nothing is said of what is in them.

    Raises
    ------
    BundleInvalidError
        If there is no such file, or it is not the one form of a zip with these entries.
    """
    try:
        about = path.stat()
        if not stat.S_ISREG(about.st_mode):
            raise BundleInvalidError(f"{path} is no file; name the bundle's file, *.recsys")
        if about.st_size > MAX_BYTES:
            raise BundleInvalidError(
                f"{path.name} has {about.st_size:,} bytes; a bundle has at most {MAX_BYTES:,}: this is none"
            )
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError as error:
        raise BundleInvalidError(f"there is no file {path}; name the bundle's file, *.recsys") from error
    except (OSError, ValueError) as error:
        raise BundleInvalidError(f"{path} cannot be read: {error}") from error
    return read(data)


def read(data: bytes) -> dict[str, bytes]:
    """Read entries from the bytes of a file; raises as :func:`read_file` does."""
    if not data:
        raise BundleInvalidError(f"the file is empty; {_AGAIN}")
    if data.startswith(_END):
        raise BundleInvalidError(f"the file is a zip with nothing in it; {_AGAIN}")
    if not data.startswith(_LOCAL):
        raise BundleInvalidError(f"the file does not begin as a bundle does: it is none, or was changed; {_AGAIN}")
    entries: dict[str, bytes] = {}
    place = 0
    while data[place : place + 4] == _LOCAL:
        name, body, place = _entry(data, place)
        if name in entries:
            raise BundleInvalidError(f"entry {name!r} is there twice; {_AGAIN}")
        if len(entries) == _MOST:
            raise BundleInvalidError(f"there are more than {_MOST} entries, far more than a bundle has; {_AGAIN}")
        entries[name] = body
    _check_rest(data, place, entries)
    return entries


def _local(name: bytes, body: bytes) -> bytes:
    told = (_VERSION, 0, 0, 0, _DATE, zlib.crc32(body), len(body), len(body), len(name), 0)
    return _LOCAL_FORM.pack(_LOCAL, *told) + name


def _directory(entries: Mapping[str, bytes]) -> bytes:
    rows, place = b"", 0
    for name in sorted(entries):
        body, coded = entries[name], name.encode()
        about = (_UNIX | _VERSION, _VERSION, 0, 0, 0, _DATE, zlib.crc32(body), len(body), len(body), len(coded))
        rows += _CENTRAL_FORM.pack(_CENTRAL, *about, 0, 0, 0, 0, _MODE, place) + coded
        place += _LOCAL_FORM.size + len(coded) + len(body)
    return rows + _END_FORM.pack(_END, 0, 0, len(entries), len(entries), len(rows), place, 0)


def _entry(data: bytes, place: int) -> tuple[str, bytes, int]:
    """Give the entry that begins at `place`, and where it ends."""
    header = data[place : place + _LOCAL_FORM.size]
    if len(header) < _LOCAL_FORM.size:
        raise BundleInvalidError(f"the file was cut short; {_AGAIN}")
    _, _, flags, method, _, _, _, packed, size, n_name, n_extra = _LOCAL_FORM.unpack(header)
    begin = place + _LOCAL_FORM.size + n_name
    coded = data[place + _LOCAL_FORM.size : begin]
    name = _named(coded)
    if flags & _ENCRYPTED:
        raise BundleInvalidError(f"entry {name!r} is encrypted; a bundle is not: {_AGAIN}")
    if method or flags or n_extra or packed != size:
        raise BundleInvalidError(
            f"entry {name!r} is not stored as it is: another program packed the file again; {_AGAIN}"
        )
    if begin + size > len(data):
        raise BundleInvalidError(f"entry {name!r} ends behind the end of the file: it was cut short; {_AGAIN}")
    body = data[begin : begin + size]
    if data[place:begin] != _local(coded, body):
        raise BundleInvalidError(f"entry {name!r} is not what its header says: a byte was changed; {_AGAIN}")
    return name, body, begin + size


def _named(coded: bytes) -> str:
    if not _NAME.fullmatch(coded):
        shown = coded[:80].decode("ascii", "backslashreplace")
        raise BundleInvalidError(
            f"an entry is called {shown!r}; a bundle holds plain files in no folder: it is hostile, or none"
        )
    return coded.decode("ascii")


def _check_rest(data: bytes, place: int, entries: Mapping[str, bytes]) -> None:
    rest = data[place:]
    expected = _directory(entries)
    if rest == expected and list(entries) == sorted(entries):
        return
    if rest.startswith(expected):
        raise BundleInvalidError(f"{len(rest) - len(expected):,} bytes stand behind the end of the bundle; {_AGAIN}")
    if expected.startswith(rest):
        raise BundleInvalidError(f"the file was cut short; {_AGAIN}")
    raise BundleInvalidError(
        "the zip's directory is not in its one form (another order, a link, a date, a comment or a hidden entry): "
        f"it was changed or packed again; {_AGAIN}"
    )
