"""in-toto statements, version 1: what is claimed (a predicate) about which bytes (subjects).

github.com/in-toto/attestation, spec/v1/statement.md. A statement is signed as the payload of a DSSE envelope.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from recsys.canonical import parse_json
from recsys.errors import SignatureInvalidError

STATEMENT = "https://in-toto.io/Statement/v1"
PAYLOAD_TYPE = "application/vnd.in-toto+json"

_SHA256 = re.compile(r"[0-9a-f]{64}")


def statement(subjects: Mapping[str, str], predicate_type: str, predicate: Mapping[str, Any]) -> dict[str, Any]:
    """Make the statement that `predicate` holds of `subjects`.

    Parameters
    ----------
    subjects
        Names of the things it is about, each with the SHA-256 of its bytes in hex; sorted in the statement.
    predicate_type
        A URI that says how to read the predicate.
    predicate
        Any JSON object.
    """
    return {
        "_type": STATEMENT,
        "subject": [{"name": name, "digest": {"sha256": subjects[name]}} for name in sorted(subjects)],
        "predicateType": predicate_type,
        "predicate": dict(predicate),
    }


def read_statement(payload: bytes, predicate_type: str) -> tuple[dict[str, str], dict[str, Any]]:
    """Give a verified statement's subjects (name to SHA-256) and its predicate.

    Raises
    ------
    SignatureInvalidError
        If it is no statement of that predicate type.
    """
    try:
        document = parse_json(payload)
        if document["_type"] != STATEMENT or document["predicateType"] != predicate_type:
            raise SignatureInvalidError(
                f"this states {document['predicateType']!r} in {document['_type']!r}; "
                f"expected {predicate_type!r} in {STATEMENT!r}"
            )
        subjects = {subject["name"]: subject["digest"]["sha256"] for subject in document["subject"]}
        predicate = dict(document["predicate"])
    except (ValueError, KeyError, TypeError) as error:
        raise SignatureInvalidError(f"this is no in-toto statement: {error!r}") from error
    if len(subjects) != len(document["subject"]) or not all(map(_names_bytes, subjects.items())):
        raise SignatureInvalidError("a statement's subjects are distinct names with a SHA-256 each; these are not")
    return subjects, predicate


def _names_bytes(subject: tuple[object, object]) -> bool:
    name, digest = subject
    return isinstance(name, str) and isinstance(digest, str) and _SHA256.fullmatch(digest) is not None
