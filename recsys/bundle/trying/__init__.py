"""A buyer tries a sample before paying: on a few names, on their own listeners, beside another sample.

``taste`` recommends to somebody who likes a few artists, and says why. ``histories`` reads a buyer's own listeners,
``trial`` tests a sample on them, ``compare`` lays two samples side by side.

Why it is as it is:

* *The buyer's listeners are strangers to the model*, so a seeded part of each history is folded in and the rest
  is to be found: strong generalization without a training part.
* *What a bundle does not know is a miss.* A sample has head artists only, and figures over what it knows would hide
  that; so figures are given twice, over everything that was hidden and over what the bundle could have found at all.
* *The rival is at home.* Most-played lists of the buyer's own listeners cost the buyer nothing, so that is what a
  sample must beat; each list is counted without the listener that it is tested on.
"""

from __future__ import annotations

from recsys.bundle.trying.compare import Compared, Paired, Row, compare_samples
from recsys.bundle.trying.histories import Bounds, Histories, read_histories
from recsys.bundle.trying.taste import Recommended, Tasted, taste
from recsys.bundle.trying.trial import TITLES, Figures, Overlap, Trial, try_on

__all__ = [
    "TITLES",
    "Bounds",
    "Compared",
    "Figures",
    "Histories",
    "Overlap",
    "Paired",
    "Recommended",
    "Row",
    "Tasted",
    "Trial",
    "compare_samples",
    "read_histories",
    "taste",
    "try_on",
]
