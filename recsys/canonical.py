"""One way to write bytes, to name them, and to name people without naming them.

Bytes that are hashed or signed are RFC 8785 canonical JSON; names of bytes are lower-case hex SHA-256; a member's
name in anything stored is a keyed pseudonym. Files appear whole or not at all.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import json
import os
import re
import secrets
import shutil
import time
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import rfc8785

from recsys.errors import ConfigError

_KEY_BYTES = 32
_PSEUDONYM = re.compile(r"[0-9a-f]{64}")
_CHUNK = 1 << 20
_START_TICKS = 19  # its place behind the name in proc(5)'s stat, whose first field there is the third
_CLOCKS_DIFFER_S = 1
_PARTIAL = re.compile(r"\..+\.(\d+)-[0-9a-f]{8}\.partial", re.DOTALL)


_sorted = msgspec.json.Encoder(order="sorted")
_EXACT_INT = 2**53


def canonical_json(value: Any) -> bytes:  # noqa: ANN401 - any JSON value
    """Write a JSON value as its one canonical form (RFC 8785).

    Where there are no floats and all names are ASCII, sorted JSON in the shortest spelling is that form already, and
    compiled code writes it ten times as fast.
    """
    return _sorted.encode(value) if _is_plain(value) else rfc8785.dumps(value)


def _is_plain(value: Any) -> bool:  # noqa: ANN401 - any JSON value
    kind = type(value)
    if kind is dict:
        for name, held in value.items():  # loops: generators would take twice the time
            if type(name) is not str or not name.isascii() or not (type(held) is str or _is_plain(held)):
                return False
        return True
    if kind is list:
        for held in value:  # noqa: SIM110 - as above
            if not (type(held) is str or _is_plain(held)):
                return False
        return True
    return kind is str or value is None or kind is bool or (kind is int and -_EXACT_INT < value < _EXACT_INT)


def parse_json(data: bytes) -> Any:  # noqa: ANN401 - any JSON value
    """Read JSON that means one thing only: UTF-8, no name twice in an object, no NaN or infinity.

    Raises
    ------
    ValueError
        Says what else it is.
    """
    with suppress(ValueError, TypeError, RecursionError):  # bytes in canonical form mean one thing: quick to tell
        value = msgspec.json.decode(data)
        if canonical_json(value) == data:
            return value
    try:
        value = json.loads(data.decode(), object_pairs_hook=_distinct, parse_constant=_no_number)
        canonical_json(value)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    except rfc8785.CanonicalizationError as error:
        raise ValueError(f"it has no canonical form: {error}") from error
    return value


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("an object in it has the same name twice")
    return fields


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no JSON number")


def sha256_hex(data: bytes) -> str:
    """Name bytes by their SHA-256, 64 lower-case hex digits."""
    return hashlib.sha256(data).hexdigest()


def sha256_file(path: Path) -> str:
    """Name a file's bytes by their SHA-256, read in pieces."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_CHUNK):
            digest.update(piece)
    return digest.hexdigest()


