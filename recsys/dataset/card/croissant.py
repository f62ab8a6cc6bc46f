"""A version as a Croissant 1.1 document with Responsible-AI fields and an ODRL offer (mlcommons.org/croissant/1.1).

The document describes the version's files by name, with their SHA-256, and is made to lie beside them: a program that
reads Croissant then loads the records, and refuses a file that was tampered with. Away from them it still says what
they are. The rows themselves never leave the collective, so nothing here gives an address to fetch them from.
"""

from __future__ import annotations

from typing import Any

from recsys.consent.dpv import TERMS
from recsys.dataset.card.collective import NOT_STATED
from recsys.dataset.card.facts import Facts, StoredFile
from recsys.dataset.card.words import description, how_collected, how_prepared, limits, personal, withdrawal

DPV = "https://w3id.org/dpv#"
_CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "sc": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/",
    "arrayShape": "cr:arrayShape",
    "containedIn": "cr:containedIn",
    "equivalentProperty": "cr:equivalentProperty",
    "isArray": "cr:isArray",
    "samplingRate": "cr:samplingRate",
    "odrl": "http://www.w3.org/ns/odrl/2/",
    "prov": "http://www.w3.org/ns/prov#",
    "dpv": DPV,
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "sdVersion": "cr:sdVersion",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
_RECORDS = {
    "members": ("The members, one a row, under pseudonyms.", {"member": ("sc:Text", "Pseudonym of the member.")}),
    "artists": ("The artists, one a column of the matrix.", {"artist": ("sc:Text", "Name of the artist.")}),
    "pairs": (
        "How often and how long each member listened to each artist; pairs without plays are left out.",
        {
            "member": ("sc:Integer", "Number of the member's row in `members`, from 0."),
            "artist": ("sc:Integer", "Number of the artist's row in `artists`, from 0."),
            "plays": ("sc:Integer", "How many plays counted."),
            "ms": ("sc:Integer", "Milliseconds listened in those plays, where the source tells them."),
        },
    ),
}


def croissant(facts: Facts) -> dict[str, Any]:
    """Describe a version as a Croissant document."""
    return {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": ["http://mlcommons.org/croissant/1.1", "http://mlcommons.org/croissant/RAI/1.0"],
        **_identity(facts),
        "usageInfo": _offer(facts),
        **_provenance(facts),
        **_responsible(facts),
        "distribution": [_file_object(file) for file in facts.files],
        "recordSet": [_record_set(name) for name in _RECORDS if f"{name}.parquet" in {f.name for f in facts.files}],
    }


def _identity(facts: Facts) -> dict[str, Any]:
    collective, manifest = facts.collective, facts.manifest
    creator = {"@type": "Organization", "name": collective.name}
    if collective.stated("website"):
        creator["url"] = collective.website
    found = {
        "name": f"{manifest.line}-{manifest.version}",
        "alternateName": facts.title,
        "description": description(facts),
        "identifier": urn(facts.digest),
        "url": collective.website if collective.stated("website") else urn(facts.digest),
        "version": manifest.version,
        "sdVersion": manifest.code,
        "license": collective.licence if collective.stated("licence") else _no_licence(facts),
        "creator": creator,
        "datePublished": facts.date,
        "keywords": ["music", "listening", "implicit feedback", "recommender systems", manifest.provenance],
        "inLanguage": "en",
        "isLiveDataset": False,
        "citeAs": f"{facts.title}. SHA-256 {facts.digest}.",
    }
    return {key: value for key, value in found.items() if value is not None}


def urn(digest: str) -> str:
    """Name a version where no web address is known: its manifest's SHA-256 (RFC 6920 names digests likewise)."""
    return f"urn:sha256:{digest}"


def _no_licence(facts: Facts) -> str:
    return "No licence to the rows is granted; they are not distributed. Ask: " + (
        facts.collective.contact if facts.collective.stated("contact") else NOT_STATED
    )


