"""Grant files as Vana's SDK writes and checks them, and names of members that differ for every buyer.

A grant file says who may do what with which files: ``grantee`` (the address of an account), ``operation``, ``files``
(numbers in its registry), ``parameters``, and optionally ``expires`` (seconds since 1970); nothing else
(vana-com/vana-sdk, packages/vana-sdk/src/schemas/grantFile.schema.json).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from recsys.canonical import Pseudonym, Pseudonyms, canonical_json, parse_json, sha256_hex
from recsys.consent.terms import one_line
from recsys.errors import LicenceInvalidError
from recsys.home import Home

_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
_NEEDED = ("grantee", "operation", "files", "parameters")


@dataclass(frozen=True)
class Grant:
    """A grant.

    Parameters
    ----------
    grantee
        Address of an account: ``0x`` and 40 hex digits.
    operation
        What they may do.
    files
        Numbers of the files that it covers, each once.
    parameters
        What the operation is told: any JSON object.
    expires
        When it ends, in seconds since 1970; ``None`` if it does not.

    Raises
    ------
    LicenceInvalidError
        Names the field that is not so.
    """

    grantee: str
    operation: str
    files: tuple[int, ...]
    parameters: Mapping[str, Any] = field(default_factory=dict)
    expires: int | None = None

    def __post_init__(self) -> None:
        whole = all(type(number) is int and number >= 0 for number in self.files)
        rules = (
            ("grantee is an address, 0x and 40 hex digits", _is_address(self.grantee), self.grantee),
            ("operation is text", isinstance(self.operation, str) and bool(self.operation), self.operation),
            ("files are whole numbers, each once", whole and len(set(self.files)) == len(self.files), self.files),
            ("parameters are an object", isinstance(self.parameters, Mapping), self.parameters),
            (
                "expires is a whole number of seconds, or left out",
                self.expires is None or (type(self.expires) is int and self.expires >= 0),
                self.expires,
            ),
        )
        for words, holds, found in rules:
            if not holds:
                raise LicenceInvalidError(f"in a grant, {words}; this one says {found!r:.80}")

    @property
    def uid(self) -> str:
        """Names it by its content."""
        return f"urn:recsys:grant:{sha256_hex(self.to_bytes())}"

    def ended(self, at: datetime) -> bool:
        """Tell whether it has expired."""
        return self.expires is not None and at.astimezone(UTC).timestamp() >= self.expires

    def to_bytes(self) -> bytes:
        """Write the grant file: canonical JSON with its keys and no other."""
        told = {"grantee": self.grantee, "operation": self.operation, "files": list(self.files)}
        until = {} if self.expires is None else {"expires": self.expires}
        return canonical_json({**told, "parameters": dict(self.parameters), **until})

    @classmethod
    def from_bytes(cls, data: bytes) -> Grant:
        """Read a grant file.

        Raises
        ------
        LicenceInvalidError
            If it is none: a key is missing, one is there that does not belong, or a value is of another kind.
        """
        try:
            told = parse_json(data)
        except ValueError as error:
            raise LicenceInvalidError(f"this is no grant file: {error}") from error
        if not isinstance(told, dict) or not isinstance(told.get("files", []), list):
            raise LicenceInvalidError("this is no grant file: it is no object, or its files are no list")
        missing = [name for name in _NEEDED if name not in told]
        unknown = sorted(set(told) - {*_NEEDED, "expires"})
        if missing or unknown:
            said = f"{', '.join(missing)} missing" if missing else f"{', '.join(unknown)} too many"
            raise LicenceInvalidError(f"a grant has {', '.join(_NEEDED)} and perhaps expires, nothing else; {said}")
        if told.get("expires", 0) is None:
            raise LicenceInvalidError(
                "in a grant, expires is a whole number of seconds, or left out; this one says null"
            )
        return cls(told["grantee"], told["operation"], tuple(told["files"]), told["parameters"], told.get("expires"))


def buyer_pseudonym(home: Home, buyer: str, member: str) -> Pseudonym:
    """Give the name under which a buyer may be told of a member: another for each buyer, so that they cannot join them.

    It is an HMAC of buyer and member under ``keys/buyers.key``, which never leaves the home.

    Parameters
    ----------
    home
        The collective's folder of state.
    buyer
        The buyer.
    member
        The member's name or pseudonym.
    """
    names = Pseudonyms.at(home.path / "keys" / "buyers.key")
    return names.of(f"{one_line(buyer, 'the buyer')}\n{home.pseudonyms.of(member)}")


def _is_address(value: object) -> bool:
    return isinstance(value, str) and _ADDRESS.fullmatch(value) is not None
