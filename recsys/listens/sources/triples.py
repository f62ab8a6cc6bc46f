"""Plain tables of member, artist and, if there is more, plays and time: CSV, TSV and Parquet, of many members.

How such a table came to be nobody can tell by looking at it, so its route has to be stated.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from recsys.listens.sources.many import Named
from recsys.listens.table import Route, Source

_BATCH_ROWS = 1 << 16
_BLOCK = 1 << 20
_MAX_COLUMN_BYTES = 1 << 30
_COLUMNS = "columns for the member (member, user, user_id) and the artist (artist, artist_id, item)"


class CsvTriples:
    """Reads CSV and TSV with a header (a :class:`recsys.listens.sources.many.ManySource`)."""

    source = Source.TRIPLES
    route: Route | None = None

    def knows(self, head: bytes) -> bool:
        """Tell whether the first line names a member and an artist."""
        return Named.among(_header(head)[1]) is not None

    def batches(self, path: Path) -> Iterator[pa.Table]:
        """Read the file piece by piece.

        Raises
        ------
        ValueError
            If it is not such a table.
        """
        with path.open("rb") as file:
            delimiter, columns = _header(file.read(_BLOCK))
        named = Named.among(columns)
        if named is None:
            raise ValueError(f"found the columns {', '.join(columns)[:200]}; expected {_COLUMNS}")
        options = {
            "read_options": pa_csv.ReadOptions(use_threads=False, block_size=_BLOCK),
            "parse_options": pa_csv.ParseOptions(delimiter=delimiter),
            "convert_options": pa_csv.ConvertOptions(
                include_columns=named.columns,
                column_types=dict.fromkeys(named.columns, pa.string()),
                strings_can_be_null=False,
            ),
        }
        try:
            with pa_csv.open_csv(path, **options) as reader:
                for batch in reader:
                    yield named.batch(pa.Table.from_batches([batch]))
        except (pa.ArrowException, KeyError) as fault:
            raise ValueError(f"not a table of comma- or tab-separated values: {fault}") from None


class ParquetTriples:
    """Reads Parquet (a :class:`recsys.listens.sources.many.ManySource`)."""

    source = Source.TRIPLES
    route: Route | None = None

    def knows(self, head: bytes) -> bool:
        """Tell whether it is Parquet."""
        return head.startswith(b"PAR1")

    def batches(self, path: Path) -> Iterator[pa.Table]:
        """Read the file piece by piece.

        Raises
        ------
        ValueError
            If it is not such a table.
        """
        try:
            with pq.ParquetFile(path, memory_map=False) as file:
                named = Named.among(file.schema_arrow.names)
                if named is None:
                    raise ValueError(f"found the columns {file.schema_arrow.names}; expected {_COLUMNS}")
                _check_sizes(file.metadata)
                for batch in file.iter_batches(_BATCH_ROWS, columns=named.columns, use_threads=False):
                    yield named.batch(pa.Table.from_batches([batch]))
        except (pa.ArrowException, OSError, KeyError) as fault:
            raise ValueError(f"not a Parquet table that can be read: {fault}") from None


def _header(head: bytes) -> tuple[str, list[str]]:
    line = head.split(b"\n", 1)[0].decode("utf-8-sig", "replace").rstrip("\r")
    delimiter = "\t" if "\t" in line else ","
    try:
        return delimiter, next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return delimiter, []


def _check_sizes(metadata: pq.FileMetaData) -> None:
    for group in range(metadata.num_row_groups):
        pieces = metadata.row_group(group)
        for place in range(pieces.num_columns):
            size = pieces.column(place).total_uncompressed_size
            if size > _MAX_COLUMN_BYTES:
                raise ValueError(
                    f"a piece of a column of {size >> 20:,} MB; expected at most {_MAX_COLUMN_BYTES >> 20:,}: "
                    "write the file anew in smaller row groups"
                )
