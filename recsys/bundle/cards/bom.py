"""A bill of materials of a bundle: CycloneDX 1.6 with a model card (ECMA-424, cyclonedx.org/capabilities/mlbom)."""

from __future__ import annotations

import uuid
from typing import Any

from recsys.bundle.cards import words
from recsys.bundle.facts import BundleFacts
from recsys.canonical import canonical_json, sha256_hex
from recsys.dataset.card import limits

_MODEL, _DATASET = "model", "dataset"
_MODEL_FILE = "model.safetensors"


def ml_bom(facts: BundleFacts) -> dict[str, Any]:
    """List what is in a bundle, as a JSON object."""
    body = {
        "metadata": {
            "timestamp": facts.packed_at,
            "tools": {"components": [{"type": "application", "name": "recsys", "version": facts.code}]},
            "component": _model(facts),
        },
        "components": [_dataset(facts), *_files(facts), *_libraries()],
        "dependencies": [{"ref": _MODEL, "dependsOn": [_DATASET, "numpy", "safetensors"]}],
    }
    name = uuid.uuid5(uuid.NAMESPACE_URL, f"urn:sha256:{sha256_hex(canonical_json(body))}")
    return {"bomFormat": "CycloneDX", "specVersion": "1.6", "serialNumber": f"urn:uuid:{name}", "version": 1, **body}


def _model(facts: BundleFacts) -> dict[str, Any]:
    return {
        "type": "machine-learning-model",
        "bom-ref": _MODEL,
        "name": words.title(facts),
        "version": facts.run,
        "description": " ".join(words.summary(facts)),
        **_hashes(facts.files.get(_MODEL_FILE)),
        "licenses": [{"license": {"name": "terms.json", "url": "terms.json"}}],
        "modelCard": {
            "modelParameters": {
                "approach": {"type": "unsupervised"},
                "task": "recommendation of artists from implicit feedback",
                "architectureFamily": "matrix factorization",
                "modelArchitecture": f"alternating least squares, {facts.factors} factors",
                "datasets": [{"ref": _DATASET}],
                "inputs": [{"format": "names of artists, each with a number of plays if it is known"}],
                "outputs": [{"format": "names of artists with scores, best first"}],
            },
            "quantitativeAnalysis": {"performanceMetrics": _metrics(facts)},
            "considerations": _considerations(facts),
            "properties": [{"name": name, "value": str(value)} for name, value in sorted(facts.params.items())],
        },
    }


def _metrics(facts: BundleFacts) -> list[dict[str, Any]]:
    found = [
        _metric(name, who, one)
        for who, scores in words.scored(facts).items()
        for name, one in scores["metrics"].items()
    ]
    membership = facts.privacy["membership"] or {}
    return found + [
        _metric(f"membership inference, {name}", "members against held-out listeners", membership[name])
        for name in ("auc", "tpr_at_1pct_fpr")
        if name in membership
    ]


def _metric(name: str, of: str, found: dict[str, float]) -> dict[str, Any]:
    mean = found["mean"] if "mean" in found else found["value"]
    return {
        "type": name,
        "value": f"{mean:.6f}",
        "slice": of,
        "confidenceInterval": {"lowerBound": f"{found['low']:.6f}", "upperBound": f"{found['high']:.6f}"},
    }


def _considerations(facts: BundleFacts) -> dict[str, Any]:
    return {
        "users": [facts.buyer],
        "useCases": [str(facts.terms["purpose"])],
        "technicalLimitations": [*facts.weaknesses, *limits(facts.dataset)],
        "performanceTradeoffs": words.weaker(facts),
        "ethicalConsiderations": [
            {
                "name": "The model may show who was a member.",
                "mitigationStrategy": " ".join(words.privacy(facts)),
            },
            {"name": "Listening is personal data.", "mitigationStrategy": " ".join(words.consent(facts))},
        ],
    }


def _dataset(facts: BundleFacts) -> dict[str, Any]:
    manifest, collective = facts.dataset.manifest, facts.dataset.collective
    owner = {"organization": {"name": collective.name}}
    return {
        "type": "data",
        "bom-ref": _DATASET,
        "name": manifest.line,
        "version": manifest.version,
        "description": facts.dataset.title,
        **_hashes(facts.dataset.digest),
        "data": [
            {
                "type": "dataset",
                "name": facts.dataset.title,
                "contents": {
                    "properties": [
                        {"name": name, "value": str(facts.dataset.count(name))}
                        for name in ("artists", "pairs", "plays")
                        if name in manifest.counts
                    ]
                },
                "classification": "personal data under pseudonyms; not in the bundle, stays with the collective",
                "description": facts.dataset.size_words(),
                "governance": {"custodians": [owner], "owners": [owner]},
            }
        ],
    }


def _files(facts: BundleFacts) -> list[dict[str, Any]]:
    others = sorted(name for name in facts.files if name != _MODEL_FILE)
    return [{"type": "file", "bom-ref": f"file:{name}", "name": name, **_hashes(facts.files[name])} for name in others]


def _libraries() -> list[dict[str, Any]]:
    return [
        {"type": "library", "bom-ref": name, "name": name, "purl": f"pkg:pypi/{name}"}
        for name in ("numpy", "safetensors")
    ]


def _hashes(sha256: str | None) -> dict[str, Any]:
    return {"hashes": [{"alg": "SHA-256", "content": sha256}]} if sha256 else {}
