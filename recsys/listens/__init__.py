"""A person's export becomes a table of listens; many exports become a store of contributions.

Why it is as it is:

* Personal data stops at the door. Files in which services keep personal things are not opened, of the others only
  histories are read, of these only the fields that the table needs are decoded (:mod:`recsys.listens.sources`), and
  what is stored lies under a pseudonym (:class:`Contributions`).
* What is stored can be made unreadable: each member's contributions lie under a key of their own, and destroying it
  reaches every copy (:mod:`recsys.listens.data_keys`).
* An export comes from a stranger. Sizes, names and counts are checked before anything is inflated, nothing is unpacked
  to disk (:mod:`recsys.listens.export`), and every refusal is one :class:`recsys.errors.UnreadableExportError`.
* An artist has one name. Spellings meet in :func:`artist_key`, which states each of its rules and what it costs; ids
  part and join artists only on the word of enough members (:mod:`recsys.listens.artists`).
* A play is told once: what counts stands in :mod:`recsys.listens.table` only, when two rows are the same play in
  :mod:`recsys.listens.merging` only. Nothing is guessed silently: what is left out is counted, with its reason, and a
  time that nobody observed is marked (:mod:`recsys.listens.clocks`).
* A row whose time or duration cannot be makes the whole export wrong, since no real export has one: a reader that
  skipped it would believe the rest of an edited file. Only services that take whatever a player's clock says do have
  plays of 1970; these stay, without a time.
* How data came here, its route, is part of every row. A source knows the route of its files; a person may state a
  stricter one, never a laxer.
"""

from recsys.listens.artist_ids import ArtistIds
from recsys.listens.artist_keys import EDITION as KEY_EDITION
from recsys.listens.artist_keys import artist_key
from recsys.listens.artists import CanonicalArtists, Heard, Spelling, SpellingCount, canonical_artists
from recsys.listens.contributions import Contributions
from recsys.listens.data_keys import DataKeys, Tombstone
from recsys.listens.ingest import IngestReport, ingest
from recsys.listens.pool import Listens, Pool
from recsys.listens.reading import read_export
from recsys.listens.report import ReadReport
from recsys.listens.table import PLAY_MS, SCHEMA, Clock, LeftOut, Route, Source, counts_as_play
from recsys.listens.table_pool import TablePool, read_pool

__all__ = [
    "KEY_EDITION",
    "PLAY_MS",
    "SCHEMA",
    "ArtistIds",
    "CanonicalArtists",
    "Clock",
    "Contributions",
    "DataKeys",
    "Heard",
    "IngestReport",
    "LeftOut",
    "Listens",
    "Pool",
    "ReadReport",
    "Route",
    "Source",
    "Spelling",
    "SpellingCount",
    "TablePool",
    "Tombstone",
    "artist_key",
    "canonical_artists",
    "counts_as_play",
    "ingest",
    "read_export",
    "read_pool",
]
