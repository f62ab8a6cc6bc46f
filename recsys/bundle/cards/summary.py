"""The summary of training content of the model in a bundle: the dataset version's, with the model named."""

from __future__ import annotations

import re
from typing import Any

from recsys.bundle.cards import words
from recsys.bundle.facts import BundleFacts
from recsys.dataset.card import render

_HEADING = re.compile(r"^(#+) +(.*)$", re.MULTILINE)
_MODEL = "1.2. Model identification"


def training_summary(facts: BundleFacts) -> dict[str, Any]:
    """Give the sections of the European Commission's template (C(2025) 8311) as a JSON object.

    They are those of the dataset version's own summary (:mod:`recsys.dataset.card.summary`); the section that names the
    model names this one.
    """
    (text,) = (data.decode() for data in render(facts.dataset, ["eu-summary"]).values())
    _, *parts = _HEADING.split(text)
    sections = list(zip(parts[0::3], parts[1::3], (one.strip() for one in parts[2::3]), strict=True))
    (_, title, opening), *rest = sections
    return {
        "title": title,
        "model": words.title(facts),
        "about": opening,
        "sections": [
            {"level": len(marks) - 1, "heading": heading, "text": _named(facts) if heading == _MODEL else told}
            for marks, heading, told in rest
        ],
    }


def _named(facts: BundleFacts) -> str:
    return " ".join(words.summary(facts))
