"""The gate: listens go in, the listens of those who agree come out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from types import MappingProxyType

from recsys.canonical import Pseudonym, utc_text
from recsys.consent.events import Head
from recsys.consent.ledger import Ledger
from recsys.consent.terms import Standing
from recsys.errors import ConsentMissingError
from recsys.listens import Listens, Pool

_PASS = object()


class ConsentedListens:
    """Listens of members who agreed to `purpose` at the instant `at`; only :func:`admit` makes them.

    Iterating gives ``(pseudonym, listens)`` one member at a time, in the order of the pseudonyms, reading each
    member's listens only then; from here on nobody carries a name.

    Attributes
    ----------
    purpose, at
        What was asked, and for which instant (UTC text).
    head
        The ledger's head when it was asked.
    members
        Pseudonyms of those who were admitted, sorted.
    refused
        How many members were not admitted, by their standing.
    """

    def __init__(
        self,
        token: object,
        *,
        pool: Pool,
        names: Mapping[Pseudonym, str],
        purpose: str,
        at: str,
        head: Head,
        refused: Mapping[Standing, int],
    ) -> None:
        if token is not _PASS:
            raise TypeError("ConsentedListens are made by recsys.admit alone: ask the ledger")
        self._pool = pool
        self._names = names
        self.purpose = purpose
        self.at = at
        self.head = head
        self.members: tuple[Pseudonym, ...] = tuple(sorted(names))
        self.refused = MappingProxyType(dict(refused))

    def __len__(self) -> int:
        return len(self.members)

    def __iter__(self) -> Iterator[tuple[Pseudonym, Listens]]:
        for member in self.members:
            yield member, self._pool.read(self._names[member])

    def __reduce__(self) -> str:
        raise TypeError("ConsentedListens cannot be copied past the gate: ask the ledger again")


def admit(listens: Pool, ledger: Ledger, purpose: str, at: datetime) -> ConsentedListens:
    """Let pass the listens of those members who agreed to `purpose` at the instant `at`.

    Parameters
    ----------
    listens
        One member's listens or a pool of many members'.
    ledger
        Holds what members decided.
    purpose
        A key of :data:`recsys.consent.PURPOSES`.
    at
        The instant the question is asked for, with a time zone.

    Raises
    ------
    ConsentMissingError
        If nobody may pass.
    LedgerBrokenError
        If the ledger is not whole.
    """
    answers = ledger.answers(purpose, at)
    stands = answers.standings
    names: dict[Pseudonym, str] = {}
    refused: Counter[Standing] = Counter()
    for name in listens.members:
        member = ledger.pseudonym(name)
        answer = stands.get(member, Standing.NEVER_GIVEN)
        if answer is Standing.GIVEN:
            names[member] = name
        else:
            refused[answer] += 1
    if not names:
        raise ConsentMissingError(_nobody(len(listens.members), purpose, at, refused))
    head = answers.head
    return ConsentedListens(
        _PASS, pool=listens, names=names, purpose=purpose, at=utc_text(at), head=head, refused=refused
    )


def _nobody(asked: int, purpose: str, at: datetime, refused: Mapping[Standing, int]) -> str:
    reasons = ", ".join(f"{standing.value}: {count}" for standing, count in sorted(refused.items()))
    return (
        f"none of {asked} members agrees to {purpose!r} at {utc_text(at)} ({reasons or 'there are no listens'}); "
        "record their consent first: recsys consent grant MEMBER"
    )
