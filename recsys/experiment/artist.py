"""What a model does with one artist: how often it recommends them to listeners it was not trained on.

Written for the artist, so it names no listener and tells no number of people below five.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

from recsys.dataset import DatasetVersion
from recsys.dataset.card import FEWEST
from recsys.dataset.card.facts import people
from recsys.erasure import usable
from recsys.evaluation import Lists, Popularity, Split, ask
from recsys.evaluation.exposure import Exposure, exposure, peers_within
from recsys.experiment.run import split_of
from recsys.home import Home
from recsys.tracking import FinishedRun, Tracker

DEPTHS = (10, 20, 50, 100)
_TYPICAL = 20


@dataclass(frozen=True)
class ArtistReport:
    """How a run's model recommends an artist to held-out listeners. Small numbers of people are told in words.

    Attributes
    ----------
    artist
        The name under which the artist is shown, or the name that was asked for.
    run_id, version
        The run and its dataset version.
    known
        Whether the artist is in the model.
    reason
        Why not, if not.
    listeners, rank, artists
        Members of the version who listen to the artist; the artist's rank by listeners, of how many artists.
    held_out, eligible
        Listeners the model was tested on; those of them who were not known to listen to the artist.
    recommended, by_popularity
        For each length of a list: how many of them got the artist, from the model, and from the bare ranking by
        listeners.
    peers
        How many of them got an artist with about as many listeners within 20 places, on average.
    median_place
        Where the artist stands in the lists of 100 that hold them, half above; ``None`` if these are too few.
    hidden, found
        Listeners whose listening to the artist was hidden from the model; how many of them got the artist within 100,
        empty if they are too few to tell.
    """

    artist: str
    run_id: str
    version: str
    known: bool
    reason: str = ""
    listeners: str = ""
    rank: int = 0
    artists: int = 0
    held_out: str = ""
    eligible: str = ""
    recommended: dict[str, str] | None = None
    by_popularity: dict[str, str] | None = None
    peers: float = 0.0
    median_place: float | None = None
    hidden: str = ""
    found: str = ""

    def as_dict(self) -> dict[str, object]:
        """Give the report as plain values for JSON."""
        return asdict(self)

    def words(self) -> list[str]:
        """Say it in sentences."""
        if not self.known:
            return [f"{self.artist} is not in this model: {self.reason}."]
        within = self.recommended or {}
        bare = (self.by_popularity or {}).get(str(_TYPICAL), "")
        depths = "; ".join(f"{k} places: {count}" for k, count in within.items())
        name = self.artist
        lines = [
            f"{name} is number {self.rank:,} of {self.artists:,} artists by listeners: {self.listeners} members.",
            f"The model was tested on {self.held_out} listeners it had never seen.",
            f"It was not told that {self.eligible} of them listen to {name}, so it could recommend {name} to these.",
            f"How many got {name} within the first {depths}.",
            f"By bare popularity, {bare} would get {name} within the first {_TYPICAL}.",
            f"Artists with about as many listeners are within the first {_TYPICAL} of {self.peers:.1f} lists each.",
        ]
        if self.median_place is not None:
            lines.append(f"Half of the lists that hold {name} have it at place {self.median_place:.0f} or above.")
        if self.found:
            lines.append(f"{self.hidden} listen to {name} though the model was not told; {self.found} of them got it.")
        return lines


def artist_report(home: Home, artist: str, run_id: str | None = None) -> ArtistReport:
    """Report what a finished run's model does with an artist.

    Parameters
    ----------
    home
        Where runs and versions are kept.
    artist
        The artist's name, in any spelling.
    run_id
        The run; the latest finished one unless given.

    Raises
    ------
    RunNotFoundError, VersionNotFoundError, VersionWithdrawnError
        If the run or its version is gone, or may not be used any more.
    """
    run = Tracker(home.path).find(run_id)
    version = usable(home, run.dataset_digest)
    column = version.artists.column(artist)
    if column is None:
        return ArtistReport(artist, run.id, version.digest, known=False, reason=_why_not(home, version, artist))
    split = split_of(run, version)
    return _known(run, version, split, column)


def _known(run: FinishedRun, version: DatasetVersion, split: Split, column: int) -> ArtistReport:
    listeners = np.bincount(version.user_items.indices, minlength=len(version.artists)).astype(np.int64)
    lists = ask(run.model().recommender, split, max(DEPTHS))
    bare = ask(Popularity(split.train), split, max(DEPTHS))
    ours, popular = (_exposure(split, one, column) for one in (lists, bare))
    return ArtistReport(
        artist=version.artists.names[column],
        run_id=run.id,
        version=version.digest,
        known=True,
        listeners=people(int(listeners[column])),
        rank=int((listeners > listeners[column]).sum()) + 1,
        artists=len(version.artists),
        held_out=people(len(lists.users)),
        eligible=people(ours.n_eligible),
        recommended={str(k): people(ours.within(k)) for k in DEPTHS},
        by_popularity={str(k): people(popular.within(k)) for k in DEPTHS},
        peers=round(peers_within(lists, column, listeners, _TYPICAL), 1),
        median_place=float(np.median(ours.places)) if len(ours.places) >= FEWEST else None,
        hidden=people(ours.n_hidden),
        found=people(ours.found) if ours.n_hidden >= FEWEST else "",
    )


def _exposure(split: Split, lists: Lists, column: int) -> Exposure:
    hidden = split.test.users[np.diff(split.target[:, [column]].tocsr().indptr) > 0]
    return exposure(lists, column, np.flatnonzero(np.isin(lists.users, hidden)))


def _why_not(home: Home, version: DatasetVersion, artist: str) -> str:
    least = version.manifest.rules.get("min_listeners")
    if home.artists.preferences(at=version.manifest.at or "").refuses(artist):
        return "they opted out"
    return f"fewer than {least} members listen to them, or the name is another one"
