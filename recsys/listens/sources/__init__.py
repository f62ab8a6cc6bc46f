r'''The sources of listens: each service is one small file behind one Protocol.

A :class:`FileSource` reads files that hold the listens of one member, a :class:`ManySource` those that hold many
members'. Which source a file belongs to shows in its first bytes; its name only decides where the bytes say nothing,
and then the file must be what its name says.

Adding a source takes one file of about 50 lines, a line in :data:`SOURCES`, and a value of
:class:`recsys.listens.Source` where none fits. This is all of one, for the logs that Rockbox players keep::

    """Rockbox: ``.scrobbler.log``, a line a play, separated by tabs."""

    import numpy as np

    from recsys.listens.sources.columns import nameless, names, scrobbled, sift
    from recsys.listens.sources.decoding import utf8
    from recsys.listens.sources.source import Rows
    from recsys.listens.table import LeftOut, Route, Source

    BEGAN = 2002
    FIELDS = 7
    HOW_TO_ASK = "copy the log from the player again"


    class Rockbox:
        """Reads logs (a :class:`recsys.listens.sources.FileSource`)."""

        route = Route.SERVICE_EXPORT
        exports = "logs of Rockbox players"

        def claims(self, name: str) -> bool:
            """Tell nothing by name: the first line says it."""
            return False

        def knows(self, data: bytes) -> bool:
            """Tell whether a log begins here."""
            return data.startswith(b"#AUDIOSCROBBLER/")

        def read(self, data: bytes, route: Route) -> Rows:
            """Turn a log into listens; ``L`` was listened to, ``S`` skipped."""
            lines = utf8(data, HOW_TO_ASK).decode().splitlines()
            plays = [line.split("\t") for line in lines if line and not line.startswith("#")]
            if any(len(play) < FIELDS or not play[6].isdecimal() for play in plays):
                raise ValueError(f"a line has not {FIELDS} fields, or no time; {HOW_TO_ASK}")
            artist, track = names([play[0] for play in plays]), names([play[2] for play in plays])
            seconds = [int(play[6]) for play in plays]
            skipped = np.array([play[5] != "L" for play in plays], bool)
            table = scrobbled(seconds, BEGAN, Source.LASTFM, route, artist=artist, track=track)
            return sift(table, [(LeftOut.NO_PLAYS, skipped), *nameless(artist, track)])

What the parts are for: :func:`~recsys.listens.sources.decoding.utf8` and
:func:`~recsys.listens.sources.decoding.decoded` turn a stranger's bytes into values or into one sentence that says what
is wrong; :func:`~recsys.listens.sources.columns.names` writes names in Unicode's composed form;
:func:`~recsys.listens.sources.columns.scrobbled` (plays by the service's own rule),
:func:`~recsys.listens.sources.columns.listens` (plays with a duration) and
:func:`~recsys.listens.sources.columns.totals` (counts without a time) make rows;
:func:`~recsys.listens.sources.columns.sift` leaves rows out and counts why. No source needs to think about repeats,
overlaps, other services or made-up times: :mod:`recsys.listens.merging` and :mod:`recsys.listens.clocks` do.
'''

from recsys.listens.sources.decoding import BOM
from recsys.listens.sources.lastfm import LastFm
from recsys.listens.sources.lastfm_csv import LastFmGhan, LastFmToCsv
from recsys.listens.sources.listenbrainz import ListenBrainz
from recsys.listens.sources.maloja import Maloja
from recsys.listens.sources.many import ManySource
from recsys.listens.sources.refined import Refined
from recsys.listens.sources.source import FileSource, Rows
from recsys.listens.sources.spotify import Spotify
from recsys.listens.sources.spotify_library import SpotifyLibrary
from recsys.listens.sources.triples import CsvTriples, ParquetTriples
from recsys.listens.sources.unwrapped import Unwrapped

__all__ = ["MANY", "SOURCES", "FileSource", "ManySource", "Rows", "source_of"]

SOURCES: tuple[FileSource, ...] = (
    Spotify(),
    SpotifyLibrary(),
    LastFmGhan(),
    LastFmToCsv(),
    LastFm(),
    ListenBrainz(),
    Maloja(),
    Unwrapped(),
)
"""All whose files hold the listens of one member, in the order in which they are asked."""

MANY: tuple[ManySource, ...] = (Refined(), ParquetTriples(), CsvTriples())
"""Those whose files hold the listens of many members."""


def source_of(name: str, head: bytes) -> FileSource | None:
    """Tell whose history a file is: by its first bytes, or, where nobody knows them, by its name.

    Parameters
    ----------
    name
        The base name of the file.
    head
        Its first bytes, at least 16 kB of them where it has so many.
    """
    text = head.removeprefix(BOM)
    known = (source for source in SOURCES if source.knows(text))
    claimed = (source for source in SOURCES if source.claims(name))
    return next(known, None) or next(claimed, None)
