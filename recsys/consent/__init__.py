"""Who agreed to what, when: the only door to shared data.

A member's word is written to the :class:`Ledger`, which can only grow and whose every entry seals the ones before it.
:func:`admit` asks the ledger about one purpose at one instant and lets pass the listens of those who agree;
:class:`ConsentedListens` can be got no other way, and it is all that `dataset` takes.

Two clocks can disagree: the one that says when a member decided and the order in which decisions were recorded. A
row is admitted only if the last decision by *both* is an unexpired grant; in doubt the answer is no.
"""

from __future__ import annotations

from recsys.consent.artist_log import RegistryHead
from recsys.consent.artists import ArtistPreferences, ArtistRegistry
from recsys.consent.declaration import Declaration
from recsys.consent.events import Event, Head
from recsys.consent.gate import ConsentedListens, admit
from recsys.consent.ledger import Ledger
from recsys.consent.preferences import ArtistPolicy, Preference
from recsys.consent.records import read_decisions
from recsys.consent.terms import PURPOSES, Decision, Kind, Standing, default_until

__all__ = [
    "PURPOSES",
    "ArtistPolicy",
    "ArtistPreferences",
    "ArtistRegistry",
    "ConsentedListens",
    "Decision",
    "Declaration",
    "Event",
    "Head",
    "Kind",
    "Ledger",
    "Preference",
    "RegistryHead",
    "Standing",
    "admit",
    "default_until",
    "read_decisions",
]
