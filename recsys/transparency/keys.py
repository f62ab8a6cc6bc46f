"""Ed25519 keys (RFC 8032) in PEM files: who can sign, and how anybody checks it."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from recsys.canonical import create_once, sha256_hex
from recsys.errors import ConfigError, SignatureInvalidError

SEED_BYTES = 32
_PUBLIC_BYTES = 32
_DID = "did:key:z"
_ED25519 = b"\xed\x01"
"""How multicodec marks the 32 bytes of an Ed25519 public key."""
_LONGEST_DID = 64
_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def _random_seed() -> bytes:
    return secrets.token_bytes(SEED_BYTES)


@dataclass(frozen=True)
class VerifyKey:
    """A public key: checks signatures, and may be shown to everybody.

    Parameters
    ----------
    raw
        The 32 bytes of RFC 8032, section 5.1.5.

    Raises
    ------
    SignatureInvalidError
        If there are not 32 bytes.
    """

    raw: bytes

    def __post_init__(self) -> None:
        if len(self.raw) != _PUBLIC_BYTES:
            raise SignatureInvalidError(f"a public key has {_PUBLIC_BYTES} bytes; this one has {len(self.raw)}")

    @classmethod
    def from_pem(cls, text: str | bytes) -> VerifyKey:
        """Read a public key as :attr:`pem` and ``openssl pkey -pubout`` write it.

        Raises
        ------
        SignatureInvalidError
            If the text is no Ed25519 public key.
        """
        data = text.encode() if isinstance(text, str) else text
        try:
            key = load_pem_public_key(data)
        except (ValueError, UnsupportedAlgorithm) as error:
            raise SignatureInvalidError(
                f"this is no public key in PEM ({error}); expected -----BEGIN PUBLIC KEY-----"
            ) from error
        if not isinstance(key, Ed25519PublicKey):
            raise SignatureInvalidError(f"this is a {type(key).__name__}, not an Ed25519 public key")
        return cls(key.public_bytes_raw())

    @classmethod
    @lru_cache(maxsize=4096)
    def from_did(cls, text: str) -> VerifyKey:
        """Read a public key as :attr:`did` writes it.

        Raises
        ------
        SignatureInvalidError
            If the text is not the ``did:key`` of an Ed25519 key, in its one spelling.
        """
        digits = text.removeprefix(_DID)
        if len(text) > _LONGEST_DID or not set(digits) <= set(_BASE58):
            raise SignatureInvalidError(f"{text[:_LONGEST_DID]!r} is no did:key of an Ed25519 key")
        number = 0
        for digit in digits:
            number = number * 58 + _BASE58.index(digit)
        key = cls((number % 256**_PUBLIC_BYTES).to_bytes(_PUBLIC_BYTES))
        if key.did != text:
            raise SignatureInvalidError(f"{text!r} is no did:key of an Ed25519 key; expected {_DID}6Mk...")
        return key

    @cached_property
    def did(self) -> str:
        """The key as a decentralized identifier, ``did:key:z6Mk...`` (W3C CCG, the did:key method, v0.7)."""
        number, digits = int.from_bytes(_ED25519 + self.raw), ""
        while number:
            number, digit = divmod(number, 58)
            digits = _BASE58[digit] + digits
        return _DID + digits

    @cached_property
    def pem(self) -> str:
        """The key as PEM text (SubjectPublicKeyInfo, RFC 8410)."""
        return self._key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    @cached_property
    def id(self) -> str:
        """The key's name: SHA-256 of its 32 bytes, in hex."""
        return sha256_hex(self.raw)

    def verifies(self, signature: bytes, data: bytes) -> bool:
        """Tell whether `signature` is this key's signature of `data`."""
        try:
            self._key.verify(signature, data)
        except InvalidSignature:
            return False
        return True

    @cached_property
    def _key(self) -> Ed25519PublicKey:
        return Ed25519PublicKey.from_public_bytes(self.raw)


class SigningKey:
    """A private key: whoever has it signs in its owner's name. Its bytes are in no message and no ``repr``.

    Parameters
    ----------
    seed
        The 32 secret bytes of RFC 8032, section 5.1.5.
    """

    def __init__(self, seed: bytes) -> None:
        if len(seed) != SEED_BYTES:
            raise ConfigError(f"a signing key is made of {SEED_BYTES} bytes; these are {len(seed)}")
        self._key = Ed25519PrivateKey.from_private_bytes(seed)

    @classmethod
    def at(cls, path: Path, *, make: Callable[[], bytes] = _random_seed) -> SigningKey:
        """Read the key at `path`; where there is none, make one of the seed that `make` gives.

        Only its owner may read the file. Of two processes that make it at once, both get the key of the first.
        """
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            create_once(path, _pem(make()))
        return cls.read(path)

    @classmethod
    def read(cls, path: Path) -> SigningKey:
        """Read a key file as :meth:`at` and ``openssl genpkey -algorithm ed25519`` make it (PEM, PKCS #8).

        Raises
        ------
        ConfigError
            If there is no such file, or it holds no Ed25519 private key without a password.
        """
        try:
            key = load_pem_private_key(path.read_bytes(), password=None)
        except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise ConfigError(f"{path} cannot be read as a signing key (PEM, no password): {error}") from error
        if not isinstance(key, Ed25519PrivateKey):
            raise ConfigError(f"{path} holds a {type(key).__name__}; a signing key here is Ed25519")
        return cls(key.private_bytes_raw())

    def sign(self, data: bytes) -> bytes:
        """Sign bytes: 64 bytes, always the same for the same key and data."""
        return self._key.sign(data)

    @cached_property
    def public(self) -> VerifyKey:
        """The public half."""
        return VerifyKey(self._key.public_key().public_bytes_raw())


def _pem(seed: bytes) -> bytes:
    key = Ed25519PrivateKey.from_private_bytes(seed)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
