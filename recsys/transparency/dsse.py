"""Signed documents: DSSE envelopes (github.com/secure-systems-lab/dsse, protocol 1.0).

What is signed is not the payload alone but its pre-authentication encoding, which holds the payload's type: a signed
consent can never pass for a signed tree head. A key id in an envelope is an unsigned hint, so it narrows which
signatures are tried and proves nothing.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from recsys.canonical import canonical_json, parse_json
from recsys.errors import SignatureInvalidError
from recsys.transparency.keys import SigningKey, VerifyKey

MAX_BYTES = 1 << 20
"""The longest envelope that is read."""

_URL_SAFE = str.maketrans("-_", "+/")


def pae(payload_type: str, payload: bytes) -> bytes:
    """Give the bytes that are signed: ``"DSSEv1" SP LEN(type) SP type SP LEN(payload) SP payload``."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


@dataclass(frozen=True)
class Signature:
    """One signature in an envelope; `keyid` may be empty."""

    keyid: str
    sig: bytes


@dataclass(frozen=True)
class Envelope:
    """A payload, its type, and who signed it. Reading one proves nothing: :meth:`verify` gives the payload."""

    payload_type: str
    payload: bytes
    signatures: tuple[Signature, ...]

    def verify(self, key: VerifyKey, payload_type: str) -> bytes:
        """Give the payload, if `key` signed it as a `payload_type`.

        Raises
        ------
        SignatureInvalidError
            If the payload is of another type or no signature here is that key's.
        """
        self.expect(payload_type)
        if not self.by([key]).signatures:
            named = ", ".join(signature.keyid[:12] or "no key named" for signature in self.signatures) or "nobody"
            raise SignatureInvalidError(
                f"no signature of key {key.id[:12]} fits this {payload_type} (signed by: {named}); "
                "it was changed after signing, or somebody else signed it"
            )
        return self.payload

    def expect(self, payload_type: str) -> None:
        """Refuse a payload of another type."""
        if self.payload_type != payload_type:
            raise SignatureInvalidError(f"this envelope holds {self.payload_type!r}; expected {payload_type!r}")

    def by(self, keys: Iterable[VerifyKey]) -> Envelope:
        """Give this envelope with the signatures of `keys` alone: those that fit, one for each key, in its name.

        How many of a number of trusted keys signed is the length of what is left in `signatures`.
        """
        signed = pae(self.payload_type, self.payload)
        fitting = (
            Signature(key.id, one.sig)
            for key in sorted(set(keys), key=lambda key: key.id)
            for one in [s for s in self.signatures if s.keyid in {"", key.id} and key.verifies(s.sig, signed)][:1]
        )
        return replace(self, signatures=tuple(fitting))

    def signed_also(self, key: SigningKey) -> Envelope:
        """Add one more signature."""
        signature = Signature(key.public.id, key.sign(pae(self.payload_type, self.payload)))
        return replace(self, signatures=(*self.signatures, signature))

    def to_json(self) -> bytes:
        """Write the envelope; the same envelope gives the same bytes."""
        signatures = [{"keyid": s.keyid, "sig": _base64(s.sig)} for s in self.signatures]
        return canonical_json(
            {"payload": _base64(self.payload), "payloadType": self.payload_type, "signatures": signatures}
        )

    @classmethod
    def from_json(cls, data: bytes) -> Envelope:
        """Read an envelope. Both base64 alphabets are understood; what is not an envelope to the letter is refused.

        Raises
        ------
        SignatureInvalidError
            Says what is wrong with it.
        """
        if len(data) > MAX_BYTES:
            raise SignatureInvalidError(f"an envelope of {len(data):,} bytes is refused; it may have {MAX_BYTES:,}")
        try:
            document = parse_json(data)
        except ValueError as error:
            raise SignatureInvalidError(f"this is no JSON envelope: {error}") from error
        fields = _object(document, {"payload", "payloadType", "signatures"}, "an envelope")
        signatures = fields.get("signatures", [])
        if not isinstance(signatures, list) or not signatures:
            raise SignatureInvalidError("an envelope's `signatures` is a list of one or more; this one is not")
        return cls(_text(fields, "payloadType"), _bytes(fields, "payload"), tuple(map(_signature, signatures)))


def sign(payload_type: str, payload: bytes, key: SigningKey) -> Envelope:
    """Put `payload` into an envelope and sign it."""
    return Envelope(payload_type, payload, ()).signed_also(key)


def _signature(document: Any) -> Signature:  # noqa: ANN401 - any JSON value
    fields = _object(document, {"keyid", "sig"}, "a signature")
    return Signature(_text(fields, "keyid"), _bytes(fields, "sig"))


def _object(document: Any, names: set[str], what: str) -> dict[str, Any]:  # noqa: ANN401 - any JSON value
    if not isinstance(document, dict) or not document.keys() <= names:
        raise SignatureInvalidError(f"{what} is an object with {', '.join(sorted(names))} and nothing else")
    return document


def _text(fields: dict[str, Any], name: str) -> str:
    """Give a field's text; an empty field may be left out (DSSE envelope, "Empty fields may be omitted")."""
    text = fields.get(name, "")
    if not isinstance(text, str):
        raise SignatureInvalidError(f"`{name}` in an envelope is text; this is {type(text).__name__}")
    return text


def _bytes(fields: dict[str, Any], name: str) -> bytes:
    """Decode base64 of either alphabet, refusing what has another spelling: those bytes would have two names."""
    text = _text(fields, name)
    plain = text if "+" in text or "/" in text else text.translate(_URL_SAFE)
    try:
        data = base64.b64decode(plain, validate=True)
    except (binascii.Error, ValueError) as error:
        raise SignatureInvalidError(f"`{name}` in an envelope is not base64: {error}") from error
    if _base64(data) != plain:
        raise SignatureInvalidError(f"`{name}` in an envelope is not base64 in its one spelling")
    return data


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
