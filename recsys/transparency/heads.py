"""Signed tree heads: an operator's word for how far a log reaches and what is in it.

Whoever keeps one can ask for a consistency proof later: a log that was rewritten, or cut, has none.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

from recsys.canonical import canonical_json, parse_json
from recsys.errors import SignatureInvalidError
from recsys.transparency.dsse import Envelope, sign
from recsys.transparency.keys import SigningKey, VerifyKey
from recsys.transparency.merkle import read_hash

PAYLOAD_TYPE = "application/vnd.recsys.tree-head+json"


@dataclass(frozen=True)
class TreeHead:
    """How far a log reaches.

    Parameters
    ----------
    log
        The log's name.
    size
        How many entries it has.
    root
        Root of the Merkle tree of its entries (:mod:`recsys.transparency.merkle`), in hex.
    latest
        Root of the map from each owner to the last entry about it (:mod:`recsys.transparency.latest`), in hex.
    at
        The instant that the signer gave, as :func:`recsys.canonical.utc_text` writes it.
    """

    log: str
    size: int
    root: str
    latest: str
    at: str

    def signed(self, key: SigningKey) -> Envelope:
        """Sign this head."""
        return sign(PAYLOAD_TYPE, canonical_json(asdict(self)), key)

    @classmethod
    def verified(cls, envelope: Envelope, key: VerifyKey) -> TreeHead:
        """Give the head in `envelope`, if `key` signed it.

        Raises
        ------
        SignatureInvalidError
            If it was signed by somebody else, was changed, or is no tree head.
        """
        payload = envelope.verify(key, PAYLOAD_TYPE)
        try:
            head = cls(**parse_json(payload))
            read_hash(head.root)
            read_hash(head.latest)
        except (ValueError, TypeError) as error:
            raise SignatureInvalidError(f"this is no tree head: {error}") from error
        texts = (head.log, head.at)
        if type(head.size) is not int or head.size < 0 or not all(type(text) is str for text in texts):
            raise SignatureInvalidError("this is no tree head: a name, a size and an instant are expected")
        return head
