"""Cards as files."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from recsys.canonical import write_atomically
from recsys.dataset.card.collective import Collective
from recsys.dataset.card.croissant import croissant
from recsys.dataset.card.datasheet import datasheet
from recsys.dataset.card.facts import Facts, stored_files
from recsys.dataset.card.provenance import provenance
from recsys.dataset.card.summary import training_summary
from recsys.dataset.store import DatasetStore
from recsys.errors import VersionNotFoundError


def _json(make: Callable[[Facts], dict[str, Any]]) -> Callable[[Facts], bytes]:
    return lambda facts: json.dumps(make(facts), indent=2, ensure_ascii=False).encode() + b"\n"


def _text(make: Callable[[Facts], str]) -> Callable[[Facts], bytes]:
    return lambda facts: make(facts).encode()


FORMATS: Mapping[str, tuple[str, Callable[[Facts], bytes]]] = {
    "croissant": ("croissant.json", _json(croissant)),
    "datasheet": ("datasheet.md", _text(datasheet)),
    "eu-summary": ("training-content.md", _text(training_summary)),
    "provenance": ("provenance.json", _json(provenance)),
}
"""For each format: the card's file, and what writes its bytes."""


def gather(store: DatasetStore, name: str, collective: Collective) -> Facts:
    """Gather the facts of a version that is in a store."""
    manifest = store.manifest(name)
    previous = None
    if manifest.parent is not None:
        try:
            previous = store.manifest(manifest.parent)
        except VersionNotFoundError:
            previous = None
    return Facts(manifest, collective, stored_files(store.path(name)), previous)


def render(facts: Facts, formats: Sequence[str] = tuple(FORMATS)) -> dict[str, bytes]:
    """Write cards in memory: the same facts give the same bytes.

    Raises
    ------
    ValueError
        If a format is none of :data:`FORMATS`.
    """
    unknown = sorted(set(formats) - FORMATS.keys())
    if unknown:
        raise ValueError(f"{unknown[0]!r} is no kind of card; there are {', '.join(FORMATS)}")
    return {FORMATS[kind][0]: FORMATS[kind][1](facts) for kind in formats}


def write_cards(facts: Facts, folder: Path, formats: Sequence[str] = tuple(FORMATS)) -> list[Path]:
    """Write cards into a folder; give their paths."""
    cards = render(facts, formats)
    for name, data in cards.items():
        write_atomically(folder / name, data)
    return [folder / name for name in cards]


def changed_cards(facts: Facts, folder: Path) -> list[str]:
    """Name the cards in a folder that are not what the facts say: edited by hand, or written from older facts."""
    cards = render(facts)
    return [name for name, data in cards.items() if (folder / name).exists() and (folder / name).read_bytes() != data]
