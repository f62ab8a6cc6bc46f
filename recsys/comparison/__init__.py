"""Models beside one another: found, tuned and tested under one protocol.

``own`` makes our models of flat settings, ``peers`` those of ``implicit`` and ``irspack``, ``contenders`` lists who
takes part and what may be tried, ``tuning`` finds settings (``searching`` in one process, ``workers`` in several),
``compare`` runs the contest. The parts of our models lie in :mod:`recsys.models`.

Why it is as it is:

* *The same chances*: every contender is tuned on the same validation users for the same time. A weak baseline is the
  oldest way to make a model look good (Ferrari Dacrema, Cremonesi and Jannach, RecSys 2019).
* *Libraries for the others*: neighbours, BPR and LMF are those of ``implicit``; EASE alone, six lines of algebra, is
  ours.
* *Test users once*: a referee counts the looks.
"""

from recsys.comparison.compare import Contest, Entry, chosen, run
from recsys.comparison.contender import Contender, Training
from recsys.comparison.contenders import ALL
from recsys.comparison.searching import Tuned
from recsys.comparison.tuning import tune
from recsys.comparison.workers import Crew, crew

__all__ = [
    "ALL",
    "Contender",
    "Contest",
    "Crew",
    "Entry",
    "Training",
    "Tuned",
    "chosen",
    "crew",
    "run",
    "tune",
]
