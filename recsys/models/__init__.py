"""Models that are put together from parts: what scores, how plays are weighed, what stands beside a factorization.

``scored`` turns scores into lists, ``items`` are models of items alone (neighbours, EASE), ``weighting`` is how models
look at plays, ``blend`` puts neighbours beside a factorization. All speak as the models of ``implicit`` do.
"""

from recsys.models.blend import Blend, Factors, blend
from recsys.models.items import Ease, Neighbours, ease, neighbours
from recsys.models.scored import Scored, Scorer
from recsys.models.weighting import Weighed, Weighting

__all__ = [
    "Blend",
    "Ease",
    "Factors",
    "Neighbours",
    "Scored",
    "Scorer",
    "Weighed",
    "Weighting",
    "blend",
    "ease",
    "neighbours",
]
