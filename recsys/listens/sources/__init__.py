"""The sources of listens: each service is one small file behind one Protocol (:class:`FileSource`)."""

from recsys.listens.sources.source import FileSource, Rows
from recsys.listens.sources.spotify import SPOTIFY

__all__ = ["SPOTIFY", "FileSource", "Rows"]
