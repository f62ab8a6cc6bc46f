"""The next version of a line: built behind the latest, stored, and described by its cards."""

from __future__ import annotations

from collections.abc import Callable

from recsys.consent import ArtistPreferences, ConsentedListens
from recsys.dataset.builder import build
from recsys.dataset.card import Collective, gather, write_cards
from recsys.dataset.manifest import line_of
from recsys.dataset.store import DatasetStore
from recsys.dataset.version import DatasetVersion
from recsys.listens import ArtistIds


def build_next(
    store: DatasetStore,
    admitted: ConsentedListens,
    *,
    min_listeners: int = 5,
    ids: ArtistIds | None = None,
    artists: ArtistPreferences | None = None,
    collective: Collective | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[DatasetVersion, bool]:
    """Build the version that follows the latest of its line, save it, and write its cards beside it.

    Parameters
    ----------
    store
        Holds the line.
    admitted, min_listeners, ids, artists, progress
        As in :func:`recsys.dataset.build`.
    collective
        What the collective states of itself, for the cards.

    Returns
    -------
    The latest version, and whether it is a new one.
    """
    latest = store.latest(line_of(admitted.purpose, admitted.recipient))
    parent = store.load(latest, remains=True) if latest else None
    version = build(admitted, min_listeners=min_listeners, ids=ids, artists=artists, parent=parent, progress=progress)
    folder = store.save(version)
    write_cards(gather(store, version.digest, collective or Collective()), folder)
    return version, version is not parent
