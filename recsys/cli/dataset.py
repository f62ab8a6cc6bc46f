"""recsys dataset: build, import, list, show, verify; diff, log, reproduce and card lie in dataset_line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from cyclopts import App

from recsys.cli.common import Common, instant, short, table

if TYPE_CHECKING:
    from recsys.dataset import DatasetVersion

dataset = App(name="dataset", help="Build, list, check and compare dataset versions.")
for _name, _help in {
    "diff": "Say what changed between two versions, and why.",
    "log": "Show a line's versions, the newest first, and in a few words what changed.",
    "reproduce": "Build a version again from ledger and contributions, and compare the digests.",
    "card": "Write a version's cards: what a buyer, a regulator or an artist is told of it.",
}.items():
    dataset.command(f"recsys.cli.dataset_line:{_name}", name=_name, help=_help)


@dataset.command
def build(
    *,
    purpose: str = "train-recommender",
    recipient: str | None = None,
    min_listeners: int = 5,
    artist_ids: Path | None = None,
    at: datetime | None = None,
    common: Common = Common(),  # noqa: B008 - frozen
) -> None:
    """Build a version from the listens of those who agree.

    Parameters
    ----------
    purpose
        What the version is for; only members who agree to it are in it.
    recipient
        The buyer, where the purpose is share-with-buyer: members agree to one by name.
    min_listeners
        Artists heard by fewer members are left out.
    artist_ids
        Your own map of artists, CSV or Parquet: columns id, name (optional), and any of spelling, mbid, spotify.
    at
        The instant for which consent is asked (UTC unless it names a zone); now unless given.
    """
    from recsys.consent import admit
    from recsys.dataset import build_next
    from recsys.listens import ArtistIds

    ids = ArtistIds.load(artist_ids) if artist_ids else None
    home = common.open()
    moment = instant(at)
    admitted = admit(home.contributions, home.ledger, purpose, moment, recipient=recipient, policy=home.policy)
    artists = home.artists.preferences(at=moment, policy=home.collective.artist_policy)
    with common.bar("reading listens") as bar:
        version, new = build_next(
            home.datasets,
            admitted,
            min_listeners=min_listeners,
            ids=ids,
            artists=artists,
            collective=home.collective,
            progress=bar,
        )
    manifest = version.manifest
    what = "built version" if new else "nothing changed; the latest version is still"
    common.show(
        json.loads(manifest.to_bytes()) | {"digest": version.digest},
        f"{what} {version.digest}",
        f"number {manifest.version} of its line; its cards lie in {home.datasets.path(version.digest)}",
        *(f"{rows:,} rows left out, {home.policy.why_not(route)}" for route, rows in admitted.refused_routes.items()),
    )


@dataset.command(name="import")
def import_(
    files: list[Path],
    *,
    name: str,
    names_file: Path | None = None,
    common: Common = Common(),  # noqa: B008 - frozen
) -> None:
    """Import a public benchmark; it is marked as one for ever and can never be handed to a buyer.

    Parameters
    ----------
    files
        Parquet or CSV files with columns user (or user_id), artist (or artist_id, item, track) and, optionally, plays.
    name
        What the benchmark is called.
    names_file
        File with the columns artist_id and name.
    """
    from recsys.dataset import import_benchmark

    version = import_benchmark(files, name=name, names_file=names_file)
    common.open().datasets.save(version)
    common.show(
        json.loads(version.manifest.to_bytes()) | {"digest": version.digest}, f"imported version {version.digest}"
    )


@dataset.command(name="list")
def list_(*, common: Common = Common()) -> None:  # noqa: B008 - frozen
    """List all versions, and say which may not be used any more because members in them have withdrawn."""
    from recsys.erasure import left_since

    home = common.open()
    store = home.datasets
    found = [(digest, store.manifest(digest)) for digest in store.digests()]
    found.sort(key=lambda one: (one[1].line, one[1].at or "", one[0]))
    left = left_since(home, store.digests())
    latest = {store.latest(manifest.line) for _, manifest in found}
    rows = [
        (
            digest[:12],
            manifest.version,
            manifest.line,
            short(manifest.at),
            *(manifest.counts[name] for name in ("members", "artists", "pairs")),
            f"{len(left[digest])} left" if left[digest] else "latest" if digest in latest else "",
        )
        for digest, manifest in found
    ]
    columns = ("version", "number", "line", "consent asked for", "members", "artists", "pairs", "")
    document = [
        {
            "digest": digest,
            "version": m.version,
            "line": m.line,
            "at": m.at,
            "counts": dict(m.counts),
            "latest": digest in latest,
            "withdrawn": len(left[digest]),
        }
        for digest, m in found
    ]
    nothing = "no versions yet; build one: recsys dataset build"
    common.show(document, table("Dataset versions", columns, rows, numbers=4) if rows else nothing)


@dataset.command
def show(version: str, *, spellings: bool = False, common: Common = Common()) -> None:  # noqa: B008 - frozen
    """Show a version's manifest, or which spellings became one artist in it.

    Parameters
    ----------
    version
        Digest, its beginning, or latest.
    spellings
        Show the artists that members spell in several ways. Spellings that too few members use are never kept.
    """
    store = common.open().datasets
    if spellings:
        _show_spellings(store.load(version), common)
        return
    manifest = json.loads(store.manifest(version).to_bytes())
    rows = sorted(_flat("", manifest))
    common.show(
        manifest | {"digest": store.find(version)}, table(f"Version {store.find(version)}", ("fact", "value"), rows)
    )


def _show_spellings(version: DatasetVersion, common: Common) -> None:
    rows = [tuple(count) for count in version.collisions()]
    document = [count._asdict() for count in version.collisions()]
    title = f"Artists spelt in several ways in version {version.digest[:12]}"
    columns = ("artist", "spelling", "members", "plays")
    nothing = "every artist is spelt in one way, as far as enough members spell it so"
    common.show(document, table(title, columns, rows, numbers=2) if rows else nothing)


@dataset.command
def verify(version: str, *, common: Common = Common()) -> None:  # noqa: B008 - frozen
    """Check every part of a version against its digest, and that the ledger still holds the head it was built at.

    Parameters
    ----------
    version
        Digest, its beginning, or latest.
    """
    from recsys.dataset.card import changed_cards, gather

    home = common.open()
    found = home.datasets.load(version)
    lines = [f"version {found.digest}: manifest, members, artists and pairs are as they were built"]
    if found.manifest.ledger is not None:
        home.ledger.check_reaches(**found.manifest.ledger)
        lines.append(f"the consent ledger is whole and still holds entry {found.manifest.ledger['count'] - 1}")
    stale = changed_cards(gather(home.datasets, version, home.collective), home.datasets.path(version))
    lines += [
        f"{name} is not what the facts say: it was edited, or they changed; recsys dataset card" for name in stale
    ]
    common.show({"digest": found.digest, "verified": True, "cards_that_differ": stale}, *lines)


def _flat(name: str, value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _flat(f"{name}.{key}" if name else key, inner)
    elif value is not None:
        yield name, f"{value:,}" if isinstance(value, int) else str(value)
