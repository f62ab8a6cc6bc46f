"""What the members approved by a vote, in the operator's signed word: what a sale must show before it is packed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from recsys.bundle.terms import Terms
from recsys.canonical import canonical_json
from recsys.errors import NotForSaleError, SignatureInvalidError
from recsys.transparency import Envelope, SigningKey, VerifyKey, read_statement, sign, statement
from recsys.transparency.statement import PAYLOAD_TYPE

_PREDICATE = "urn:recsys:approval:1"
_SUBJECT = "proposal"


@dataclass(frozen=True, kw_only=True)
class Approval:
    """A proposal that passed.

    Parameters
    ----------
    proposal
        Its hash.
    buyer, kind, purpose
        To whom, what and for what, as in :class:`~recsys.bundle.terms.Terms`.
    expires
        The first day on which nothing sold under it may be used any more.
    price_cents
        The price.
    tally
        How many voted yes, no, abstain, and how many could: ``yes``, ``no``, ``abstain``, ``eligible``.
    ballots
        Head of the log of ballots that were counted: ``size`` and ``root``.
    run, version
        The run, and the dataset version, of which it was: names or their beginnings; ``None`` where any will do.
    """

    proposal: str
    buyer: str
    kind: str
    purpose: str
    expires: date
    price_cents: int | None
    tally: Mapping[str, int]
    ballots: Mapping[str, Any]
    run: str | None = None
    version: str | None = None

    def signed(self, operator: SigningKey) -> Envelope:
        """Sign it: a DSSE envelope that holds an in-toto statement about the proposal."""
        told = asdict(self) | {"expires": self.expires.isoformat()}
        told["tally"], told["ballots"] = dict(self.tally), dict(self.ballots)
        payload = canonical_json(statement({_SUBJECT: self.proposal}, _PREDICATE, told))
        return sign(PAYLOAD_TYPE, payload, operator)

    @classmethod
    def read(cls, envelope: bytes, key: VerifyKey) -> Approval:
        """Read an approval that `key` signed.

        Raises
        ------
        SignatureInvalidError
            If it is not one, or somebody else signed it.
        """
        subjects, told = read_statement(Envelope.from_json(envelope).verify(key, PAYLOAD_TYPE), _PREDICATE)
        try:
            approval = cls(**{**told, "expires": date.fromisoformat(told["expires"])})
        except (KeyError, TypeError, ValueError) as error:
            raise SignatureInvalidError(f"this is no approval of a vote: {error!r}") from error
        if subjects != {_SUBJECT: approval.proposal}:
            raise SignatureInvalidError("this approval is about another proposal than it says")
        return approval

    def covers(self, terms: Terms) -> None:
        """Refuse terms that say anything else than what was voted on; an earlier end is allowed.

        Raises
        ------
        NotForSaleError
            Names the first field that differs.
        """
        for name in ("proposal", "buyer", "kind", "purpose", "price_cents"):
            voted, wanted = getattr(self, name), getattr(terms, name)
            if voted != wanted:
                raise NotForSaleError(
                    f"the members approved {name} {voted!r}, the terms say {wanted!r}; "
                    "put the terms right, or ask the members again"
                )
        if terms.expires > self.expires:
            raise NotForSaleError(f"the members approved use before {self.expires}; the terms say {terms.expires}")

    def covers_run(self, run: str, version: str) -> None:
        """Refuse another run, or a run of another dataset version, than was voted on.

        Raises
        ------
        NotForSaleError
            Says which was approved.
        """
        for what, voted, wanted in (("run", self.run, run), ("version", self.version, version)):
            if voted is not None and not wanted.startswith(voted):
                raise NotForSaleError(
                    f"the members approved what is made of {what} {voted[:12]}; this is of {wanted[:12]}: pack that "
                    "one, or ask the members again"
                )
