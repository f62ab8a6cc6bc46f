"""What the proof of contribution keeps of members: sketches, and what they were awarded.

::

    proof/
      <pseudonym>.sketch    the member's place in the order of coming, the exports sketched, the sketch
      <pseudonym>.awards    a JSON list: points, when, by which table

A sketch is personal: whoever has it can test a guessed history. So both files are encrypted under the member's data key
(AES-256-GCM, as contributions are): where that key is destroyed they are noise, in every backup too. What is left of a
member who has no contributions any more is removed by the next :meth:`ProofStore.refresh`.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from cryptography.exceptions import InvalidTag

from recsys.canonical import Pseudonym, canonical_json, write_atomically
from recsys.errors import ConfigError
from recsys.listens import Contributions
from recsys.parallel import in_processes
from recsys.proof.history import History
from recsys.proof.sketch import EDITION, Sketch

_NONCE_BYTES = 12
_SKETCH, _AWARDS = ".sketch", ".awards"


@dataclass(frozen=True, eq=False)
class Sketched:
    """A stored sketch.

    Attributes
    ----------
    member
        Whose.
    arrival
        The member's place in the order of coming, from 0.
    exports
        SHA-256 of each export that was sketched, sorted.
    sketch
        The sketch.
    """

    member: Pseudonym
    arrival: int
    exports: tuple[str, ...]
    sketch: Sketch

    def to_bytes(self) -> bytes:
        """Write it: a line of JSON, then the sketch."""
        head = {"arrival": self.arrival, "edition": EDITION, "exports": list(self.exports)}
        return canonical_json(head) + b"\n" + self.sketch.to_bytes()

    @classmethod
    def from_bytes(cls, member: Pseudonym, data: bytes) -> Sketched | None:
        """Read it back; ``None`` if it was made by other rules."""
        head, _, rest = data.partition(b"\n")
        facts = json.loads(head)
        if facts["edition"] != EDITION:
            return None
        return cls(member, facts["arrival"], tuple(facts["exports"]), Sketch.from_bytes(rest))


@dataclass(frozen=True)
class Award:
    """Points that a member was awarded.

    Parameters
    ----------
    points
        How many.
    at
        When (UTC text).
    scorer
        By which table.
    """

    points: int
    at: str
    scorer: str


class ProofStore:
    """A folder of sketches and awards.

    Parameters
    ----------
    folder
        The folder itself, for example ``home / "proof"``; made when something is first stored.
    contributions
        What members handed in, and their data keys.
    """

    def __init__(self, folder: Path, contributions: Contributions) -> None:
        self.folder = folder
        self.contributions = contributions

    def refresh(self, *, progress: Callable[[int, int], None] | None = None, workers: int = 0) -> list[Sketched]:
        """Sketch who is new or handed in more, forget who is gone; give all in the order of coming.

        One member's listens are in memory at a time for each process, and each sketch is stored as it is made: a run
        that was killed goes on where it stopped. Members who come in one refresh come in the order of their pseudonyms.

        Parameters
        ----------
        progress
            Called with the number of members sketched and of those to sketch.
        workers
            Processes; 0 means as many as this process may use cores.
        """
        members = self.contributions.members
        self._forget_others(set(members))
        known = {member: stored for member in members if (stored := self._sketched(member))}
        stale = [member for member in members if not self._fresh(known.get(member), member)]
        arrival = 1 + max((stored.arrival for stored in known.values()), default=-1)
        for done, (member, exports, sketch) in enumerate(self._sketches(stale, workers), start=1):
            if member in known:
                stored = Sketched(member, known[member].arrival, exports, sketch)
            else:
                stored = Sketched(member, arrival, exports, sketch)
                arrival += 1
            self._write(member, _SKETCH, stored.to_bytes())
            known[member] = stored
            if progress:
                progress(done, len(stale))
        return sorted(known.values(), key=lambda stored: (stored.arrival, stored.member))

    def forget(self, member: Pseudonym) -> bool:
        """Remove what is kept of a member; tell whether there was anything."""
        kept = [path for name in (_SKETCH, _AWARDS) if (path := self._path(member, name)).exists()]
        for path in kept:
            path.unlink()
        return bool(kept)

    def awards(self, member: Pseudonym) -> list[Award]:
        """Give what a member was awarded before, in the order of time."""
        data = self._read(member, _AWARDS)
        return [Award(**award) for award in json.loads(data)] if data else []

    def award(self, member: Pseudonym, award: Award) -> None:
        """Record an award."""
        awards = [asdict(earlier) for earlier in [*self.awards(member), award]]
        self._write(member, _AWARDS, canonical_json(awards))

    def _sketches(
        self, members: Sequence[Pseudonym], workers: int
    ) -> Iterator[tuple[Pseudonym, tuple[str, ...], Sketch]]:
        return in_processes(partial(_sketch, self.contributions), members, workers=workers)

    def _fresh(self, stored: Sketched | None, member: Pseudonym) -> bool:
        return stored is not None and stored.exports == self.contributions.exports(member)

    def _forget_others(self, members: set[Pseudonym]) -> None:
        for path in self.folder.iterdir() if self.folder.is_dir() else ():
            if path.suffix in {_SKETCH, _AWARDS} and path.stem not in members:
                path.unlink()

    def _sketched(self, member: Pseudonym) -> Sketched | None:
        data = self._read(member, _SKETCH)
        try:
            return Sketched.from_bytes(member, data) if data else None
        except (ValueError, KeyError, TypeError, OSError) as fault:
            raise ConfigError(
                f"the sketch of {member[:12]} is damaged ({fault}); delete {self._path(member, _SKETCH)}"
            ) from fault

    def _read(self, member: Pseudonym, name: str) -> bytes | None:
        path = self._path(member, name)
        if not path.exists():
            return None
        data = path.read_bytes()
        try:
            return self.contributions.keys.of(member).decrypt(
                data[:_NONCE_BYTES], data[_NONCE_BYTES:], _bound_to(member, name)
            )
        except (InvalidTag, ValueError):
            raise ConfigError(
                f"{path} does not fit its member, its name and the member's data key; put it back from a backup "
                "(a sketch may be deleted: it is made anew)"
            ) from None

    def _write(self, member: Pseudonym, name: str, content: bytes) -> None:
        nonce = secrets.token_bytes(_NONCE_BYTES)
        cipher = self.contributions.keys.make(member)
        write_atomically(self._path(member, name), nonce + cipher.encrypt(nonce, content, _bound_to(member, name)))

    def _path(self, member: Pseudonym, name: str) -> Path:
        return self.folder / f"{member}{name}"


def _sketch(contributions: Contributions, member: Pseudonym) -> tuple[Pseudonym, tuple[str, ...], Sketch]:
    listens = contributions.read(member)
    return member, listens.exports, Sketch.of(History.of(listens.table))


def _bound_to(member: Pseudonym, name: str) -> bytes:
    return canonical_json({"format": "recsys-proof/1", "member": member, "name": name})
