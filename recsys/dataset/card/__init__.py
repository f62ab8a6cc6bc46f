"""A version's cards: what a buyer, a regulator, an artist or a member is told of it.

Four documents, each filled from the version's manifest and from what the collective states of itself
(``collective.toml``); nobody types a fact into one. They lie beside the version's parts, in its folder, where a program
that reads Croissant expects the files that it describes.

A card is not part of the version's digest: it also tells what the collective states of itself, and a new address must
not make a new version. It names the digest instead. Since a card follows from its facts alone, byte for byte, writing
it again and comparing shows whether somebody has edited it (:func:`changed_cards`).
"""

from __future__ import annotations

from recsys.dataset.card.collective import Collective
from recsys.dataset.card.facts import FEWEST, Facts, people
from recsys.dataset.card.files import FORMATS, changed_cards, gather, render, write_cards
from recsys.dataset.card.words import limits, withdrawal

__all__ = [
    "FEWEST",
    "FORMATS",
    "Collective",
    "Facts",
    "changed_cards",
    "gather",
    "limits",
    "people",
    "render",
    "withdrawal",
    "write_cards",
]
