"""Consent records: a decision in the words of ISO/IEC TS 27560:2023, written as JSON-LD with W3C DPV 2.3.

One record holds one decision on one purpose (a withdrawal may be of all). The mapping of fields is that of the guide
"Consent Records and Receipts as per ISO/IEC TS 27560:2023 using DPV" (w3id.org/dpv/guides/consent-27560). The context
stands in the record, so it can be read without a network.

Writing is a function: the same decision gives the same record. Reading is its inverse and takes nothing else: a record
is believed only if writing what was read from it gives the same bytes again.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

import msgspec

from recsys.canonical import Pseudonym, canonical_json, utc_text
from recsys.consent.controller import Controller
from recsys.consent.notice import CURRENT, Notice, notice_of
from recsys.consent.terms import Decision, Kind
from recsys.errors import RecordInvalidError, SignatureInvalidError
from recsys.transparency import VerifyKey

RECORD = "https://w3id.org/dpv/schema/dpv-27560#record"

_IRI = {"@type": "@id"}
CONTEXT: Final = {
    "dct": "http://purl.org/dc/terms/",
    "dpv": "https://w3id.org/dpv#",
    "eu-gdpr": "https://w3id.org/dpv/legal/eu/gdpr#",
    "legal-eu": "https://w3id.org/dpv/legal/eu#",
    "loc": "https://w3id.org/dpv/loc#",
    "pd": "https://w3id.org/dpv/pd#",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "dct:conformsTo": _IRI,
    "dct:date": {"@type": "xsd:date"},
    "dpv:hasApplicableLaw": _IRI,
    "dpv:hasJurisdiction": _IRI,
    "dpv:hasLegalBasis": _IRI,
    "dpv:hasLocation": _IRI,
    "dpv:hasPersonalData": _IRI,
    "dpv:hasProcessing": _IRI,
    "dpv:hasPurpose": _IRI,
    "dpv:isIndicatedAtTime": {"@type": "xsd:dateTime"},
    "dpv:isIndicatedBy": _IRI,
    "rdf:value": {"@type": "xsd:dateTime"},
}


@dataclass(frozen=True)
class Terms:
    """A purpose in DPV: the purpose itself, what is done to the data, and to what kind of third party it goes."""

    purpose: str
    processing: tuple[str, ...]
    third_party: str | None = None


TERMS: Final = {
    "train-recommender": Terms("dpv:ProvidePersonalisedRecommendations", ("dpv:Pseudonymise", "dpv:Derive")),
    "sell-insights": Terms("dpv:SellInsightsFromData", ("dpv:Aggregate", "dpv:Anonymise")),
    "share-with-buyer": Terms("dpv:SellDataToThirdParties", ("dpv:Derive", "dpv:Share"), "dpv:ThirdParty"),
    "research": Terms(
        "dpv:NonCommercialResearch", ("dpv:Pseudonymise", "dpv:Use"), "dpv:AcademicScientificOrganisation"
    ),
}
"""Each purpose of :data:`recsys.consent.PURPOSES` in DPV's words."""

_STATUS: Final = {
    Kind.GRANT: ["dpv:ConsentGiven", "dpv:ExplicitlyExpressedConsent"],
    Kind.RENEW: ["dpv:RenewedConsentGiven", "dpv:ExplicitlyExpressedConsent"],
    Kind.WITHDRAW: ["dpv:ConsentWithdrawn"],
    Kind.REVOKE: ["dpv:ConsentRevoked"],
}
_KINDS = {types[0]: kind for kind, types in _STATUS.items()}
_NAMES = {terms.purpose: name for name, terms in TERMS.items()}
_RIGHTS = ("eu-gdpr:A7-3", "eu-gdpr:A17", "eu-gdpr:A20")
_METHOD = "Ed25519 signature in a DSSE envelope"
_IDS = uuid.UUID("5f0e7a4e-3f0b-5d7a-9a0e-2f6f6d7b6c11")
_NOTICE = "nih:sha-256;"
"""How RFC 6920, section 7, writes the name of bytes by their SHA-256 in hex."""


