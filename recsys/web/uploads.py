"""A buyer's own file, taken out of a form and kept in memory only, until it has been looked at."""

from __future__ import annotations

from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from recsys.errors import ConfigError

LARGEST = 32 * 1024 * 1024
"""Bytes of a file that is taken: about a million rows."""

_AROUND = 16 * 1024  # bytes of a form beside its file


class _InMemory(MultiPartParser):
    """Starlette's parser, which would move a file of more than a megabyte onto the disk."""

    spool_max_size = LARGEST + _AROUND + 1


LARGEST_FORM = LARGEST + _AROUND


async def uploaded(request: Request, field: str) -> tuple[str, bytes]:
    """Give the name and the content of the one file of a form; nothing of it touches the disk.

    Raises
    ------
    ConfigError
        If the form is none, or holds no file.
    """
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise ConfigError("No file came with the form. Choose a CSV file and send it with the button on the page.")
    try:
        form = await _InMemory(request.headers, request.stream(), max_files=1, max_fields=4, max_part_size=1024).parse()
    except (MultiPartException, ValueError, KeyError) as error:
        raise ConfigError(f"The form cannot be read ({error}). Send it with the button on the page.") from error
    file = form.get(field)
    if file is None or isinstance(file, str) or not file.filename:
        raise ConfigError("No file was chosen. Choose a CSV file first.")
    try:
        return file.filename, await file.read()
    finally:
        await form.close()
