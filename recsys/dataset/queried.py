"""The answer to a query that others were asked for becomes a dataset version, marked as what it is."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

from recsys.canonical import Pseudonym, Pseudonyms
from recsys.dataset.builder import canonical, refuse_too_small
from recsys.dataset.manifest import QUERIED
from recsys.dataset.opted_out import find_artists
from recsys.dataset.reading import read_plays
from recsys.dataset.version import DatasetVersion, Parts, assemble
from recsys.listens import KEY_EDITION, Listens, Pool


class _Answered:
    """The members of an answer, under pseudonyms that its query alone tells."""

    def __init__(self, pool: Pool, secret: str) -> None:
        self._pool = pool
        pseudonyms = Pseudonyms(hashlib.sha256(secret.encode()).digest())
        self._names = {pseudonyms.of(name): name for name in pool.members}

    def __len__(self) -> int:
        return len(self._names)

    def __iter__(self) -> Iterator[tuple[Pseudonym, Listens]]:
        for member in sorted(self._names):
            yield member, self._pool.read(self._names[member])


def from_query(
    pool: Pool, *, source: Mapping[str, Any], secret: str, min_listeners: int, counted: str = "as the answer counts"
) -> DatasetVersion:
    """Make a version of the answer to a query, for ever marked ``queried``.

    Who answers a query has asked the members (on Vana: the query engine, which checks the permission that its signature
    stands for); this collective's ledger knows nothing of it. So such a version can train and be tested where it was
    answered, and can never pass for one whose consents can be checked here.

    Parameters
    ----------
    pool
        The answer.
    source
        What is known of the query; has a ``name``.
    secret
        Makes the members' pseudonyms; the same query gives the same version.
    min_listeners
        An artist with fewer listeners is left out.
    counted
        What a play is.

    Raises
    ------
    DatasetTooSmallError
        If fewer than two members or two artists are left.
    """
    told = _Answered(pool, secret)
    read = read_plays(told)
    found, plays, _ = find_artists(read.spellings, read.pairs, min_listeners=min_listeners, ids=None, preferences=None)
    members, names, pairs = canonical(read.members, found, plays)
    refuse_too_small(members, names, f"{len(told)} members in the answer", min_listeners)
    facts: dict[str, Any] = {
        "provenance": QUERIED,
        "purpose": None,
        "at": None,
        "ledger": None,
        "parent": None,
        "rules": {"play": counted, "min_listeners": min_listeners, "artists": KEY_EDITION},
        "counts": {"left_out": {**found.left_out, "members_without_artists": len(read.members) - len(members)}},
        "source": dict(source),
    }
    return assemble(Parts(members, names, pairs, found.spellings), facts)
