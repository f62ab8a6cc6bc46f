"""Bytes of a stranger's text file become values: checked UTF-8, checked JSON, one reading only."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar

import msgspec
import numpy as np
import pyarrow as pa
import stringzilla

BOM = b"\xef\xbb\xbf"

MAX_OBJECTS = 500_000
"""Objects in one JSON file: fifty times what real ones hold, and as many as fit into memory when decoded."""

Value = TypeVar("Value")


def utf8(data: bytes, what_to_do: str) -> bytes:
    """Give the text without a byte order mark; refuse bytes that are not UTF-8 anywhere.

    Also in fields that are never decoded, since a file that is damaged there may be damaged elsewhere.
    """
    text = data.removeprefix(BOM)
    offsets = np.array([0, len(text)], np.int32)
    try:
        pa.StringArray.from_buffers(1, pa.py_buffer(offsets), pa.py_buffer(text)).validate(full=True)
    except pa.ArrowInvalid:
        raise ValueError(f"not UTF-8 text; the file is damaged or was edited: {what_to_do}") from None
    return text


def decoded(decode: Callable[[bytes], Value], text: bytes, what: str, what_to_do: str) -> Value:
    """Decode JSON; every fault is one sentence that says `what` was expected and `what_to_do`."""
    if stringzilla.count(text, b"{") > MAX_OBJECTS:
        raise ValueError(f"more than {MAX_OBJECTS:,} objects in one file; {what_to_do}")
    try:
        return decode(text)
    except RecursionError:
        raise ValueError(f"lists or objects lie too deep in one another; {what_to_do}") from None
    except msgspec.ValidationError as fault:
        raise ValueError(f"not {what}: {fault}; {what_to_do}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as fault:
        raise ValueError(f"{fault}; the file is damaged or was edited: {what_to_do}") from None


def refuse_doubled_keys(text: bytes, rows: int, what_to_do: str, *keys: str) -> None:
    """Refuse objects that name a key twice, which two readers could read in two ways.

    The quoted key is counted first, and not by ``bytes.count``, which takes longer than decoding does; only a title
    that is spelt like a key makes it count colons.
    """
    for key in keys:
        quoted = f'"{key}"'.encode()
        if stringzilla.count(text, quoted) > rows and len(re.findall(quoted + rb"\s*:", text)) > rows:
            raise ValueError(f"a play names {key} twice; the file was edited: {what_to_do}")
