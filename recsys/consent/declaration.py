"""One declaration about an artist: what is preferred, and on whose word."""

from __future__ import annotations

from dataclasses import dataclass

from recsys.consent.preferences import read_statement
from recsys.listens import artist_key

_ID_SCHEMES = ("mbid:", "spotify:artist:")


@dataclass(frozen=True)
class Declaration:
    """One entry of the registry.

    Parameters
    ----------
    artist
        The artist's name, all spellings of which are meant, or an id: ``mbid:...`` or ``spotify:artist:...``.
    statement
        What is preferred, as it was written: ``x-recsys-ranking=n``.
    by
        Who says so: the artist, their label, an agent.
    at
        When they said so (UTC text).
    source
        Where it can be looked up: a letter, a web address.
    """

    artist: str
    statement: str
    by: str
    at: str
    source: str = ""

    def __post_init__(self) -> None:
        if not self.artist.strip() or not self.by.strip():
            raise ValueError("a declaration names the artist and who declares; one of them is empty")
        read_statement(self.statement)

    @property
    def subject(self) -> str:
        """What the artist is found by: an id as it is, or the key of a name."""
        return subject(self.artist)


def subject(artist: str) -> str:
    """Give what an artist's name or id is looked up by; a name and an id never meet."""
    written = artist.strip()
    return written if written.startswith(_ID_SCHEMES) else f"name:{artist_key(written)}"
