"""What a bundle tells about itself: to people, to the Hugging Face hub, to bills of materials, and to a lone script.

Every word follows from :class:`recsys.bundle.facts.BundleFacts` alone: nobody types a fact into a card, no card looks
at a clock, and the same facts give the same bytes.
"""

from __future__ import annotations

import json
from typing import Any

from recsys.bundle.cards.bom import ml_bom
from recsys.bundle.cards.card import model_card
from recsys.bundle.cards.failings import failings
from recsys.bundle.cards.script import SCRIPT, SCRIPT_NAME
from recsys.bundle.cards.summary import training_summary
from recsys.bundle.facts import BundleFacts

__all__ = ["SCRIPT", "failings", "ml_bom", "model_card", "render", "training_summary"]


def render(facts: BundleFacts) -> dict[str, bytes]:
    """Write the cards of a bundle, by the names that they have in it."""
    return {
        "README.md": model_card(facts).encode(),
        "bom.json": _json(ml_bom(facts)),
        "training_summary.json": _json(training_summary(facts)),
        SCRIPT_NAME: SCRIPT.encode(),
    }


def _json(told: dict[str, Any]) -> bytes:
    return json.dumps(told, indent=2, ensure_ascii=False).encode() + b"\n"
