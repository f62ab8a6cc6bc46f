"""Who agreed to what, when: the only door to shared data.

A member's signed word is written to the :class:`Ledger`, which can only grow. Its entries are the leaves of a Merkle
log whose heads the collective signs, so anybody can be shown that an entry is in it, that nothing about a member is
left out, and that history was not rewritten (:class:`ConsentProof`).

:func:`admit` asks the ledger about one purpose at one instant and lets pass the listens of those who agree, as far as
they came by a route that the :class:`Policy` admits; :class:`ConsentedListens` can be got no other way, and it is all
that `dataset` takes.

What a member says is a consent record of ISO/IEC TS 27560 in W3C's Data Privacy Vocabulary, about one purpose, made
under a notice that never changes (:mod:`recsys.consent.notice`) and signed with the member's own key. A record names
that key and the collective's, so it can be checked alone; and since writing one is a function, one is believed only if
it is to the byte what would be written. What members get in return is a :class:`Receipt`, in words that they use.

Two clocks can disagree: the one that says when a member decided and the order in which decisions were recorded. A
row is admitted only if the last decision by *both* is an unexpired grant; in doubt the answer is no.
"""

from __future__ import annotations

from recsys.consent.artist_log import RegistryHead
from recsys.consent.artists import ArtistPreferences, ArtistRegistry
from recsys.consent.controller import Controller
from recsys.consent.declaration import Declaration
from recsys.consent.events import Event, Head
from recsys.consent.gate import ConsentedListens, admit
from recsys.consent.ledger import Answers, Ledger
from recsys.consent.members import MemberKeys
from recsys.consent.policy import Policy
from recsys.consent.preferences import ArtistPolicy, Preference
from recsys.consent.proofs import ConsentProof, Proved
from recsys.consent.receipt import Receipt
from recsys.consent.records import SignedDecision, read_decisions, read_signed, sign_decision
from recsys.consent.terms import PURPOSES, Decision, Kind, Standing, default_until

__all__ = [
    "PURPOSES",
    "Answers",
    "ArtistPolicy",
    "ArtistPreferences",
    "ArtistRegistry",
    "ConsentProof",
    "ConsentedListens",
    "Controller",
    "Decision",
    "Declaration",
    "Event",
    "Head",
    "Kind",
    "Ledger",
    "MemberKeys",
    "Policy",
    "Preference",
    "Proved",
    "Receipt",
    "RegistryHead",
    "SignedDecision",
    "Standing",
    "admit",
    "default_until",
    "read_decisions",
    "read_signed",
    "sign_decision",
]
