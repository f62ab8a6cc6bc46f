"""The registry of artists: who opted out of rankings, who opted in, on whose word.

An artist has a say although no law here asks for it: who was listened to is the members' data, but the recommendations
are about the artists. Nobody is asked to register in order to be recommended; an opt-out keeps an artist out of every
version built from then on.

Each declarant's last word counts, and among declarants the combine rule of :mod:`recsys.consent.preferences`: so an
artist can take back their own opt-out, and nobody can take back another's. Where the order of recording and the stated
times disagree about which word is the last, both are heard, and a "no" among them stands.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from recsys.canonical import canonical_json, one_at_a_time, parse_json, utc_text, write_atomically
from recsys.consent.chain import Head
from recsys.consent.preferences import RANKING, ArtistPolicy, Preference, Statement, ranking_preference, read_statement
from recsys.errors import LedgerBrokenError
from recsys.listens import artist_key
from recsys.transparency.merkle import Frontier, leaf_hash

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

    head: Head
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
    path
        Where they are kept; nothing is created before the first is recorded.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def opt_out(self, artist: str, *, by: str, at: datetime, source: str = "") -> Head:
        """Record that an artist is not to be ranked or recommended."""
        return self.declare([Declaration(artist, f"{RANKING}=n", by, utc_text(at), source)])

    def opt_in(self, artist: str, *, by: str, at: datetime, source: str = "") -> Head:
        """Record that an artist may be ranked and recommended; it takes back what the same declarant said before."""
        return self.declare([Declaration(artist, f"{RANKING}=y", by, utc_text(at), source)])

    def declare(self, declarations: Iterable[Declaration]) -> Head:
        """Append declarations, all or none. One that stands in the registry already is not written again."""
        with one_at_a_time(self.path.with_suffix(".lock")):
            leaves = self._leaves()
            fresh = dict.fromkeys(canonical_json(asdict(declaration)) for declaration in declarations)
            leaves += [leaf for leaf in fresh if leaf not in set(leaves)]
            write_atomically(self.path, b"".join(leaf + b"\n" for leaf in leaves))
        return _head(leaves)

    def declarations(self, count: int | None = None) -> list[Declaration]:
        """Read the first `count` declarations, or all, oldest first.

        Raises
        ------
        LedgerBrokenError
            If the registry was edited, cut or damaged.
        """
        return [_declaration(leaf) for leaf in self._leaves()[:count]]

    def preferences(
        self, *, at: datetime | str, policy: ArtistPolicy | None = None, count: int | None = None
    ) -> ArtistPreferences:
        """Tell what artists prefer at an instant.

        Parameters
        ----------
        at
            Declarations made later than this do not count.
        policy
            How to read statements that do not name rankings.
        count
            How many declarations to look at: what the registry held when a version was built. All unless given.
        """
        leaves = self._leaves()[:count]
        instant = at if isinstance(at, str) else utc_text(at)
        statements = in_force(map(_declaration, leaves), instant)
        return ArtistPreferences(_head(leaves), policy or ArtistPolicy(), statements)

    def _leaves(self) -> list[bytes]:
        return self.path.read_bytes().splitlines() if self.path.exists() else []


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


def _head(leaves: Iterable[bytes]) -> Head:
    _, frontier = Frontier().grown(leaf_hash(leaf) for leaf in leaves)
    return Head(frontier.size, frontier.root.hex())


def _declaration(leaf: bytes) -> Declaration:
    try:
        return Declaration(**parse_json(leaf))
    except (ValueError, TypeError) as error:
        raise LedgerBrokenError(f"the artists' registry holds an entry that is no declaration ({error})") from error
