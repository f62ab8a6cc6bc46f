"""Immutable, content-addressed user x artist matrices.

:func:`build` turns consented listens into a :class:`DatasetVersion`: plays and milliseconds for each pair of member and
artist, the artists' names, and a manifest that says what went in, by which rules and on whose word. A version's digest
is the SHA-256 of its manifest, which holds the SHA-256 of each part; so the digest names all that matters, whatever
the order in which the listens came and whatever the file format does. :class:`DatasetStore` keeps versions on disk.

A version has a number in its line that follows from what changed (:mod:`recsys.dataset.change`), and knows which
contributions it was built from, so that :func:`reproduce` builds it again. Its cards (:mod:`recsys.dataset.card`) say
what a buyer or a regulator asks; every fact in them comes from the manifest.

A public benchmark file becomes a version through :func:`import_benchmark`. It says so in its manifest for ever: it can
train and evaluate, and can never be handed to a buyer. :func:`from_query` marks the answer to a query that somebody
else vouches for in the same way.
"""

from __future__ import annotations

from recsys.dataset.benchmark import benchmark_events, benchmark_targets, import_benchmark
from recsys.dataset.builder import build
from recsys.dataset.change import Change
from recsys.dataset.diff import Difference, difference
from recsys.dataset.history import LogEntry, log
from recsys.dataset.line import build_next
from recsys.dataset.manifest import CONSENTED, PUBLIC_BENCHMARK, QUERIED, Manifest
from recsys.dataset.queried import from_query
from recsys.dataset.reproduce import Reproduction, reproduce
from recsys.dataset.store import DatasetStore
from recsys.dataset.version import DatasetVersion
from recsys.dataset.vocabulary import Vocabulary

__all__ = [
    "CONSENTED",
    "PUBLIC_BENCHMARK",
    "QUERIED",
    "Change",
    "DatasetStore",
    "DatasetVersion",
    "Difference",
    "LogEntry",
    "Manifest",
    "Reproduction",
    "Vocabulary",
    "benchmark_events",
    "benchmark_targets",
    "build",
    "build_next",
    "difference",
    "from_query",
    "import_benchmark",
    "log",
    "reproduce",
]
