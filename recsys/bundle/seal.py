"""The seal: a signature over all entries of a bundle, in the format of OpenSSF's model-signing.

It is a sigstore bundle (v0.3) that holds a DSSE envelope with an in-toto statement which names every entry by its
SHA-256; ``model_signing verify key`` checks it without us, and :func:`check_seal` has model-signing check it too. That
tool's own signer draws a nonce and writes fields in any order, so that no two seals are alike; ours follows RFC 6979
and RFC 8785, so that the same entries under the same key have one seal, to the byte. No network is ever asked.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from recsys.bundle.contents import SIGNATURE
from recsys.canonical import canonical_json, create_once, parse_json, sha256_hex
from recsys.errors import BundleInvalidError, ConfigError, SignatureInvalidError
from recsys.transparency import statement
from recsys.transparency.dsse import pae
from recsys.transparency.statement import PAYLOAD_TYPE

_MEDIA = "application/vnd.dev.sigstore.bundle.v0.3+json"
_PREDICATE = "https://model_signing/signature/v1.0"
_SUBJECT = "model"
_SERIALIZATION = {"method": "files", "hash_type": "sha256", "allow_symlinks": False, "ignore_paths": []}
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""Order of the group of P-256 (NIST SP 800-186, section 3.2.1.3)."""
_LONGEST_SEAL = 1 << 20
_LONGEST_KEY = 1 << 14


@dataclass(frozen=True)
class SealPublic:
    """A public key that seals are checked with: EC P-256 in PEM.

    Raises
    ------
    SignatureInvalidError
        If it is none.
    """

    pem: bytes

    def __post_init__(self) -> None:
        object.__setattr__(self, "pem", self._read(self.pem))

    @staticmethod
    def _read(pem: bytes) -> bytes:
        try:
            key = load_pem_public_key(pem)
        except (ValueError, UnsupportedAlgorithm) as error:
            raise SignatureInvalidError(
                "this is no public key in PEM (-----BEGIN PUBLIC KEY-----); recsys sample key writes the right one"
            ) from error
        if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name != "secp256r1":
            raise SignatureInvalidError(
                f"this is a key of another kind ({type(key).__name__}); a seal's key is EC P-256: recsys sample key"
            )
        return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    @classmethod
    def load(cls, path: Path) -> SealPublic:
        """Read a key file.

        Raises
        ------
        SignatureInvalidError
            If it cannot be read or holds no such key.
        """
        try:
            with path.open("rb") as file:
                return cls(file.read(_LONGEST_KEY))
        except (OSError, ValueError) as error:
            raise SignatureInvalidError(f"the key {path} cannot be read: {error}") from error

    @property
    def id(self) -> str:
        """The key's name: SHA-256 of its PEM, as model-signing has it."""
        return sha256_hex(self.pem)


class SealKey:
    """The private key that seals bundles.

    Parameters
    ----------
    key
        EC P-256.
    """

    def __init__(self, key: ec.EllipticCurvePrivateKey) -> None:
        self._key = key

    @classmethod
    def at(cls, path: Path) -> SealKey:
        """Read the key at `path`; where there is none, make one that only its owner may read.

        Raises
        ------
        ConfigError
            If the file holds no EC P-256 private key without a password.
        """
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            made = ec.generate_private_key(ec.SECP256R1())
            create_once(path, made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        try:
            key = load_pem_private_key(path.read_bytes(), password=None)
        except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise ConfigError(f"{path} cannot be read as a seal's key (PEM, no password): {error}") from error
        if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name != "secp256r1":
            raise ConfigError(f"{path} holds another kind of key; a seal's key is EC P-256")
        return cls(key)

    @cached_property
    def public(self) -> SealPublic:
        """The public half."""
        return SealPublic(self._key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))

    def sign(self, data: bytes) -> bytes:
        """Sign bytes by ECDSA with SHA-256; of the two signatures that RFC 6979's nonce allows the one with low s."""
        der = self._key.sign(data, ec.ECDSA(SHA256(), deterministic_signing=True))
        r, s = decode_dss_signature(der)
        return encode_dss_signature(r, min(s, _ORDER - s))