def utc_text(instant: datetime) -> str:
    """Write an instant as ``YYYY-MM-DDTHH:MM:SS.ffffffZ``; such texts sort in the order of time.

    Raises
    ------
    ValueError
        If `instant` has no time zone: a local time without its zone names no instant.
    """
    if instant.tzinfo is None:
        raise ValueError(f"{instant} has no time zone; pass an aware datetime, for example datetime.now(UTC)")
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ").rjust(27, "0")


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path`; a clean exit makes it `path`, durable; anything else leaves no trace.

    The caller creates a file or a folder there. Where `path` names an existing folder the first writer wins and the
    newcomer is dropped: folders are only written this way when they are named by their content.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}.partial")
    try:
        yield partial
        _sync(partial)
        if partial.is_dir() and path.is_dir():
            return
        partial.replace(path)
        sync_one(path.parent)
    finally:
        _remove(partial)


def _sync(path: Path) -> None:
    if path.is_dir():
        for child in path.iterdir():
            _sync(child)
    sync_one(path)


def sync_one(path: Path) -> None:
    """Make a file's bytes, or a folder's list of names, survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def sweep(folder: Path) -> list[Path]:
    """Remove what killed processes of this machine left half written below `folder`; give what was removed.

    What a process that still runs is writing stays, so any number may sweep and write at once.
    """
    found = []
    for parent, folders, files in os.walk(folder):
        for name in [*folders, *files]:
            writer = _PARTIAL.fullmatch(name)
            if writer and not _writes(int(writer[1]), Path(parent, name)):
                found.append(Path(parent, name))
    for path in found:
        with suppress(FileNotFoundError):  # another sweeper was quicker
            _remove(path)
    return found


def _writes(process: int, path: Path) -> bool:
    """Tell whether the process runs and is older than the file: numbers of processes come round again.

    A process that ended is still there, as Z or X, until its parent asks after it.
    """
    try:
        fields = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        unchanged = time.time() - path.stat().st_mtime
    except (FileNotFoundError, ProcessLookupError):
        return False
    runs = time.clock_gettime(time.CLOCK_BOOTTIME) - int(fields[_START_TICKS]) / os.sysconf("SC_CLK_TCK")
    return fields[0] not in "ZX" and runs >= unchanged - _CLOCKS_DIFFER_S


def write_atomically(path: Path, data: bytes) -> None:
    """Write `data` to `path` so that after a crash either the old or the new bytes are there, whole."""
    with atomic_path(path) as partial:
        partial.write_bytes(data)


@contextmanager
def one_at_a_time(path: Path) -> Iterator[None]:
    """Let one process at a time into the block; the others wait. `path` is an empty file that marks the door."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as door:
        fcntl.flock(door, fcntl.LOCK_EX)
        yield


def create_once(path: Path, data: bytes) -> None:
    """Create `path`, mode 0600, durable; of two processes that try at once, one succeeds and both read its bytes."""
    partial = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}.partial")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(partial, path)
        sync_one(path.parent)
    finally:
        partial.unlink()


class Pseudonym(str):
    """A member's name in everything that is stored: 64 hex digits that say nothing without the key."""

    __slots__ = ()

    @classmethod
    def read(cls, text: str) -> Pseudonym:
        """Take a text that came from elsewhere, if it is a pseudonym.

        Raises
        ------
        ValueError
            If it is not 64 lower-case hex digits.
        """
        if not isinstance(text, str) or not _PSEUDONYM.fullmatch(text):
            raise ValueError(f"a pseudonym has 64 hex digits; this is {str(text)[:80]!r}")
        return cls(text)


class Pseudonyms:
    """The one place that turns a member's name into a :class:`Pseudonym` (HMAC-SHA-256, RFC 2104).

    Parameters
    ----------
    key
        Secret of 32 bytes. Kept outside every dataset version; whoever lacks it cannot test a guessed name.
    """

    def __init__(self, key: bytes) -> None:
        if len(key) != _KEY_BYTES:
            raise ConfigError(f"a pseudonym key has {_KEY_BYTES} bytes; this one has {len(key)}")
        self._key = key

    @classmethod
    def at(cls, path: Path, *, make: Callable[[], bytes] = lambda: secrets.token_bytes(_KEY_BYTES)) -> Pseudonyms:
        """Read the key at `path`; where there is none, make one that only its owner may read."""
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            create_once(path, make())
        return cls(path.read_bytes())

    @property
    def key_id(self) -> str:
        """A name for the key itself, by which a ledger knows it again; 64 hex digits."""
        return hmac.new(self._key, b"\x00recsys member key", hashlib.sha256).hexdigest()

    def of(self, member: str) -> Pseudonym:
        """Give the pseudonym of `member`; a pseudonym stays what it is."""
        if isinstance(member, Pseudonym):
            return member
        name = unicodedata.normalize("NFC", member).strip()
        if not name:
            raise ValueError("a member's name is empty")
        return Pseudonym(hmac.new(self._key, name.encode(), hashlib.sha256).hexdigest())
