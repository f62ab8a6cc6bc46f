"""The operator's own map from spellings and ids to artists."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from recsys.canonical import sha256_file
from recsys.errors import ConfigError
from recsys.listens.artist_keys import artist_key

KEY = "key:"
_SCHEMES = {"mbid": "mbid:", "spotify": "spotify:artist:"}


@dataclass(frozen=True)
class ArtistIds:
    """A map from spellings and ids to artists; an empty one knows nobody.

    Parameters
    ----------
    artists
        For ``key:<artist key>``, ``mbid:<uuid>`` or ``spotify:artist:<id>``: what the map calls the artist.
    names
        The name to show for an artist, where the map gives one.
    digest
        SHA-256 of the file, or ``None``.
    """

    artists: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    digest: str | None = None

    @classmethod
    def load(cls, path: str | Path) -> ArtistIds:
        """Read a map from a CSV file (UTF-8, with a header) or a Parquet file.

        Columns: ``id``, what the map calls the artist; optionally ``name``, to show the artist under; and at least one
        of ``spelling``, ``mbid`` and ``spotify``, each of which may be empty in a row. An artist may have many rows.

        Raises
        ------
        ConfigError
            If the file cannot be read, lacks a column, or gives one spelling or id to two artists.
        """
        path = Path(path)
        artists: dict[str, str] = {}
        names: dict[str, str] = {}
        for number, row in enumerate(_rows(path), start=1):
            artist = row.get("id")
            if not artist:
                raise ConfigError(f"{path.name}: row {number} has no id; each row says whose spelling or id it gives")
            if row.get("name"):
                names.setdefault(artist, row["name"])
            for known in _known_by(row):
                if artists.setdefault(known, artist) != artist:
                    raise ConfigError(
                        f"{path.name}: row {number} gives {known!r} to {artist!r}, an earlier row to "
                        f"{artists[known]!r}; decide for one of them"
                    )
        return cls(artists, names, sha256_file(path))


def _rows(path: Path) -> Iterable[Mapping[str, str]]:
    try:
        rows = pq.read_table(path).to_pylist() if path.suffix.lower() == ".parquet" else _csv_rows(path)
    except (OSError, ValueError, csv.Error, pa.ArrowException) as fault:
        raise ConfigError(f"{path.name} is not a map of artists ({fault}); give a CSV or a Parquet file") from fault
    columns = {column for row in rows[:1] for column in row if isinstance(column, str)}
    if "id" not in columns or not columns & {"spelling", *_SCHEMES}:
        found = ", ".join(sorted(columns)) or "none"
        raise ConfigError(f"{path.name} needs the columns id and spelling, mbid or spotify; it has: {found}")
    for row in rows:
        yield {column: str(row[column]).strip() for column in columns if row[column] is not None}


def _csv_rows(path: Path) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def _known_by(row: Mapping[str, str]) -> Iterable[str]:
    if row.get("spelling"):
        yield KEY + artist_key(row["spelling"])
    for column, scheme in _SCHEMES.items():
        if row.get(column):
            yield scheme + row[column].removeprefix(scheme)
