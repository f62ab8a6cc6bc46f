"""Models that are put together from parts: what scores, how plays are weighed, what stands beside a factorization.

``scored`` turns scores into lists, ``items`` are models of items alone (neighbours, EASE), ``weighting`` is how models
look at plays, ``recency`` halves weights with age, ``blend`` puts neighbours beside a factorization, ``tags``
tells factors of artists without listeners. All speak as the models of ``implicit`` do.
"""

from recsys.models.blend import Beside, Blend, Factors
from recsys.models.items import Ease, Neighbours, ease, neighbours, shared_by
from recsys.models.recency import ages, latest, recent
from recsys.models.scored import Scored, Scorer
from recsys.models.stored import beside_arrays, from_arrays
from recsys.models.tags import FromTags, warmed
from recsys.models.weighting import Kind, Weighed, Weighting

__all__ = [
    "Beside",
    "Blend",
    "Ease",
    "Factors",
    "FromTags",
    "Kind",
    "Neighbours",
    "Scored",
    "Scorer",
    "Weighed",
    "Weighting",
    "ages",
    "beside_arrays",
    "ease",
    "from_arrays",
    "latest",
    "neighbours",
    "recent",
    "shared_by",
    "warmed",
]