def _offer(facts: Facts) -> dict[str, Any]:
    """Say as an ODRL offer what the version may be used for: only what its members agreed to."""
    purpose = facts.manifest.purpose
    if purpose is None:
        return {"@type": ["CreativeWork", "odrl:Offer"], "name": "The terms of the benchmark's own source apply."}
    excluded = facts.collective.excluded_countries
    constraints = [
        _constraint("odrl:purpose", {"@id": purpose_term(purpose)}),
        *([_constraint("odrl:recipient", facts.manifest.recipient)] if facts.manifest.recipient else []),
        *(_constraint("odrl:spatial", country, "odrl:neq") for country in excluded),
    ]
    return {
        "@type": ["CreativeWork", "odrl:Offer"],
        "name": f"Use for one purpose only: {facts.purpose}",
        "odrl:permission": {
            "@type": "odrl:Permission",
            "odrl:action": {"@id": "odrl:use"},
            "odrl:constraint": constraints,
            "odrl:duty": {"@type": "odrl:Duty", "odrl:action": {"@id": "odrl:delete"}, "name": withdrawal(facts)},
        },
        "odrl:prohibition": [
            {"@type": "odrl:Prohibition", "odrl:action": {"@id": action}, "name": name}
            for action, name in (
                ("odrl:distribute", "Rows are not handed on, not to buyers either."),
                ("odrl:sell", "Rows are not sold."),
                ("dpv:Identify", "Nobody tries to find out who a pseudonym is."),
            )
        ],
    }


def purpose_term(purpose: str) -> str:
    """Give the web name of a purpose in the W3C's Data Privacy Vocabulary, as consent records use it."""
    return TERMS[purpose].purpose.replace("dpv:", DPV, 1)


def _constraint(left: str, right: object, operator: str = "odrl:eq") -> dict[str, Any]:
    return {
        "@type": "odrl:Constraint",
        "odrl:leftOperand": {"@id": left},
        "odrl:operator": {"@id": operator},
        "odrl:rightOperand": right,
    }


def _provenance(facts: Facts) -> dict[str, Any]:
    manifest = facts.manifest
    activity: dict[str, Any] = {"@type": "prov:Activity", "prov:label": f"recsys {manifest.code}: dataset build"}
    if manifest.at and manifest.ledger:
        activity |= {
            "prov:atTime": manifest.at,
            "prov:used": f"consent ledger of {manifest.ledger['count']} entries, head {manifest.ledger['hash']}",
        }
    derived = {"prov:wasDerivedFrom": {"@id": urn(manifest.parent)}} if manifest.parent else {}
    return {
        **derived,
        "prov:wasGeneratedBy": activity,
        "prov:wasAttributedTo": {"@type": "prov:Agent", "prov:label": facts.collective.name},
    }


def _responsible(facts: Facts) -> dict[str, Any]:
    """Fill the fields of the Responsible-AI vocabulary 1.0."""
    method = ["Others"] if facts.consented else ["Secondary Data analysis"]
    timeframe = list(facts.period) if facts.period else []
    return {
        "rai:dataCollection": " ".join(how_collected(facts)),
        "rai:dataCollectionType": method,
        "rai:dataCollectionTimeframe": timeframe,
        "rai:dataCollectionMissingData": limits(facts)[0],
        "rai:dataCollectionRawData": "Files of members' listening, each row a play; they never leave the collective.",
        "rai:dataPreprocessingProtocol": how_prepared(facts),
        "rai:dataImputationProtocol": "Nothing is imputed.",
        "rai:dataReleaseMaintenancePlan": f"{withdrawal(facts)} Maintenance: {facts.collective.maintenance}.",
        "rai:personalSensitiveInformation": personal(facts),
        "rai:dataLimitations": limits(facts),
        "rai:dataBiases": limits(facts)[1:3],
        "rai:dataUseCases": [facts.purpose],
        "rai:dataSocialImpact": facts.artists_words(),
    }


def _file_object(file: StoredFile) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": file.name,
        "name": file.name,
        "contentUrl": file.name,
        "contentSize": f"{file.size} B",
        "encodingFormat": "application/x-parquet",
        "sha256": file.sha256,
    }


def _record_set(name: str) -> dict[str, Any]:
    words, columns = _RECORDS[name]
    return {
        "@type": "cr:RecordSet",
        "@id": name,
        "name": name,
        "description": words,
        "field": [
            {
                "@type": "cr:Field",
                "@id": f"{name}/{column}",
                "name": column,
                "description": meaning,
                "dataType": kind,
                "source": {"fileObject": {"@id": f"{name}.parquet"}, "extract": {"column": column}},
            }
            for column, (kind, meaning) in columns.items()
        ],
    }
