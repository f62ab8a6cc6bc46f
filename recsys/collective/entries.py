"""What stands in a book, and how anybody is shown that it does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from recsys.canonical import canonical_json, sha256_hex
from recsys.errors import LogBrokenError, ProofInvalidError, SignatureInvalidError
from recsys.transparency import Envelope, VerifyKey
from recsys.transparency.heads import TreeHead
from recsys.transparency.merkle import leaf_hash, read_hash, root_by_inclusion

LEAF = ("seq", "owner", "at", "record", "sealed", "previous")
"""The fields of an entry that the log hashes."""


@dataclass(frozen=True)
class Draft:
    """A document on its way into a book.

    Parameters
    ----------
    owner
        Whom or what it is about.
    envelope
        The signed document.
    secret
        What is kept beside it and not published with it.
    """

    owner: str
    envelope: Envelope
    secret: bytes = b""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a book.

    Parameters
    ----------
    seq
        Its number, from 0.
    owner
        Whom or what it is about.
    at
        When it was recorded, as :func:`recsys.canonical.utc_text` writes it.
    record
        SHA-256 of the envelope's bytes.
    sealed
        SHA-256 of the secret; empty where there is none.
    previous
        Number of the entry before it of the same owner; -1 if there is none.
    text
        The envelope as JSON.
    secret
        What is kept beside it.
    """

    seq: int
    owner: str
    at: str
    record: str
    sealed: str
    previous: int
    text: str = field(repr=False)
    secret: bytes = field(default=b"", repr=False)

    @property
    def leaf(self) -> bytes:
        """The bytes that the Merkle log hashes."""
        return canonical_json({name: getattr(self, name) for name in LEAF})

    @property
    def envelope(self) -> Envelope:
        """The signed document."""
        return Envelope.from_json(self.text.encode())

    @property
    def whole(self) -> bool:
        """Whether envelope and secret are those that were recorded."""
        return sha256_hex(self.text.encode()) == self.record and sealed_hash(self.secret) == self.sealed


def sealed_hash(secret: bytes) -> str:
    """Name a secret; no secret has no name."""
    return sha256_hex(secret) if secret else ""


def read_row(row: sa.Row[Any]) -> Entry:
    """Make an entry of a row of a book's table.

    Raises
    ------
    LogBrokenError
        If it holds what no entry does.
    """
    try:
        entry = Entry(**{**row._mapping, "secret": bytes(row.secret)})  # noqa: SLF001 - SQLAlchemy's public name
        whole = entry.whole and bool(entry.leaf)
    except (TypeError, ValueError, AttributeError) as error:
        raise LogBrokenError(f"entry {row[0]} holds what no entry does: {error}") from error
    if not whole:
        raise LogBrokenError(f"the document of entry {entry.seq} is not the one that was recorded")
    return entry


@dataclass(frozen=True)
class Inclusion:
    """Shows that an entry is in a book, to somebody who has the public key of who keeps it.

    Parameters
    ----------
    entry
        The entry, without its secret.
    path
        The hashes that lead from its leaf to the root (RFC 9162, 2.1.3), in hex.
    head
        The signed head of the book's log.
    """

    entry: Entry
    path: tuple[str, ...]
    head: Envelope

    def check(self, key: VerifyKey, book: str) -> TreeHead:
        """Check it against the key of who keeps the `book`; give the head.

        Raises
        ------
        ProofInvalidError, SignatureInvalidError
            Says what does not fit.
        """
        head = TreeHead.verified(self.head, key)
        if head.log != book:
            raise ProofInvalidError(f"this shows something of the book of {head.log}; one of {book} was expected")
        if sha256_hex(self.entry.text.encode()) != self.entry.record:
            raise ProofInvalidError(f"the document of entry {self.entry.seq} is not the one that its entry names")
        if not leads(self.entry, self.path, head):
            raise ProofInvalidError(f"the path of entry {self.entry.seq} does not lead to the root that was signed")
        return head

    def as_dict(self) -> dict[str, Any]:
        """Give it as plain values for JSON."""
        leaf = {name: getattr(self.entry, name) for name in LEAF}
        return {
            "entry": leaf,
            "document": self.entry.text,
            "path": list(self.path),
            "head": self.head.to_json().decode(),
        }

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Inclusion:
        """Read it back.

        Raises
        ------
        ProofInvalidError
            If it is something else.
        """
        try:
            text = document["document"].encode().decode()
            entry = Entry(**{name: document["entry"][name] for name in LEAF}, text=text)
            found = cls(entry, tuple(document["path"]), Envelope.from_json(document["head"].encode()))
            same = found.as_dict() == dict(document)
        except (TypeError, ValueError, LookupError, AttributeError, SignatureInvalidError) as error:
            raise ProofInvalidError(f"this is no proof of an entry: {error!r:.200}") from error
        if not same:
            raise ProofInvalidError("this is no proof of an entry: it holds something else, too")
        return found


def leads(entry: Entry, path: tuple[str, ...], head: TreeHead) -> bool:
    """Tell whether a path leads from an entry to the root of a head."""
    try:
        root = root_by_inclusion(leaf_hash(entry.leaf), entry.seq, head.size, [read_hash(one) for one in path])
    except (ValueError, TypeError):
        return False
    return root is not None and root.hex() == head.root
