"""Where members want their money: a file that the operator holds, with IBANs that are checked and never recorded.

A CSV file with the columns ``member`` (name or pseudonym), ``name`` (the account holder's), ``iban`` and, where the
bank asks for it, ``bic``. Nothing of it goes into a log, a statement or a message but the place of a mistake.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from recsys.errors import PayoutError

_IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}")
_BIC = re.compile(r"[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}([A-Z0-9]{3})?")
_NEEDED = {"member", "name", "iban"}
_LONGEST_NAME = 140
_MODULUS = 97
_LARGEST = 64 * 2**20
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True)
class Account:
    """An account: its holder's name, IBAN, and BIC or an empty text. Only :meth:`checked` ones get into files."""

    name: str
    iban: str = field(repr=False)
    bic: str = field(default="", repr=False)

    @classmethod
    def checked(cls, name: str, iban: str, bic: str = "") -> Account:
        """Take an account as it was typed, spaces and small letters and all.

        Raises
        ------
        PayoutError
            If the IBAN's check digits are wrong, or something is missing. The message does not repeat the IBAN.
        """
        name = " ".join(name.split())
        iban, bic = "".join(iban.split()).upper(), "".join(bic.split()).upper()
        if not name or len(name) > _LONGEST_NAME or _CONTROL.search(name):
            raise PayoutError(f"the account holder's name has {len(name)} characters; it needs 1 to {_LONGEST_NAME}")
        if not _IBAN.fullmatch(iban):
            raise PayoutError("the IBAN is not two letters, two digits and 11 to 30 letters and digits")
        if not _checks(iban):
            raise PayoutError("the IBAN's check digits are wrong (ISO 7064, mod 97-10); a character was mistyped")
        if bic and not _BIC.fullmatch(bic):
            raise PayoutError("the BIC is not 8 or 11 letters and digits")
        return cls(name, iban, bic)


def _checks(iban: str) -> bool:
    """Compute the check of ISO 13616: the rearranged number, letters as 10 to 35, leaves 1 modulo 97."""
    return int("".join(str(int(sign, 36)) for sign in iban[4:] + iban[:4])) % _MODULUS == 1


def read_accounts(path: Path, member: Callable[[str], str]) -> dict[str, Account]:
    """Read a file of accounts.

    Parameters
    ----------
    path
        The CSV file, UTF-8.
    member
        Turns what stands in the column ``member`` into the member's pseudonym.

    Returns
    -------
    Pseudonym -> account.

    Raises
    ------
    PayoutError
        If the file cannot be read, a member is named twice, or an account is not well formed; names the line.
    """
    found: dict[str, Account] = {}
    for line, row in _rows(path):
        try:
            account = Account.checked(row["name"] or "", row["iban"] or "", row.get("bic") or "")
            owner = member(row["member"] or "")
        except (PayoutError, ValueError) as error:
            raise PayoutError(f"{path.name}, line {line}: {error}; mend the line") from error
        if owner in found:
            raise PayoutError(f"{path.name}, line {line}: the member has an account already; name each member once")
        found[owner] = account
    return found


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str | None]]]:
    try:
        if path.stat().st_size > _LARGEST:
            raise PayoutError(f"{path.name} has more than {_LARGEST >> 20} MB; it should be one line for each member")
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            if missing := sorted(_NEEDED - set(reader.fieldnames or ())):
                raise PayoutError(f"{path.name} has no column {', '.join(missing)}; it needs member, name, iban")
            for row in reader:
                yield reader.line_num, row
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise PayoutError(f"{path.name} cannot be read as CSV in UTF-8: {error}") from error