@dataclass(frozen=True)
class ConsentRecord:
    """What a record says.

    Parameters
    ----------
    decision
        What was decided; its member is a pseudonym.
    subject
        The member's public key; ``None`` in a revocation, which is not the member's word.
    controller
        The collective it was said to.
    notice
        The text that the member had been shown.

    Raises
    ------
    RecordInvalidError
        If the member is not named by a pseudonym, or the wrong one of both speaks.
    """

    decision: Decision
    subject: VerifyKey | None
    controller: Controller
    notice: Notice = CURRENT

    def __post_init__(self) -> None:
        if not isinstance(self.decision.member, Pseudonym):
            raise RecordInvalidError("a consent record names its member by a pseudonym, never by a name")
        if (self.subject is None) != (self.decision.kind is Kind.REVOKE):
            raise RecordInvalidError("a revocation is the collective's word, and every other decision the member's")


def consent_record(said: ConsentRecord) -> dict[str, Any]:
    """Write a record as JSON-LD; the same record gives the same document, with the same id."""
    decision, controller = said.decision, said.controller
    at = utc_text(decision.at)
    until = utc_text(decision.until) if decision.until else at
    name = _name(said, at, until)
    return {
        "@context": CONTEXT,
        "@id": f"urn:uuid:{name}",
        "@type": "dpv:ConsentRecord",
        "dct:identifier": name,
        "dct:conformsTo": RECORD,
        "dpv:hasDataSubject": _subject(said),
        "dpv:hasDataController": _controller(controller),
        "dpv:hasLegalBasis": "eu-gdpr:A6-1-a",
        "dpv:hasApplicableLaw": "legal-eu:law-GDPR",
        "dpv:hasJurisdiction": f"loc:{controller.country}",
        "dpv:hasProcess": [_process(name, said, until) for name in _purposes(decision)],
        "dpv:hasNotice": {
            "@id": _NOTICE + said.notice.sha256,
            "@type": "dpv:ConsentNotice",
            "dct:date": said.notice.date,
            "dct:language": said.notice.language,
        },
        "dpv:hasConsentControl": {
            "@type": ["dpv:ProvideConsent", "dpv:WithdrawConsent"],
            "dpv:isExercisedAt": controller.contact,
        },
        "dpv:hasRight": [
            {"@type": ["dpv:DataSubjectRight", right], "dpv:isExercisedAt": controller.contact} for right in _RIGHTS
        ],
        "dpv:hasConsentStatus": [_status(decision, at, until)],
    }


def read_record(data: bytes) -> ConsentRecord:
    """Read a record, if :func:`consent_record` would write what it says in just these bytes (RFC 8785 JSON).

    Raises
    ------
    RecordInvalidError
        Says what is unclear.
    """
    try:
        document = msgspec.json.decode(data)
        said = ConsentRecord(*_parts(document))
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError) as error:
        raise RecordInvalidError(f"this is no consent record: {str(error)[:200]}") from error
    except SignatureInvalidError as error:
        raise RecordInvalidError(f"this is no consent record: {error}") from error
    again = consent_record(said)
    if canonical_json(again) != data:
        unclear = sorted(key for key in again.keys() | document.keys() if again.get(key) != document.get(key))
        raise RecordInvalidError(
            f"a consent record is unclear: {', '.join(unclear)[:200] or 'its bytes'} should be written in another way"
        )
    return said


def decision_of(document: dict[str, Any]) -> Decision:
    """Give the decision in a record. Only statuses that DPV calls valid for processing come back as grants.

    Raises
    ------
    RecordInvalidError
        If the record is unclear.
    """
    try:
        data = canonical_json(document)
    except (TypeError, ValueError, RecursionError) as error:
        raise RecordInvalidError(f"this is no consent record: {str(error)[:200]}") from error
    return read_record(data).decision


def _name(said: ConsentRecord, at: str, until: str) -> str:
    """Make a UUID of all that a record says (RFC 9562, version 5)."""
    decision, controller = said.decision, said.controller
    what = [decision.kind.value, str(decision.member), decision.purpose, decision.recipient, at, until]
    whom = [said.subject and said.subject.did, controller.key.did, controller.name, controller.contact]
    facts = [*what, *whom, controller.address, controller.country, said.notice.sha256]
    return str(uuid.uuid5(_IDS, canonical_json(facts).decode()))


