"""The registry of artists: who opted out of rankings, who opted in, on whose word.

An artist has a say although no law here asks for it: who was listened to is the members' data, but the recommendations
are about the artists. Nobody is asked to register in order to be recommended; an opt-out keeps an artist out of every
version built from then on.

Each declarant's last word counts, and among declarants the combine rule of :mod:`recsys.consent.preferences`: so an
artist can take back their own opt-out, and nobody can take back another's. Where the order of recording and the stated
times disagree about which word is the last, both are heard, and a "no" among them stands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from recsys.canonical import utc_text
from recsys.consent.artist_log import ArtistLog, RegistryHead
from recsys.consent.declaration import Declaration, subject
from recsys.consent.preferences import RANKING, ArtistPolicy, Preference, Statement, ranking_preference, read_statement
from recsys.errors import LogBrokenError
from recsys.transparency import SigningKey


@dataclass(frozen=True)
class ArtistPreferences:
    """What the registry said at an instant: frozen, for one build.

    Attributes
    ----------
    head
        How far the registry reached.
    policy
        How it was read.
    statements
        The statements in force, by what the artist is found by.
    """

    head: RegistryHead
    policy: ArtistPolicy
    statements: dict[str, tuple[Statement, ...]]

    def of(self, *names: str) -> Preference:
        """Tell what is preferred about one artist, given every spelling and id that stands for them."""
        told = (said for one in {subject(name) for name in names} for said in self.statements.get(one, ()))
        return ranking_preference(told, self.policy)

    def refuses(self, *names: str) -> bool:
        """Tell whether this artist may not be in a version."""
        return self.of(*names) is Preference.DISALLOW

    def as_facts(self) -> dict[str, object]:
        """Give what a version's manifest says of the registry."""
        return {"count": self.head.count, "hash": self.head.hash, "policy": asdict(self.policy)}


class ArtistRegistry:
    """The artists' declarations, append-only.

    Parameters
    ----------
    where
        Path of a SQLite file, or the URL of a database; nothing is created before the first is recorded.
    operator
        Gives the collective's key, which signs the registry's heads.
    """

    def __init__(self, where: str | Path, operator: Callable[[], SigningKey]) -> None:
        self._log = ArtistLog(where, operator)

    def opt_out(self, artist: str, *, by: str, at: datetime, source: str = "") -> RegistryHead:
        """Record that an artist is not to be ranked or recommended."""
        return self.declare([Declaration(artist, f"{RANKING}=n", by, utc_text(at), source)])

    def opt_in(self, artist: str, *, by: str, at: datetime, source: str = "") -> RegistryHead:
        """Record that an artist may be ranked and recommended; it takes back what the same declarant said before."""
        return self.declare([Declaration(artist, f"{RANKING}=y", by, utc_text(at), source)])

    def declare(self, declarations: Iterable[Declaration]) -> RegistryHead:
        """Append declarations, all or none. One that stands in the registry already is not written again.

        Raises
        ------
        LogBrokenError
            If the registry is not whole; nothing is appended to a broken one.
        """
        return self._log.append(list(declarations))

    def declarations(self) -> list[Declaration]:
        """Read all declarations, oldest first, having checked the whole registry.

        Raises
        ------
        LogBrokenError
            If the registry was edited, cut or damaged.
        """
        return self._log.read()[0]

    def head(self) -> RegistryHead:
        """Check the whole registry and tell how far it reaches."""
        return self._log.read()[1]

    def check_reaches(self, count: int, hash: str) -> None:  # noqa: A002 - the key in manifests
        """Check that the registry once had this head: that it is the one a version was built with.

        Raises
        ------
        LogBrokenError
            If it is another registry, or its history was rewritten.
        """
        if self._log.root(count) != hash:
            raise LogBrokenError(
                f"the artists' registry never had the head {hash[:12]} of {count} declarations that the version was "
                "built with; it is another registry, or its history was rewritten"
            )

    def preferences(
        self, *, at: datetime | str, policy: ArtistPolicy | None = None, head: RegistryHead | None = None
    ) -> ArtistPreferences:
        """Tell what artists prefer at an instant.

        Parameters
        ----------
        at
            Declarations made later than this do not count.
        policy
            How to read statements that do not name rankings.
        head
            How far to look: what the registry held when a version was built. To its end unless given.

        Raises
        ------
        LogBrokenError
            If the registry is not whole, or never had that head.
        """
        declarations, now = self._log.read()
        if head is not None:
            self.check_reaches(head.count, head.hash)
        asked = head or now
        instant = at if isinstance(at, str) else utc_text(at)
        return ArtistPreferences(asked, policy or ArtistPolicy(), in_force(declarations[: asked.count], instant))


def in_force(declarations: Iterable[Declaration], at: str) -> dict[str, tuple[Statement, ...]]:
    """Give the statements in force at an instant, by what the artist is found by.

    Of each declarant and artist there is the last one recorded and, if that is another, the last one by its own time.
    """
    by_declarant: dict[tuple[str, str], list[Declaration]] = {}
    for declaration in declarations:
        if declaration.at <= at:
            by_declarant.setdefault((declaration.subject, declaration.by.strip().casefold()), []).append(declaration)
    found: dict[str, tuple[Statement, ...]] = {}
    for (artist, _), said in by_declarant.items():
        latest = max(declaration.at for declaration in said)
        last = {said[-1].statement, *(one.statement for one in said if one.at == latest)}
        found[artist] = (*found.get(artist, ()), *(read_statement(text) for text in sorted(last)))
    return found
