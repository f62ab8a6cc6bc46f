"""A folder becomes that of one made-up collective, and stays so."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from recsys.canonical import Pseudonyms, canonical_json, create_once, write_atomically
from recsys.errors import ConfigError
from recsys.transparency import SigningKey

_PORTRAIT = """# What a collective states of itself; `recsys dataset card` writes it into every card.
name = "a collective that does not exist"
made_up = true
recruitment = "nobody was: a program made them up"
compensation = "{compensation}"
"""


def claim(note: Path, told: Mapping[str, int], *, tale: str, option: str) -> dict[str, Any]:
    """Mark a folder as that of a tale, unless it holds something else; give what its note says.

    Parameters
    ----------
    note
        The tale's note; its folder is claimed. What else stands in it is left alone.
    told
        What makes it this very tale: ``members`` and ``seed``.
    tale, option
        What it is, and the option by which another folder is named, for people.

    Raises
    ------
    ConfigError
        If the folder holds another tale, or anything else.
    """
    folder = note.parent
    if not note.exists():
        _check_empty(note, tale, option)
        folder.mkdir(parents=True, exist_ok=True)
        create_once(note, canonical_json(dict(told)))
    found: dict[str, Any] = json.loads(note.read_bytes())
    if {name: found.get(name) for name in told} != dict(told):
        raise ConfigError(
            f"{folder} holds the {tale} of {found.get('members'):,} members with seed {found.get('seed')}; "
            f"give this one another folder: {option} DIR"
        )
    return found


def _check_empty(note: Path, tale: str, option: str) -> None:
    """Refuse a folder with anything in it but the note, or what is about to be the note, of this process or another."""
    folder = note.parent
    own = (note.name, f".{note.name}.")
    others = [one for one in folder.iterdir() if not one.name.startswith(own)] if folder.exists() else []
    if others and not note.exists():
        raise ConfigError(
            f"{folder} holds something that is not a {tale}; give the {tale} another folder: {option} DIR"
        )


def found_collective(home: Path, compensation: str, key: Callable[[str], bytes]) -> None:
    """Write what a made-up collective states of itself, and its keys, unless they are there.

    Parameters
    ----------
    home
        The folder of its state.
    compensation
        What its members get.
    key
        Gives the 32 bytes of the key of ``"members"`` and of ``"operator"``.
    """
    write_atomically(home / "collective.toml", _PORTRAIT.format(compensation=compensation).encode())
    Pseudonyms.at(home / "keys" / "member.key", make=lambda: key("members"))
    SigningKey.at(home / "keys" / "operator.key", make=lambda: key("operator"))