def _purposes(decision: Decision) -> tuple[str, ...]:
    return (decision.purpose,) if decision.purpose else tuple(TERMS)


def _subject(said: ConsentRecord) -> dict[str, str]:
    subject = {"@type": "dpv:DataSubject", "dct:identifier": str(said.decision.member)}
    return subject if said.subject is None else {"@id": said.subject.did, **subject}


def _controller(controller: Controller) -> dict[str, str]:
    return {
        "@id": controller.key.did,
        "@type": "dpv:DataController",
        "dpv:hasName": controller.name,
        "dpv:hasContact": controller.contact,
        "dpv:hasAddress": controller.address,
    }


def _process(name: str, said: ConsentRecord, until: str) -> dict[str, Any]:
    terms, location = TERMS[name], f"loc:{said.controller.country}"
    recipients: list[dict[str, Any]] = [{"@id": said.controller.key.did}]
    if terms.third_party:
        recipients.append({"@type": ["dpv:Recipient", terms.third_party]})
        if said.decision.recipient:
            recipients[-1]["dpv:hasName"] = said.decision.recipient
    return {
        "@type": "dpv:Process",
        "dpv:hasPurpose": terms.purpose,
        "dpv:hasPersonalData": "pd:FavouriteMusic",
        "dpv:hasProcessing": list(terms.processing),
        "dpv:hasRecipient": recipients,
        "dpv:hasStorageCondition": [
            {"@type": "dpv:StorageDuration", "dpv:hasDuration": _duration(until)},
            {"@type": "dpv:StorageLocation", "dpv:hasLocation": location},
        ],
    }


def _status(decision: Decision, at: str, until: str) -> dict[str, Any]:
    gives = decision.kind.gives
    return {
        "@type": _STATUS[decision.kind],
        "dpv:isIndicatedBy": "dpv:DataController" if decision.kind is Kind.REVOKE else "dpv:DataSubject",
        "dpv:hasIndicationMethod": _METHOD,
        "dpv:isIndicatedAtTime": at,
        "dpv:hasDuration": _duration(until) if gives else {"@type": "dpv:IndeterminateDuration"},
    }


def _duration(until: str) -> dict[str, str]:
    return {"@type": "dpv:UntilTimeDuration", "rdf:value": until}


def _parts(document: Any) -> tuple[Decision, VerifyKey | None, Controller, Notice]:  # noqa: ANN401 - any JSON value
    """Take what a record says from where it stands, believing the rest for now."""
    (status,) = document["dpv:hasConsentStatus"]
    kind = _KINDS[status["@type"][0]]
    subject, asks = document["dpv:hasDataSubject"], document["dpv:hasDataController"]
    purposes = [_NAMES[process["dpv:hasPurpose"]] for process in document["dpv:hasProcess"]]
    decision = Decision(
        member=Pseudonym.read(subject["dct:identifier"]),
        kind=kind,
        purpose=purposes[0] if len(purposes) == 1 else None,
        at=datetime.fromisoformat(status["dpv:isIndicatedAtTime"]),
        until=datetime.fromisoformat(status["dpv:hasDuration"]["rdf:value"]) if kind.gives else None,
        recipient=document["dpv:hasProcess"][0]["dpv:hasRecipient"][-1].get("dpv:hasName"),
    )
    controller = _controller_of(
        *(asks[key] for key in ("@id", "dpv:hasName", "dpv:hasContact", "dpv:hasAddress")),
        document["dpv:hasJurisdiction"].removeprefix("loc:"),
    )
    notice = notice_of(document["dpv:hasNotice"]["@id"].removeprefix(_NOTICE))
    return decision, None if kind is Kind.REVOKE else VerifyKey.from_did(subject["@id"]), controller, notice


@lru_cache(maxsize=16)
def _controller_of(did: str, name: str, contact: str, address: str, country: str) -> Controller:
    """Make a controller; of the many records of one collective only the first has to."""
    return Controller(VerifyKey.from_did(did), name, contact, address, country)
