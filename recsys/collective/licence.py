"""A licence: the collective's signed word that a buyer may use one thing for one purpose until a day.

It is an in-toto statement about the bundle, named by its digest, whose predicate is an ODRL agreement (W3C, "ODRL
Information Model 2.2", 2018) beside our own fields; it is believed only if the agreement is the one that those fields
come to. It stands in a DSSE envelope that the operator signed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time
from functools import cached_property
from typing import Any

from recsys.canonical import canonical_json, sha256_hex
from recsys.collective.grants import Grant
from recsys.errors import LicenceInvalidError, SignatureInvalidError
from recsys.transparency import Envelope, SigningKey, VerifyKey, read_statement, sign, statement
from recsys.transparency.statement import PAYLOAD_TYPE

PREDICATE = "urn:recsys:licence:1"
OPERATION = "use_licensed_model"
_SUBJECT = "bundle"


@dataclass(frozen=True, kw_only=True)
class Licence:
    """A licence.

    Parameters
    ----------
    proposal
        Hash of the proposal that the members passed.
    buyer, purpose, kind
        Who may use what for what, as in the proposal.
    bundle
        The bundle's digest, SHA-256 in hex; of an aggregate, that of its file.
    issued
        When (UTC text).
    expires
        The first day on which it may not be used any more (UTC).
    price_cents, currency
        What was paid.
    """

    proposal: str
    buyer: str
    purpose: str
    kind: str
    bundle: str
    issued: str
    expires: date
    price_cents: int
    currency: str

    @cached_property
    def uid(self) -> str:
        """Names it by its content."""
        return f"urn:recsys:licence:{sha256_hex(canonical_json(self.as_dict()))}"

    def as_dict(self) -> dict[str, Any]:
        """Give it as plain values for JSON."""
        return asdict(self) | {"expires": self.expires.isoformat()}

    def odrl(self, assigner: VerifyKey) -> dict[str, Any]:
        """Say it as an ODRL agreement."""
        buyer = f"urn:recsys:buyer:{sha256_hex(self.buyer.encode())[:32]}"
        rule = {"target": f"urn:sha256:{self.bundle}", "assigner": assigner.did, "assignee": buyer}
        until = {"@value": self.expires.isoformat(), "@type": "xsd:date"}
        paid = {"@value": f"{self.price_cents // 100}.{self.price_cents % 100:02}", "@type": "xsd:decimal"}
        price = {**_constraint("payAmount", "eq", paid), "unit": f"urn:iso:std:iso:4217:{self.currency}"}
        return {
            "@context": "http://www.w3.org/ns/odrl.jsonld",
            "@type": "Agreement",
            "uid": self.uid,
            "permission": [
                {
                    **rule,
                    "action": "use",
                    "constraint": [_constraint("dateTime", "lt", until), _constraint("purpose", "eq", self.purpose)],
                    "duty": [{"action": "compensate", "constraint": [price]}],
                }
            ],
            "prohibition": [{**rule, "action": action} for action in ("distribute", "sell", "derive")],
        }

    def signed(self, operator: SigningKey) -> Envelope:
        """Sign it."""
        predicate = {"agreement": self.odrl(operator.public), "licence": self.as_dict()}
        return sign(PAYLOAD_TYPE, canonical_json(statement({_SUBJECT: self.bundle}, PREDICATE, predicate)), operator)

    @classmethod
    def read(cls, envelope: Envelope, key: VerifyKey) -> Licence:
        """Read a licence that `key` signed.

        Raises
        ------
        SignatureInvalidError
            If somebody else signed it, or it is no licence.
        LicenceInvalidError
            If it contradicts itself.
        """
        subjects, told = read_statement(envelope.verify(key, PAYLOAD_TYPE), PREDICATE)
        try:
            licence = cls(**{**told["licence"], "expires": date.fromisoformat(told["licence"]["expires"])})
            same = {"agreement": licence.odrl(key), "licence": licence.as_dict()} == told
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise SignatureInvalidError(f"this is no licence: {error!r:.200}") from error
        if not same or subjects != {_SUBJECT: licence.bundle}:
            raise LicenceInvalidError(
                "the licence contradicts itself: its ODRL agreement is not that of its own fields"
            )
        return licence

    def ended(self, at: datetime) -> bool:
        """Tell whether its term is over."""
        return at.astimezone(UTC).date() >= self.expires

    def grant(self, grantee: str, files: tuple[int, ...]) -> Grant:
        """Say it as a grant file.

        Parameters
        ----------
        grantee
            Address of the buyer's account.
        files
            Numbers in the registry of the files that it covers.
        """
        end = datetime.combine(self.expires, time(), UTC)
        names = ("buyer", "purpose", "bundle", "proposal")
        told: Mapping[str, Any] = {"licence": self.uid, **{name: getattr(self, name) for name in names}}
        return Grant(grantee, OPERATION, files, told, int(end.timestamp()))


def _constraint(left: str, operator: str, right: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON value
    return {"leftOperand": left, "operator": operator, "rightOperand": right}
