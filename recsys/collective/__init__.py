"""What members decide together: who belongs, what is proposed, how they voted, what is licensed.

Everything is a signed document in a book (:mod:`recsys.collective.book`): ``members``, ``proposals``, ``ballots`` and
``licences`` are Merkle logs in the database of the consents, each with signed heads, so that an entry can be shown to
be there and none can vanish.

Why it is as it is:

* *One member, one vote* is the default; another weighting, and delegation, must be stated in the proposal. Accounts
  that the proof of contribution takes for one listener have one vote, that of the first. The roll is who belonged from
  the opening to the close, so nobody can join in order to outvote the others, and who leaves takes their vote along.
* *Ballots are secret until the close and countable by anybody after it*; :mod:`recsys.collective.ballots` says who can
  know what, when. A vote needs no second action of its voters.
* *Every refusal is listed.* A ballot that does not count stands in the book with its reason, before everybody's eyes.
* *A result binds.* An approval exists only of a proposal that passed; without it no full bundle is packed, and none
  outside its terms (:meth:`recsys.bundle.Approval.covers`). A licence is issued for just that bundle.
* *Leaving is one step*: every consent is withdrawn, what was handed in is erased, the membership ends.
"""

from __future__ import annotations

from recsys.collective.book import Book
from recsys.collective.entries import Draft, Entry, Inclusion
from recsys.collective.grants import Grant, buyer_pseudonym
from recsys.collective.licence import Licence
from recsys.collective.licences import Licences
from recsys.collective.members import Left, Member, Members
from recsys.collective.proposals import Proposal
from recsys.collective.published import publish, verify
from recsys.collective.results import approve, tally
from recsys.collective.same import same_listeners
from recsys.collective.soundness import check_decisions
from recsys.collective.split import Split
from recsys.collective.votes import Vote, Votes

__all__ = [
    "Book",
    "Draft",
    "Entry",
    "Grant",
    "Inclusion",
    "Left",
    "Licence",
    "Licences",
    "Member",
    "Members",
    "Proposal",
    "Split",
    "Vote",
    "Votes",
    "approve",
    "buyer_pseudonym",
    "check_decisions",
    "publish",
    "same_listeners",
    "tally",
    "verify",
]
