"""When a member goes: what may no longer be used, what is destroyed, and how somebody comes back.

A withdrawal is one entry in the ledger; everything else follows from it. Which versions are marked is never written
down: a version is withdrawn if somebody among its members is, and both are asked anew each time (:mod:`.marks`). What
was destroyed is different: it must be done, and what was done must be told (:func:`erase`).

* Erased: the member's data key, and with it every copy of their contributions; the files; what the proof of
  contribution remembers of them; their rows in every stored version.
* Kept: the ledger and the signed records, which prove that consent was once there and was taken back (they hold a
  pseudonym and dates, nothing that was listened to); and models, in which no listener has a row. Models of versions
  that the member was in are named by ``recsys consent affected``; ``recsys retrain`` makes one without them.

A zip that still lies in a folder of exports is not taken in again until the member agrees anew: only a grant that was
recorded after the erasure opens the door. The member's own return is a decision; finding an old file is none.
"""

from __future__ import annotations

from recsys.erasure.marks import left_since, refuse_withdrawn, usable, versions_with, withdrawn_from
from recsys.erasure.member import Erased, erase, keeps_nothing, welcome_back

__all__ = [
    "Erased",
    "erase",
    "keeps_nothing",
    "left_since",
    "refuse_withdrawn",
    "usable",
    "versions_with",
    "welcome_back",
    "withdrawn_from",
]
