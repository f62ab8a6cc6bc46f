"""What a contribution is worth, and whether it can be believed: measured, with every part shown.

Why it is as it is:

* Nothing is a constant. The proof documents that this follows (Vana's, Unwrapped's) set authenticity and ownership to
  1.0; here a figure is what was measured, and what cannot be known is said to be unknown (:data:`NOT_PROVED`).
* A low figure is a reason to ask, not a verdict: :mod:`recsys.proof.authenticity` states what honest people do that
  looks the same.
* Of two histories that are alike, the one that came first keeps its worth: whose data were copied must not pay for it.
* People of one taste are not copies of each other. What is compared is what taste does not explain
  (:mod:`recsys.proof.sketch`).
* Sketches are personal, and end with their member's data (:mod:`recsys.proof.store`).
"""

from recsys.proof.history import History
from recsys.proof.neighbours import Likeness, likenesses
from recsys.proof.points import FULL_SCORE, SCORERS, Figures, Score, Scorer
from recsys.proof.pool import award, prove_members
from recsys.proof.prove import NOT_PROVED, VALID_FROM, Circumstances, Proof, prove
from recsys.proof.sketch import Sketch
from recsys.proof.store import Award, ProofStore, Sketched

__all__ = [
    "FULL_SCORE",
    "NOT_PROVED",
    "SCORERS",
    "VALID_FROM",
    "Award",
    "Circumstances",
    "Figures",
    "History",
    "Likeness",
    "Proof",
    "ProofStore",
    "Score",
    "Scorer",
    "Sketch",
    "Sketched",
    "award",
    "likenesses",
    "prove",
    "prove_members",
]
