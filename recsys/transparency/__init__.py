"""What makes a claim checkable by somebody who trusts nobody here: keys, signed documents and logs of bytes.

This room knows bytes and keys, no people. Ed25519 signatures stand in DSSE envelopes; claims about files are in-toto
statements. These are formats that other tools read, so nobody has to believe our code in order to check what it wrote.
"""

from __future__ import annotations

from recsys.transparency.dsse import Envelope, sign
from recsys.transparency.keys import SigningKey, VerifyKey
from recsys.transparency.statement import read_statement, statement

__all__ = ["Envelope", "SigningKey", "VerifyKey", "read_statement", "sign", "statement"]
