"""A version's fields of the Data & Trust Alliance's Data Provenance Standards 1.0.0: 22, in three groups.

Keys are those of the standard's JSON schema. What nobody stated is there, and says so.
"""

from __future__ import annotations

from typing import Any

from recsys.dataset.card.collective import NOT_STATED
from recsys.dataset.card.croissant import purpose_term, urn
from recsys.dataset.card.facts import Facts
from recsys.dataset.card.words import description, personal

_STANDARD = "1.0.0"


def provenance(facts: Facts) -> dict[str, Any]:
    """Give the version's source, provenance and use."""
    return {"source": _source(facts), "provenance": _origin(facts), "use": _use(facts)}


def _source(facts: Facts) -> dict[str, Any]:
    ours = facts.collective
    return {
        "version": _STANDARD,
        "title": facts.title,
        "id": urn(facts.digest),
        "location": ours.website,
        "issuer": [{"name": ours.name, "address": [ours.address]}],
        "description": description(facts),
    }


def _origin(facts: Facts) -> dict[str, Any]:
    manifest = facts.manifest
    before = facts.previous.at[:10] if facts.previous and facts.previous.at else None
    first, last = facts.period or (NOT_STATED, NOT_STATED)
    return {
        "source": urn(manifest.parent) if manifest.parent else "none: the first version of its line",
        "origin": [{"name": one["source"]} for one in facts.sources]
        if facts.consented
        else [{"name": facts.source_name}],
        "origin-geography": _countries(facts.collective.member_countries),
        "date": facts.date or NOT_STATED,
        "previous-date": before or ("none" if not manifest.parent else NOT_STATED),
        "generation-period": {"start": first, "end": last},
        "generation-method": [
            {"code": one["route"], "system": "recsys routes", "description": line}
            for one, line in zip(facts.sources, facts.route_words(), strict=False)
        ]
        or [{"code": manifest.provenance, "system": "recsys provenance", "description": description(facts)}],
        "format": ["numerical", "application/x-parquet"],
    }


def _use(facts: Facts) -> dict[str, Any]:
    ours = facts.collective
    return {
        "classification": [
            _classified("GDPR Art. 4(1)", "Personal data, under pseudonyms", holds=facts.consented),
            _classified("GDPR Art. 9(1)", "Special categories; no field holds them", holds=False),
        ],
        "consents": _consents(facts),
        "privacy-enhancing": _safeguards(facts),
        "processing-included": _countries(ours.processing_countries),
        "processing-excluded": _countries(ours.excluded_countries),
        "storage-allowed": _countries(ours.storage_countries),
        "storage-forbidden": _countries(()),
        "license": [ours.licence],
        "intended-purpose": [_purpose(facts)],
        "copyright": ["Artists' names only; no recording, text or image is in the data."],
        "patent": ["none known"],
        "trademark": ["Artists' names may be trademarks of their owners; they serve to name the artists."],
    }


def _purpose(facts: Facts) -> dict[str, str]:
    purpose = facts.manifest.purpose
    if purpose is None:
        return {"code": "benchmark", "system": "recsys", "description": "To measure and compare models."}
    return {"code": purpose_term(purpose), "system": "W3C DPV", "description": facts.purpose}


def _classified(code: str, words: str, *, holds: bool) -> dict[str, Any]:
    return {"regulation": {"code": code, "description": words}, "evaluated": holds}


def _consents(facts: Facts) -> list[str]:
    ledger = facts.manifest.ledger
    if ledger is None:
        return ["none is recorded"]
    return [facts.collective.notice, f"consent ledger: {ledger['count']} entries, head {ledger['hash']}"]


def _safeguards(facts: Facts) -> list[dict[str, Any]]:
    if not facts.consented:
        return []
    return [
        _safeguard("pseudonymisation", "HMAC-SHA-256 under a secret key", [], personal(facts)[0]),
        _safeguard(
            "suppression",
            "artists of few listeners are left out",
            [f"min_listeners={facts.manifest.rules['min_listeners']}"],
            personal(facts)[2],
        ),
        _safeguard(
            "encryption at rest",
            "AES-256-GCM, a key for each member",
            [],
            "Destroying a member's key makes every copy of what they handed in unreadable.",
        ),
    ]


def _safeguard(category: str, tool: str, parameters: list[str], result: str) -> dict[str, Any]:
    return {"tool-category": {"code": category}, "tool": tool, "parameters": parameters, "result": [result]}


def _countries(codes: tuple[str, ...]) -> list[dict[str, str]]:
    return [{"country": code} for code in codes or (NOT_STATED,)]
