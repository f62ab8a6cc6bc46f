"""recsys dataset diff, log, reproduce and card: a version in its line."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from recsys.cli.common import Common, instant, short, table


def diff(before: str, after: str, *, common: Common = Common()) -> None:  # noqa: B008 - frozen
    """Say what changed between two versions, and why.

    Parameters
    ----------
    before
        Digest of the older version, or its beginning.
    after
        Digest of the newer version, or its beginning.
    """
    from recsys.dataset import difference

    home = common.open()
    versions = [home.datasets.load(name, remains=True) for name in (before, after)]
    found = difference(*versions, ledger=home.ledger, registry=home.artists)
    common.show(asdict(found), *(found.words() or ["the two versions hold the same data under the same rules"]))


def log(
    line: str | None = None, *, purpose: str = "train-recommender", common: Common = Common()  # noqa: B008 - frozen
) -> None:  # fmt: skip
    """Show a line's versions, the newest first, and in a few words what changed.

    Parameters
    ----------
    line
        The line, as `recsys dataset list` names it; that of the purpose unless given.
    purpose
        The purpose whose line to show.
    """
    from recsys.dataset import CONSENTED
    from recsys.dataset import log as walk

    name = line or f"{CONSENTED}-{purpose}"
    entries = list(walk(common.open().datasets, name))
    rows = [
        (
            m.version,
            short(m.at),
            entry.digest[:12],
            f"{m.counts['members']:,}",
            f"{m.counts['artists']:,}",
            entry.words(),
        )
        if (m := entry.manifest)
        else ("", "", entry.digest[:12], "", "", entry.words())
        for entry in entries
    ]
    document = [
        {
            "digest": entry.digest,
            "version": entry.manifest.version if entry.manifest else None,
            "at": entry.manifest.at if entry.manifest else None,
            "counts": dict(entry.manifest.counts) if entry.manifest else None,
            "change": entry.manifest.change if entry.manifest else None,
            "words": entry.words(),
        }
        for entry in entries
    ]
    columns = ("number", "consent asked for", "version", "members", "artists", "what changed")
    common.show(document, table(f"The line {name}", columns, rows))


def reproduce(
    version: str,
    *,
    artist_ids: Path | None = None,
    at: datetime | None = None,
    common: Common = Common(),  # noqa: B008 - frozen
) -> int:
    """Build a version again from ledger and contributions, and compare the digests. Writes nothing.

    What a member has taken back since is not read again; then everything but their part is compared.

    Parameters
    ----------
    version
        Digest, its beginning, or latest.
    artist_ids
        Your own map of artists, if the version was built with one.
    at
        The instant by which somebody may have withdrawn (UTC unless it names a zone); now unless given.
    """
    from recsys.cli.exits import UNSOUND
    from recsys.dataset import reproduce as build_again
    from recsys.listens import ArtistIds

    home = common.open()
    found = build_again(
        home.datasets,
        version,
        ledger=home.ledger,
        contributions=home.contributions,
        registry=home.artists,
        at=instant(at),
        ids=ArtistIds.load(artist_ids) if artist_ids else None,
    )
    common.show(asdict(found) | {"same": found.same}, *found.words())
    return 0 if found.same else UNSOUND


def card(
    version: str,
    *,
    format: str = "all",  # noqa: A002 - the option's name
    out: Path | None = None,
    common: Common = Common(),  # noqa: B008 - frozen
) -> None:
    """Write a version's cards: what a buyer, a regulator or an artist is told of it.

    Parameters
    ----------
    version
        Digest, its beginning, or latest.
    format
        croissant, datasheet, eu-summary, provenance or all.
    out
        Folder for the cards; that of the version unless given, where a Croissant document can be loaded with its data.
    """
    from recsys.dataset.card import FORMATS, gather, write_cards

    home = common.open()
    facts = gather(home.datasets, version, home.collective)
    formats = tuple(FORMATS) if format == "all" else (format,)
    written = write_cards(facts, out or home.datasets.path(version), formats)
    common.show([str(path) for path in written], *(f"wrote {path}" for path in written))
