"""Everything that is known of one member goes; and how a member comes back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from recsys.canonical import Pseudonym, utc_text
from recsys.consent import Kind, Standing
from recsys.home import Home
from recsys.listens import Tombstone

_DONE = {
    "keys/data": "data key destroyed ({:,} file): no copy of what they handed in can be read any more",
    "contributions": "contributions removed: {:,}",
    "proof": "files removed that the proof of contribution kept of them: {:,}",
    "datasets": "stored versions from which their rows were taken: {:,}",
}
_GIVING = {kind.value for kind in Kind if kind.gives}


@dataclass(frozen=True)
class Erased:
    """What an erasure came to.

    Attributes
    ----------
    member
        Whose data they were.
    at
        When (UTC text).
    removed
        Files that were destroyed, or from which the member's part was taken, seen from the home folder. Empty where
        an earlier erasure had left nothing.
    """

    member: Pseudonym
    at: str
    removed: tuple[str, ...]

    def words(self) -> list[str]:
        """Say it, a sentence a line."""
        counts = {kind: sum(path.startswith(kind) for path in self.removed) for kind in _DONE}
        lines = [words.format(counts[kind]) for kind, words in _DONE.items() if counts[kind]]
        kept = "kept: the ledger's entries and the signed records, which show that consent was given and taken back"
        return [*(lines or ["there was nothing left to erase"]), kept]


def keeps_nothing(home: Home, member: str, at: datetime) -> bool:
    """Tell whether a member agrees to nothing any more, so that there is no reason to keep their data."""
    history = home.ledger.history(member)
    pseudonym = home.pseudonyms.of(member)
    agreed = {(event.purpose, event.recipient) for event in history if event.kind in _GIVING}
    return not any(
        home.ledger.standings(purpose, at, recipient or None).get(pseudonym) is Standing.GIVEN
        for purpose, recipient in agreed
    )


def erase(home: Home, member: str, *, at: datetime) -> Erased:
    """Erase everything personal of a member that the home holds; doing it again finishes what was begun.

    Raises
    ------
    LedgerBrokenError
        If the ledger is not whole; nothing is erased then.
    """
    pseudonym = home.pseudonyms.of(member)
    stone = Tombstone(utc_text(at), home.ledger.head().count)
    removed = [
        *home.contributions.erase(pseudonym, stone),
        *_forget(home.path / "proof", pseudonym),
        *home.datasets.erase(pseudonym),
    ]
    return Erased(pseudonym, stone.at, tuple(_seen_from(home.path, path) for path in removed))


def welcome_back(home: Home) -> tuple[Pseudonym, ...]:
    """Let erased members contribute again of whom a grant was recorded after the erasure; give who they are."""
    stones = home.contributions.keys.tombstones()
    if not stones:
        return ()
    grants = (event for event in home.ledger.events() if event.kind in _GIVING)
    last_grant = {event.member: event.seq for event in grants}
    back = tuple(member for member, stone in stones.items() if last_grant.get(member, -1) >= stone.entries)
    for member in back:
        home.contributions.reopen(member)
    return back


def _forget(folder: Path, member: Pseudonym) -> list[Path]:
    """Remove what bears a member's pseudonym in its name."""
    found = sorted(folder.rglob(f"*{member}*")) if folder.is_dir() else []
    for path in found:
        path.unlink()
    return found


def _seen_from(home: Path, path: Path) -> str:
    return path.relative_to(home).as_posix()
