"""The model card: Markdown with the YAML front matter of the Hugging Face hub.

Front matter as in huggingface.co/docs/hub/model-cards, its ``model-index`` as in Papers with Code; sections after
Mitchell et al., "Model Cards for Model Reporting" (FAT* 2019).
"""

from __future__ import annotations

from typing import Any

import yaml

from recsys.bundle.cards import words
from recsys.bundle.cards.script import SCRIPT, SCRIPT_NAME
from recsys.bundle.facts import BundleFacts
from recsys.dataset.card import limits, withdrawal

_TAGS = ["recommender-systems", "collaborative-filtering", "implicit-feedback", "matrix-factorization", "music"]


def model_card(facts: BundleFacts) -> str:
    """Write the model card."""
    sections = (
        (
            "What it may be used for",
            f"{words.bullets(words.use(facts))}\n\nNot for this:\n\n{words.bullets(words.not_for())}",
        ),
        ("How to verify it", _verify(facts)),
        ("How to run it", _run(facts)),
        ("How well it does", _evaluation(facts)),
        ("Whom it serves badly", words.bullets(facts.weaknesses) or "This was not measured."),
        ("What the data do not show", words.bullets(limits(facts.dataset))),
        ("Consent", f"{words.bullets(words.consent(facts))}\n\n{withdrawal(facts.dataset)}"),
        ("What it tells about its members", words.bullets(words.privacy(facts))),
        ("How it was trained", _training(facts)),
        ("Whom to ask", f"The collective. Contact: {words.plain(facts.dataset.collective.contact)}."),
    )
    head = f"# {words.title(facts)}\n\n{' '.join(words.summary(facts))}"
    body = "\n\n".join([head, *(f"## {name}\n\n{text}" for name, text in sections)])
    return f"---\n{_front(facts)}---\n\n{body}\n"


def _front(facts: BundleFacts) -> str:
    told = {
        "language": ["en"],
        "license": "other",
        "license_name": "terms-of-the-collective",
        "license_link": "terms.json",
        "library_name": "recsys",
        "tags": [*_TAGS, *(["synthetic"] if facts.dataset.collective.made_up else [])],
        "metrics": list(facts.scores["sample"]["metrics"]),
        "model_name": words.title(facts),
        "model-index": [{"name": words.title(facts), "results": [_result(facts)]}],
    }
    return str(yaml.safe_dump(told, sort_keys=False, allow_unicode=True, width=120))


def _result(facts: BundleFacts) -> dict[str, Any]:
    found = facts.scores["sample"]["metrics"]
    manifest = facts.dataset.manifest
    return {
        "task": {"type": "recommendation", "name": "Recommendation of artists to listeners who were held out"},
        "dataset": {
            "type": manifest.line,
            "name": f"{manifest.line} {manifest.version}",
            "revision": facts.dataset.digest,
            "split": "test",
        },
        "metrics": [
            {
                "type": name,
                "value": round(float(one["mean"]), 6),
                "name": words.metric(name),
                "args": {"low": round(float(one["low"]), 6), "high": round(float(one["high"]), 6)},
            }
            for name, one in found.items()
        ],
    }


def _verify(facts: BundleFacts) -> str:
    return (
        "With the collective's public key for seals, got by another way than this file, and no network:\n\n"
        "```console\n$ recsys sample verify FILE.recsys --key seal.pub\n```\n\n"
        "It checks the signature, the SHA-256 of every file, the terms and the evidence of consent, and says in plain "
        "words what it found. A changed byte is found; nothing in the file is ever executed. The signature is one of "
        f"OpenSSF model-signing over all other files. The training run is `{facts.run}`."
    )


def _run(facts: BundleFacts) -> str:
    return (
        '```console\n$ recsys sample try FILE.recsys --artists "Artist" "Another Artist"\n'
        f'$ unzip FILE.recsys {SCRIPT_NAME}\n$ python {SCRIPT_NAME} FILE.recsys "Artist" "Another Artist"\n```\n\n'
        "The last needs NumPy and safetensors alone: the file is a plain zip, and this is all of the script. Somebody "
        "new is folded in by the step that training is made of; how plays become weights is called "
        f"`{facts.confidence}` here:\n\n```python\n{SCRIPT}```"
    )


def _evaluation(facts: BundleFacts) -> str:
    shown = words.scored(facts)
    rows = [
        f"| {words.metric(name)} | {' | '.join(words.figure(one['metrics'][name]) for one in shown.values())} |"
        for name in facts.scores["sample"]["metrics"]
    ]
    table = "\n".join([f"| | {' | '.join(shown)} |", f"|---|{'---:|' * len(shown)}", *rows])
    return "\n\n".join(
        [words.how_measured(facts), table, *([" ".join(words.weaker(facts))] if words.weaker(facts) else [])]
    )


def _training(facts: BundleFacts) -> str:
    settings = "\n".join(
        f"| {words.code(name)} | {words.code(value)} |" for name, value in sorted(facts.params.items())
    )
    return (
        f"On {facts.dataset.size_words()}, played {facts.dataset.period_words()}; `dataset_card.json` (Croissant) and "
        "`training_summary.json` tell more, `bom.json` (CycloneDX) lists what is in the bundle. Settings:\n\n"
        f"| setting | value |\n|---|---|\n{settings}"
    )
