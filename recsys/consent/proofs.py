"""A proof that one member can show to anybody: what they decided, that it is all they decided, and since when.

It holds every entry about the member, each with the hashes that lead to the root of a signed tree head, and the place
of the last of them in the signed map of last entries. Since each entry names the one before it, none is left out. From
these entries whoever checks works out the standing by the same rule as the gate, for any instant.

For a history that was shorter, as when a dataset version was built, the proof holds the hashes that show that the tree
of that size, with the root that the version names, begins the tree of the signed head. What was entered after that size
is left aside: so "my withdrawal came before this version" is shown by its entry's number being smaller than that size.

What it cannot show is that the operator tells everybody the same history. Two people who compare their signed heads can
find that out, for of two histories only one is consistent with either head.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from recsys.canonical import Pseudonym, canonical_json, parse_json, sha256_hex
from recsys.consent.bindings import Bindings
from recsys.consent.events import FIELDS, NONE_BEFORE, Event, Head
from recsys.consent.terms import PURPOSES, Kind, Standing, standing
from recsys.errors import ProofInvalidError, RecsysError
from recsys.transparency import Envelope, VerifyKey
from recsys.transparency.heads import TreeHead
from recsys.transparency.latest import LatestProof
from recsys.transparency.merkle import consistent, leaf_hash, read_hash, root_by_inclusion

FORMAT = "recsys-consent-proof/1"


@dataclass(frozen=True)
class Earlier:
    """An earlier state of the ledger, with what shows that the signed one goes on from there.

    Parameters
    ----------
    head
        How far the ledger reached.
    path
        The consistency proof, in hex.
    version
        The dataset version that was built then; empty if it is none.
    """

    head: Head
    path: tuple[str, ...]
    version: str = ""


@dataclass(frozen=True)
class Question:
    """What a proof answers: the standing to a purpose, for a recipient (empty: none by name), at an instant."""

    purpose: str
    recipient: str
    at: str


@dataclass(frozen=True)
class Proved:
    """What a proof was found to show.

    Parameters
    ----------
    head
        The signed head that everything was checked against.
    entries
        All entries about the member up to the head.
    standing
        The answer, from the entries up to the earlier state, if there is one.
    """

    head: TreeHead
    entries: tuple[Event, ...]
    standing: Standing


@dataclass(frozen=True)
class Evidence:
    """Everything that a ledger holds about one member, with what proves it.

    Parameters
    ----------
    member
        Whom it is about.
    head
        The signed tree head that it is proved for.
    latest
        Shows which entry is the last about the member, or that there is none.
    entries
        The entries, oldest first.
    paths
        For each entry the inclusion proof, in hex.
    records
        For each entry its signed record.
    """

    member: str
    head: Envelope
    latest: LatestProof
    entries: tuple[Event, ...]
    paths: tuple[tuple[str, ...], ...]
    records: tuple[str, ...]

    def check(self, key: VerifyKey) -> TreeHead:
        """Check offline, against the operator's public key, that this is all and that it is in the signed tree.

        Raises
        ------
        ProofInvalidError
            If it does not show what it says.
        SignatureInvalidError
            If the head is not signed by `key`.
        """
        head = TreeHead.verified(self.head, key)
        previous, bound = NONE_BEFORE, Bindings(key)
        with _doubting():
            for event, path, record in zip(self.entries, self.paths, self.records, strict=True):
                if event.member != self.member or event.previous != previous:
                    raise ProofInvalidError(f"entry {event.seq} does not go on from entry {previous} of this member")
                self._check_entry(event, path, record.encode(), head)
                if bound.read(record.encode())[0] != event.word:
                    raise ProofInvalidError(f"the signed record of entry {event.seq} says something else")
                bound.follow(event.word)
                previous = event.seq
            last = self.latest.last(self.member, head.latest)
            if last != (previous if self.entries else None):
                raise ProofInvalidError(f"the last entry about this member is {last}; it is left out")
        return head

    @staticmethod
    def _check_entry(event: Event, path: Sequence[str], record: bytes, head: TreeHead) -> None:
        root = root_by_inclusion(leaf_hash(event.leaf), event.seq, head.size, _hashes(path))
        if root is None or root.hex() != head.root:
            raise ProofInvalidError(f"entry {event.seq} is not in the tree that was signed")
        if sha256_hex(record) != event.record:
            raise ProofInvalidError(f"the signed record of entry {event.seq} is another one")


@dataclass(frozen=True)
class ConsentProof:
    """An answer to a question about one member, and what proves it.

    Parameters
    ----------
    question
        What it answers.
    evidence
        Everything about the member.
    earlier
        The state for which the question is answered; ``None`` for the signed head itself.
    """

    question: Question
    evidence: Evidence
    earlier: Earlier | None = None

    def check(self, key: VerifyKey) -> Proved:
        """Check everything offline, against the operator's public key, and give the answer.

        Raises
        ------
        ProofInvalidError, SignatureInvalidError
            As in :meth:`Evidence.check`.
        """
        head = self.evidence.check(key)
        with _doubting():
            if self.earlier is not None:
                self._check_earlier(head, self.earlier)
            return Proved(head, self.evidence.entries, self._standing())

    def to_json(self) -> bytes:
        """Write it down."""
        told, earlier = self.evidence, self.earlier
        return canonical_json(
            {
                "format": FORMAT,
                "member": told.member,
                "question": asdict(self.question),
                "head": parse_json(told.head.to_json()),
                "latest": told.latest.as_dict(),
                "entries": [
                    {
                        "entry": {name: getattr(event, name) for name in FIELDS},
                        "inclusion": list(path),
                        "record": parse_json(record.encode()),
                    }
                    for event, path, record in zip(told.entries, told.paths, told.records, strict=True)
                ],
                "earlier": None
                if earlier is None
                else {
                    "count": earlier.head.count,
                    "hash": earlier.head.hash,
                    "consistency": list(earlier.path),
                    "version": earlier.version,
                },
            }
        )

    @classmethod
    def from_json(cls, data: bytes) -> ConsentProof:
        """Read one; reading proves nothing, :meth:`check` does.

        Raises
        ------
        ProofInvalidError
            If it is no proof.
        """
        with _doubting():
            told = parse_json(data)
            if told["format"] != FORMAT:
                raise ProofInvalidError(f"this is {str(told['format'])[:60]!r}; expected {FORMAT}")
            evidence = Evidence(
                member=str(told["member"]),
                head=Envelope.from_json(canonical_json(told["head"])),
                latest=LatestProof(dict(told["latest"]["bucket"]), list(told["latest"]["path"])),
                entries=tuple(_event(one["entry"]) for one in told["entries"]),
                paths=tuple(tuple(one["inclusion"]) for one in told["entries"]),
                records=tuple(canonical_json(one["record"]).decode() for one in told["entries"]),
            )
            return cls(Question(**told["question"]), evidence, _earlier(told["earlier"]))

    def _check_earlier(self, head: TreeHead, earlier: Earlier) -> None:
        old, new = read_hash(earlier.head.hash), read_hash(head.root)
        if not consistent(earlier.head.count, head.size, old, new, _hashes(earlier.path)):
            raise ProofInvalidError(f"the signed history does not go on from {earlier.head.count} entries of that root")

    def _standing(self) -> Standing:
        asked = self.question
        if asked.purpose not in PURPOSES:
            raise ProofInvalidError(f"{asked.purpose!r} is no purpose")
        until = self.earlier.head.count if self.earlier else float("inf")
        said = (e.said for e in self.evidence.entries if e.seq < until and e.about(asked.purpose, asked.recipient))
        return standing(said, asked.at)


@contextmanager
def _doubting() -> Iterator[None]:
    """Let whatever goes wrong mean that the proof does not hold."""
    try:
        yield
    except (ValueError, TypeError, LookupError, AttributeError, OverflowError, RecsysError) as error:
        raise ProofInvalidError(f"the proof does not hold: {str(error)[:300]}") from error


def _earlier(told: dict[str, Any] | None) -> Earlier | None:
    if told is None:
        return None
    if type(told["count"]) is not int:
        raise ProofInvalidError("a count is an integer")
    return Earlier(Head(told["count"], str(told["hash"])), tuple(told["consistency"]), str(told["version"]))


def _event(told: dict[str, Any]) -> Event:
    event = Event(**{**told, "member": Pseudonym.read(told["member"])})
    texts = (event.kind, event.purpose, event.recipient, event.at, event.until, event.key, event.record)
    if not all(type(text) is str for text in texts) or Kind(event.kind) not in Kind:
        raise ProofInvalidError("an entry's fields are texts")
    if type(event.seq) is not int or type(event.previous) is not int:
        raise ProofInvalidError("an entry's numbers are integers")
    return event


def _hashes(path: Sequence[str]) -> list[bytes]:
    return [read_hash(one) for one in path]
