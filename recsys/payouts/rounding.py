"""Whole cents that add up: the largest-remainder method (Hamilton's), with a tie rule that anybody can repeat.

Everybody has the whole cents of their exact part; the cents that are left over go, one each, to those whose parts were
cut by most. Of equal remainders the one comes first whose tie number is smaller: the SHA-256 of the sale's name, a line
feed and the payee's name (UTF-8), which nobody can choose after the price is known and everybody can compute.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from recsys.canonical import sha256_hex


@dataclass(frozen=True)
class Rounded:
    """What rounding came to.

    Attributes
    ----------
    cents
        Of each, in the order asked; they add up to the total.
    extra
        How many got one cent more than the whole cents of their part.
    last
        The place of the last one who did: with the smallest remainder, or the highest tie number among those.
        ``None`` if nobody did.
    """

    cents: tuple[int, ...]
    extra: int
    last: int | None


def tie(sale: str, payee: str) -> str:
    """Give the number that decides between equal remainders, 64 hex digits; the smaller comes first."""
    return sha256_hex(f"{sale}\n{payee}".encode())


def largest_remainder(total: int, parts: Sequence[int], ties: Sequence[str]) -> Rounded:
    """Divide `total` in proportion to `parts`, which are whole numbers, not all zero.

    Parameters
    ----------
    total
        Cents, zero or more.
    parts
        The weight of each, zero or more.
    ties
        The tie number of each.

    Returns
    -------
    Rounded
        Each gets ``floor(total * part / sum)`` or one more; whoever has part 0 gets 0, since fewer cents are left over
        than there are remainders above 0.
    """
    whole = sum(parts)
    divided = [divmod(total * part, whole) for part in parts]
    extra = total - sum(cents for cents, _ in divided)
    order = sorted(range(len(parts)), key=lambda place: (-divided[place][1], ties[place]))[:extra]
    lucky = set(order)
    cents = tuple(cents + (place in lucky) for place, (cents, _) in enumerate(divided))
    return Rounded(cents, extra, order[-1] if order else None)
