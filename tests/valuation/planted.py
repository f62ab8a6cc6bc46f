"""A small pool with members that should be worth little, and honest listeners who test."""

from functools import lru_cache

from recsys.bench.valuation import make_pool

HONEST, COPY, FARM, RANDOM, EMPTY = range(5)


@lru_cache(maxsize=1)
def pool():
    return make_pool(500, 150, 0, each=0.04)