def seal(entries: Mapping[str, bytes], key: SealKey) -> bytes:
    """Seal entries: give the bytes of ``model.sig``, the same for the same entries and key."""
    payload = canonical_json(_stated(entries))
    return _document(payload, key.sign(pae(PAYLOAD_TYPE, payload)), key.public)


def check_seal(entries: Mapping[str, bytes], signature: bytes, key: SealPublic) -> None:
    """Check that `key` sealed exactly these entries.

    Raises
    ------
    SignatureInvalidError
        If the seal is of another key, was changed, or is no seal.
    BundleInvalidError
        If it is this key's seal of other entries; names them.
    """
    payload, signed = _read(signature, key)
    _check_by_model_signing(entries, signature, key)
    if payload != canonical_json(_stated(entries)) or signature != _document(payload, signed, key):
        raise SignatureInvalidError(f"{SIGNATURE} is not in its one form; ask for the bundle again")


def _stated(entries: Mapping[str, bytes]) -> dict[str, Any]:
    """State what model-signing states of a folder with these files."""
    digests = {name: sha256_hex(entries[name]) for name in sorted(entries)}
    root = hashlib.sha256(b"".join(map(bytes.fromhex, digests.values()))).hexdigest()
    resources = [{"name": name, "algorithm": "sha256", "digest": digest} for name, digest in digests.items()]
    return statement({_SUBJECT: root}, _PREDICATE, {"serialization": _SERIALIZATION, "resources": resources})


def _document(payload: bytes, signed: bytes, key: SealPublic) -> bytes:
    return canonical_json(
        {
            "mediaType": _MEDIA,
            "verificationMaterial": {"publicKey": {"hint": key.id}, "tlogEntries": []},
            "dsseEnvelope": {
                "payload": base64.b64encode(payload).decode(),
                "payloadType": PAYLOAD_TYPE,
                "signatures": [{"sig": base64.b64encode(signed).decode(), "keyid": ""}],
            },
        }
    )


def _read(signature: bytes, key: SealPublic) -> tuple[bytes, bytes]:
    """Give payload and signature of a seal, if it names this key and has low s; nothing is verified yet."""
    if len(signature) > _LONGEST_SEAL:
        raise SignatureInvalidError(f"{SIGNATURE} has {len(signature):,} bytes; it is no seal")
    try:
        told = parse_json(signature)
        hint = told["verificationMaterial"]["publicKey"]["hint"]
        envelope = told["dsseEnvelope"]
        payload = base64.b64decode(envelope["payload"], validate=True)
        signed = base64.b64decode(envelope["signatures"][0]["sig"], validate=True)
        _, s = decode_dss_signature(signed)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        raise SignatureInvalidError(f"{SIGNATURE} is no seal: {error!r}") from error
    if hint != key.id:
        raise SignatureInvalidError(
            f"this was sealed with key {str(hint)[:12]}, and yours is {key.id[:12]}: you have another's key, "
            "or another made this file"
        )
    if s > _ORDER // 2:
        raise SignatureInvalidError(f"{SIGNATURE} is not in its one form; ask for the bundle again")
    return payload, signed


def _check_by_model_signing(entries: Mapping[str, bytes], signature: bytes, key: SealPublic) -> None:
    from model_signing.verifying import Config  # noqa: PLC0415 - takes a third of a second to load

    with TemporaryDirectory() as temporary:
        folder, model = Path(temporary), Path(temporary) / _SUBJECT
        model.mkdir()
        for name, body in entries.items():
            (model / name).write_bytes(body)
        (folder / SIGNATURE).write_bytes(signature)
        (folder / "seal.pub").write_bytes(key.pem)
        config = Config()  # type: ignore[no-untyped-call] # theirs has no types
        try:
            config.use_elliptic_key_verifier(public_key=folder / "seal.pub").verify(model, folder / SIGNATURE)
        except InvalidSignature as error:
            raise SignatureInvalidError(f"the seal does not fit key {key.id[:12]}: it was changed or forged") from error
        except (ValueError, KeyError, IndexError, TypeError, AttributeError, json.JSONDecodeError) as error:
            raise BundleInvalidError(
                "the seal is of other bytes than these: an entry was changed, added or taken out"
            ) from error
