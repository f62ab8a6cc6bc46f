"""People that do not exist: a collective whose exports are real in every respect but that nobody lived them.

Why: whoever tries the project needs data, and nobody's. Tastes are planted (:mod:`recsys.synthetic.world`), so that it
is known what a good model must find; the zips hold the personal files that real ones hold, so that it shows that
nothing of them is kept; and a few are broken, since a few always are.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from recsys.canonical import canonical_json, create_once, utc_text, write_atomically
from recsys.errors import ConfigError
from recsys.parallel import in_processes
from recsys.synthetic.diary import NOW, before_now, keep_diary
from recsys.synthetic.histories import make_histories
from recsys.synthetic.spotify import SECRETS, Author, Layout, export_files, personal_files, zip_bytes
from recsys.synthetic.world import make_world

__all__ = ["BUYER", "NOW", "PURPOSE", "SECRETS", "make_collective", "make_exports", "make_histories", "member_name"]

PURPOSE = "train-recommender"
BUYER = "a buyer that does not exist"
"""Whom everybody who lets a model be trained lets use it too, for ten years."""

_EDITION = 2
_BROKEN_EVERY = 100
_LAYOUTS = {
    Layout.ACCOUNT_2021: (0.15, 1.0),
    Layout.ACCOUNT_2025: (0.2, 1.0),
    Layout.ENDSONG_2021: (0.1, 4.0),
    Layout.EXTENDED_2023: (0.15, 5.0),
    Layout.EXTENDED_2025: (0.3, 7.0),
    Layout.BOTH_2025: (0.1, 3.0),
}
"""For each layout: the share of members that hand it in, and the years that it spans."""

_TEN_YEARS = 3_652
_CONSENTS = {"granted": 0.82, "refused": 0.06, "expired": 0.06, "withdrew": 0.06}

Event = dict[str, Any]


def make_collective(
    folder: Path,
    *,
    members: int = 2_000,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
    workers: int = 0,
) -> None:
    """Write a made-up collective: ``exports/<member>.zip`` for each member, and ``consents.jsonl``.

    What a member hands in follows from `seed` and the member's number alone. Zips that are there already are kept, so
    a run that was killed goes on where it stopped.

    Parameters
    ----------
    folder
        Where to write. Made if it is not there.
    members
        How many. One in a hundred hands in a broken export; some refuse, let their consent expire or withdraw it.
    seed
        Names the collective.
    progress
        Called with the number of members done and the number of all.
    workers
        Processes; 0 means as many as this process may use cores.

    Raises
    ------
    ConfigError
        If `folder` holds another collective.
    """
    _claim(folder, {"edition": _EDITION, "members": members, "seed": seed})
    write = partial(_write_export, folder / "exports", seed)
    for done, _ in enumerate(in_processes(write, range(members), workers=workers), start=1):
        if progress is not None:
            progress(done, members)
    events = sorted(
        (event for index in range(members) for event in _consents(seed, index)),
        key=lambda event: (event["at"], event["member"]),
    )
    write_atomically(folder / "consents.jsonl", b"".join(canonical_json(event) + b"\n" for event in events))


def make_exports(
    folder: Path,
    *,
    exports: int,
    plays_a_year: int,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
    workers: int = 0,
) -> None:
    """Write ``<member>.zip`` for each of so many made-up members who listen as much as real ones do.

    Parameters
    ----------
    folder
        Where to write. Made if it is not there.
    exports
        How many. One in a hundred is broken.
    plays_a_year
        How much the median member listens; others listen to a third or three times as much. Exports span 1 to 7 years.
    seed, progress, workers
        As in :func:`make_collective`.
    """
    write = partial(_write_export, folder, seed, plays_a_year=plays_a_year)
    for done, _ in enumerate(in_processes(write, range(exports), workers=workers), start=1):
        if progress is not None:
            progress(done, exports)


def member_name(index: int) -> str:
    """Give the name of the member with this number; the member's zip bears it."""
    return f"member-{index:05d}"


def _claim(folder: Path, collective: dict[str, int]) -> None:
    note = folder / "collective.json"
    folder.mkdir(parents=True, exist_ok=True)
    create_once(note, canonical_json(collective))
    if (found := json.loads(note.read_bytes())) != collective:
        raise ConfigError(f"{folder} holds another collective, {found}; choose another folder for {collective}")


def _write_export(folder: Path, seed: int, index: int, *, plays_a_year: int | None = None) -> None:
    path = folder / f"{member_name(index)}.zip"
    if not path.exists():
        write_atomically(path, _export(seed, index, plays_a_year))


def _export(seed: int, index: int, plays_a_year: int | None = None) -> bytes:
    rng = np.random.default_rng([seed, 1, index])
    author = Author(index, make_world(seed), rng)
    layouts = list(_LAYOUTS)
    layout = layouts[rng.choice(len(layouts), p=[share for share, _ in _LAYOUTS.values()])]
    years = _LAYOUTS[layout][1]
    plays = round(plays_a_year * years * rng.lognormal(0, 0.6)) if plays_a_year else None
    diary = keep_diary(author.world, rng, years, plays)
    if index % _BROKEN_EVERY == _BROKEN_EVERY // 2:
        return _broken(author, export_files(author, diary, layout))
    return zip_bytes(export_files(author, diary, layout))


def _broken(author: Author, files: dict[str, bytes]) -> bytes:
    """Break an export in one of the ways in which people's exports are broken."""
    match author.index // _BROKEN_EVERY % 4:
        case 0:  # the download stopped
            whole = zip_bytes(files)
            return whole[: len(whole) // 2]
        case 1:  # a web page saved under the zip's name
            return b"<!doctype html><title>Log in</title>"
        case 2:  # the history was cut by an editor
            return zip_bytes({name: data[: len(data) // 2] for name, data in files.items()})
        case _:  # the wrong package was asked for
            return zip_bytes(personal_files(author, "Spotify Account Data"))


def _consents(seed: int, index: int) -> list[Event]:
    rng = np.random.default_rng([seed, 2, index])
    kind = list(_CONSENTS)[rng.choice(len(_CONSENTS), p=list(_CONSENTS.values()))]
    asked = rng.uniform(60, 360)
    until = before_now(rng.uniform(1, 50)) if kind == "expired" else before_now(-rng.uniform(30, 700))
    grant = _event(index, "grant") | {"at": utc_text(before_now(asked)), "until": utc_text(until)}
    withdrawal = _event(index, "withdraw") | {"at": utc_text(before_now(rng.uniform(1, asked))), "until": None}
    shared = {"purpose": "share-with-buyer", "recipient": BUYER, "until": utc_text(before_now(-_TEN_YEARS))}
    return {"granted": [grant, grant | shared], "refused": [], "expired": [grant], "withdrew": [grant, withdrawal]}[
        kind
    ]


def _event(index: int, kind: str) -> Event:
    return {"member": member_name(index), "kind": kind, "purpose": PURPOSE}
