"""What the operator states of a trained model, signed: which files came of which version by which parameters.

The statement is an in-toto statement with the predicate of SLSA provenance 1.0 (slsa.dev/spec/v1.0/provenance). Tags
and parameters of a run can be edited by anybody who can write to the tracking store; this cannot.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from recsys import __version__
from recsys.canonical import canonical_json
from recsys.dataset import DatasetVersion
from recsys.errors import SignatureInvalidError
from recsys.transparency import Envelope, SigningKey, VerifyKey, sign
from recsys.transparency.statement import PAYLOAD_TYPE, read_statement, statement

_PREDICATE = "https://slsa.dev/provenance/v1"
_BUILD = "urn:recsys:train:1"


@dataclass(frozen=True)
class Provenance:
    """Where a model came from.

    Parameters
    ----------
    run
        The tracked run.
    version
        Digest of the dataset version.
    params
        The run's parameters, as texts.
    files
        The model's files, each with the SHA-256 of its bytes.
    """

    DOCUMENT: ClassVar[str] = "provenance.json"
    """What the statement is called among a run's documents."""

    run: str
    version: str
    params: Mapping[str, str]
    files: Mapping[str, str]

    def signed(self, key: SigningKey) -> dict[str, Any]:
        """Give the signed statement as a JSON object: a DSSE envelope."""
        predicate = {
            "buildDefinition": {
                "buildType": _BUILD,
                "externalParameters": dict(self.params),
                "resolvedDependencies": [{"name": "dataset version", "digest": {"sha256": self.version}}],
            },
            "runDetails": {
                "builder": {"id": "urn:recsys", "version": {"recsys": __version__}},
                "metadata": {"invocationId": self.run},
            },
        }
        payload = canonical_json(statement(self.files, _PREDICATE, predicate))
        told: dict[str, Any] = json.loads(sign(PAYLOAD_TYPE, payload, key).to_json())
        return told

    @classmethod
    def verified(cls, document: bytes, key: VerifyKey) -> Provenance:
        """Read a statement that `key` signed.

        Raises
        ------
        SignatureInvalidError
            If it is not one.
        """
        files, predicate = read_statement(Envelope.from_json(document).verify(key, PAYLOAD_TYPE), _PREDICATE)
        try:
            definition = predicate["buildDefinition"]
            (version,) = definition["resolvedDependencies"]
            run = predicate["runDetails"]["metadata"]["invocationId"]
            return cls(run, version["digest"]["sha256"], definition["externalParameters"], files)
        except (KeyError, TypeError, ValueError) as error:
            raise SignatureInvalidError(f"the statement does not say how a model was trained: {error!r}") from error


def provenance(run: str, version: DatasetVersion, params: Mapping[str, Any], files: Mapping[str, str]) -> Provenance:
    """Say where the model of a run came from; parameters as the tracking store will give them back."""
    return Provenance(run, version.digest, {name: str(value) for name, value in params.items()}, files)
