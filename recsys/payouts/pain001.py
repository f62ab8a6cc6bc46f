"""Payments as a bank takes them: ISO 20022 ``pain.001.001.09``, CustomerCreditTransferInitiationV09.

One message holds one batch: a group header with count and control sum, one payment information with the collective's
account, and one transaction for each payee. Everything in it follows from what is given, so writing a batch again gives
the same bytes, and a bank knows a message that it has seen by its ``MsgId`` and each payment by its ``EndToEndId``.
"""

from __future__ import annotations

import unicodedata
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from recsys.errors import PayoutError
from recsys.payouts.accounts import Account

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"

_NO_CENTS = frozenset(
    "BHD BIF CLF CLP DJF GNF IQD ISK JOD JPY KMF KRW KWD LYD OMR PYG RWF TND UGX UYI UYW VND VUV XAF XOF XPF".split()  # noqa: SIM905 - a list of codes reads best so
)
_ALLOWED = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/-?:().,'+ ")
_SPECIAL = str.maketrans(
    dict(zip("ßæÆøØœŒłŁđðþ", "ss ae AE o O oe OE l L d d th".split(), strict=True))  # noqa: SIM905 - a list reads best so
)
_LONGEST_NAME = 70
_LONGEST_ID = 35
_MOST_DIGITS = 15  # of an amount in cents, where the schema allows 18


@dataclass(frozen=True)
class Transfer:
    """One payment.

    Attributes
    ----------
    reference
        Tells it from all others for ever: at most 35 characters.
    account
        Where it goes.
    cents
        How much, above zero.
    """

    reference: str
    account: Account
    cents: int


@dataclass(frozen=True)
class Batch:
    """Payments that are made together.

    Attributes
    ----------
    message
        Names the message: at most 35 characters.
    payer
        The collective's own account.
    currency
        ISO 4217, one whose unit has a hundred cents.
    at
        When the batch was made; payment is asked for on that day (UTC).
    purpose
        What payees read on their statement.
    transfers
        One or more.
    """

    message: str
    payer: Account
    currency: str
    at: datetime
    purpose: str
    transfers: Sequence[Transfer]


def pain001(batch: Batch) -> bytes:
    """Write a batch.

    Raises
    ------
    PayoutError
        If there is nothing to pay, an amount is not above zero, two payments have one reference, or the currency has
        no cents.
    """
    _check(batch)
    count, total = str(len(batch.transfers)), _amount(sum(transfer.cents for transfer in batch.transfers))
    root = ET.Element("Document", xmlns=NAMESPACE)
    initiation = ET.SubElement(root, "CstmrCdtTrfInitn")
    _add(
        initiation,
        ("GrpHdr", [("MsgId", batch.message), ("CreDtTm", f"{batch.at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"),
                    ("NbOfTxs", count), ("CtrlSum", total), ("InitgPty", [("Nm", latin(batch.payer.name))])]),
    )  # fmt: skip
    information = ET.SubElement(initiation, "PmtInf")
    _add(
        information,
        ("PmtInfId", batch.message),
        ("PmtMtd", "TRF"),
        ("NbOfTxs", count),
        ("CtrlSum", total),
        ("ReqdExctnDt", [("Dt", f"{batch.at.astimezone(UTC):%Y-%m-%d}")]),
        ("Dbtr", [("Nm", latin(batch.payer.name))]),
        ("DbtrAcct", _iban(batch.payer)),
        ("DbtrAgt", _bank(batch.payer)),
        ("ChrgBr", "SLEV" if batch.currency == "EUR" else "SHAR"),
    )
    for transfer in batch.transfers:
        information.append(_transaction(transfer, batch))
    ET.indent(root)
    written: bytes = ET.tostring(root, encoding="utf-8")
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + written + b"\n"


def _transaction(transfer: Transfer, batch: Batch) -> ET.Element:
    made = ET.Element("CdtTrfTxInf")
    _add(made, ("PmtId", [("EndToEndId", transfer.reference)]))
    amount = ET.SubElement(ET.SubElement(made, "Amt"), "InstdAmt", Ccy=batch.currency)
    amount.text = _amount(transfer.cents)
    if transfer.account.bic:
        _add(made, ("CdtrAgt", _bank(transfer.account)))
    _add(
        made,
        ("Cdtr", [("Nm", latin(transfer.account.name))]),
        ("CdtrAcct", _iban(transfer.account)),
        ("RmtInf", [("Ustrd", latin(batch.purpose, 140))]),
    )
    return made


def _add(parent: ET.Element, *children: tuple[str, Any]) -> None:
    for name, held in children:
        child = ET.SubElement(parent, name)
        if isinstance(held, str):
            child.text = held
        else:
            _add(child, *held)


def _iban(account: Account) -> list[tuple[str, Any]]:
    return [("Id", [("IBAN", account.iban)])]


def _bank(account: Account) -> list[tuple[str, Any]]:
    """Name a bank; where no BIC is known, say so as the European Payments Council has it."""
    return [("FinInstnId", [("BICFI", account.bic)] if account.bic else [("Othr", [("Id", "NOTPROVIDED")])])]


def _amount(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"


def latin(text: str, longest: int = _LONGEST_NAME) -> str:
    """Write a text in the characters that every bank takes (EPC217-08): accents fall away, what is left over is a dot.

    No such text begins or ends with ``/`` or holds ``//``.
    """
    plain = unicodedata.normalize("NFKD", text.translate(_SPECIAL))
    kept = "".join(sign if sign in _ALLOWED else "." for sign in plain if not unicodedata.combining(sign))
    while "//" in kept:
        kept = kept.replace("//", "/")
    return kept[:longest].strip("/ ") or "."


def _check(batch: Batch) -> None:
    references = [batch.message, *(transfer.reference for transfer in batch.transfers)]
    if not batch.transfers:
        raise PayoutError("there is nobody to pay; name accounts of members who have something to get")
    if len(set(references[1:])) < len(references) - 1 or any(not 0 < len(one) <= _LONGEST_ID for one in references):
        raise PayoutError(f"each payment needs a reference of its own, of 1 to {_LONGEST_ID} characters")
    if any(not 0 < transfer.cents < 10**_MOST_DIGITS for transfer in batch.transfers):
        raise PayoutError("an amount is not above zero, or beyond what a bank takes; pay whole cents above zero")
    if len(batch.currency) != 3 or not batch.currency.isalpha() or batch.currency in _NO_CENTS:  # noqa: PLR2004 - ISO 4217
        raise PayoutError(f"{batch.currency!r} is no currency whose unit has a hundred cents; name one, as USD or EUR")
