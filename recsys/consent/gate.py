"""The gate: listens go in, the listens of those who agree come out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType

import pyarrow as pa
import pyarrow.compute as pc

from recsys.canonical import Pseudonym, utc_text
from recsys.consent.events import Head
from recsys.consent.ledger import Ledger
from recsys.consent.policy import DEFAULT, Policy
from recsys.consent.terms import NAMES_RECIPIENT, Standing, one_line
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
    recipient
        The buyer it was asked for; ``None`` for purposes that name none.
    policy
        By which routes rows may come in.
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
        recipient: str | None = None,
        policy: Policy = DEFAULT,
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
        self.recipient = recipient
        self.policy = policy
        self._left_out: dict[Pseudonym, Mapping[str, int]] = {}

    @property
    def refused_routes(self) -> dict[str, int]:
        """How many rows of the members read so far were left out because of how they came, by route."""
        return dict(sum(map(Counter, self._left_out.values()), Counter()))

    def __len__(self) -> int:
        return len(self.members)

    def __iter__(self) -> Iterator[tuple[Pseudonym, Listens]]:
        for member in self.members:
            listens = self._pool.read(self._names[member])
            kept, self._left_out[member] = _by_policy(listens, self.policy)
            yield member, kept

    def __reduce__(self) -> str:
        raise TypeError("ConsentedListens cannot be copied past the gate: ask the ledger again")


def admit(
    listens: Pool,
    ledger: Ledger,
    purpose: str,
    at: datetime,
    *,
    recipient: str | None = None,
    policy: Policy = DEFAULT,
    count: int | None = None,
) -> ConsentedListens:
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
    recipient
        The buyer, for the purpose that names one.
    policy
        By which routes rows may come in; the others are left out and counted.
    count
        Ask the ledger as it was when it had so many entries, to build a version again. As it is now unless given.

    Raises
    ------
    ConsentMissingError
        If nobody may pass.
    LedgerBrokenError
        If the ledger is not whole.
    ValueError
        If there is no such purpose, or a buyer is missing or out of place.
    """
    if (purpose == NAMES_RECIPIENT) != (recipient is not None):
        raise ValueError(f"{NAMES_RECIPIENT} is asked for one buyer, and no other purpose is; this asks {purpose!r}")
    buyer = None if recipient is None else one_line(recipient, "a recipient's name")
    answers = ledger.answers(purpose, at, buyer, count=count)
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
    return ConsentedListens(
        _PASS,
        pool=listens,
        names=names,
        purpose=purpose,
        at=utc_text(at),
        head=answers.head,
        refused=refused,
        recipient=buyer,
        policy=policy,
    )


def _by_policy(listens: Listens, policy: Policy) -> tuple[Listens, Mapping[str, int]]:
    """Leave out the rows of refused routes, and count them."""
    routes = listens.table["route"]
    refused = [route for route in routes.unique().to_pylist() if not policy.admits(route)]
    if not refused:
        return listens, {}
    out = pc.is_in(routes, value_set=pa.array(refused, pa.string()))
    counts = Counter(listens.table.filter(out)["route"].to_pylist())
    return replace(listens, table=listens.table.filter(pc.invert(out))), counts


def _nobody(asked: int, purpose: str, at: datetime, refused: Mapping[Standing, int]) -> str:
    reasons = ", ".join(f"{standing.value}: {count}" for standing, count in sorted(refused.items()))
    return (
        f"none of {asked} members agrees to {purpose!r} at {utc_text(at)} ({reasons or 'there are no listens'}); "
        "record their consent first: recsys consent grant MEMBER"
    )
