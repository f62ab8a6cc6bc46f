"""The sources of listens: each service is one small file behind one Protocol (:class:`FileSource`)."""

from recsys.listens.sources.lastfm import LastFm
from recsys.listens.sources.lastfm_csv import LastFmGhan, LastFmToCsv
from recsys.listens.sources.listenbrainz import ListenBrainz
from recsys.listens.sources.maloja import Maloja
from recsys.listens.sources.many import ManySource
from recsys.listens.sources.refined import Refined
from recsys.listens.sources.source import FileSource, Rows
from recsys.listens.sources.spotify import SPOTIFY, Spotify
from recsys.listens.sources.spotify_library import SpotifyLibrary
from recsys.listens.sources.triples import CsvTriples, ParquetTriples
from recsys.listens.sources.unwrapped import Unwrapped

__all__ = ["MANY", "SOURCES", "SPOTIFY", "FileSource", "ManySource", "Rows", "source_of"]

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
"""All that are known, in the order in which they are asked."""


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
    known = (source for source in SOURCES if source.knows(head))
    claimed = (source for source in SOURCES if source.claims(name))
    return next(known, None) or next(claimed, None)
