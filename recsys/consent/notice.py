"""The notice: what members are told, in plain words, before they are asked.

A notice never changes. Its SHA-256 stands in every consent record, so a new wording is a new file with a new name; the
old ones stay, because people agreed to them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files

from recsys.canonical import sha256_hex
from recsys.errors import RecordInvalidError

_FOLDER = files("recsys.consent") / "notices"
_SECTION = re.compile(r"^## (?P<title>.+)\n\n(?P<text>(?:(?!#).*\n)+)", re.MULTILINE)
_QUESTION = re.compile(r"^### (?P<purpose>[a-z-]+): (?P<question>.+)\n\n(?P<text>(?:(?!#).*\n)+)", re.MULTILINE)


@dataclass(frozen=True)
class Notice:
    """A text that members were shown.

    Parameters
    ----------
    name
        Its file's name without the ending: the language and a number.
    date
        The day since which it is shown.
    sha256
        The SHA-256 of its bytes, which every record that was made under it names.
    """

    name: str
    date: str
    sha256: str

    @property
    def language(self) -> str:
        """ISO 639 code of the language it is written in."""
        return self.name.split("-")[0]

    @cached_property
    def text(self) -> str:
        """What it says (Markdown)."""
        data = (_FOLDER / f"{self.name}.md").read_bytes()
        if sha256_hex(data) != self.sha256:
            raise RecordInvalidError(
                f"the notice {self.name} is not the text that members were shown (its SHA-256 is another one); "
                "install recsys again"
            )
        return data.decode()

    @cached_property
    def sections(self) -> dict[str, str]:
        """The text of each section, by its title."""
        return {found["title"]: found["text"].strip() for found in _SECTION.finditer(self.text)}

    @cached_property
    def questions(self) -> dict[str, tuple[str, str]]:
        """For each purpose the question that was asked, and the text under it."""
        return {found["purpose"]: (found["question"], found["text"].strip()) for found in _QUESTION.finditer(self.text)}


NOTICES = (Notice("en-1", "2026-11-22", "dbb19e149d579d0d78b69040f2b7eb7da82ac0f85276aebe2e95988c4cde8860"),)
"""Every notice there ever was, oldest first."""

CURRENT = NOTICES[-1]


def notice_of(sha256: str) -> Notice:
    """Find the notice with this SHA-256.

    Raises
    ------
    RecordInvalidError
        If there never was one: then nobody can tell what was agreed to.
    """
    for notice in NOTICES:
        if notice.sha256 == sha256:
            return notice
    raise RecordInvalidError(f"no notice with the SHA-256 {sha256[:64]} was ever shown; this recsys may be too old")
