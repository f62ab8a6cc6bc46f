"""Immutable, content-addressed user x artist matrices.

:func:`build` turns consented listens into a :class:`DatasetVersion`: plays and milliseconds for each pair of member and
artist, the artists' names, and a manifest that says what went in, by which rules and on whose word. A version's digest
is the SHA-256 of its manifest, which holds the SHA-256 of each part; so the digest names all that matters, whatever
the order in which the listens came and whatever the file format does. :class:`DatasetStore` keeps versions on disk.

A public benchmark file becomes a version through :func:`import_benchmark`. It says so in its manifest for ever: it can
train and evaluate, and can never be handed to a buyer.
"""

from __future__ import annotations

from recsys.dataset.benchmark import import_benchmark
from recsys.dataset.builder import build
from recsys.dataset.diff import Difference, difference
from recsys.dataset.manifest import CONSENTED, PUBLIC_BENCHMARK, Manifest
from recsys.dataset.store import DatasetStore
from recsys.dataset.version import DatasetVersion
from recsys.dataset.vocabulary import Vocabulary

__all__ = [
    "CONSENTED",
    "PUBLIC_BENCHMARK",
    "DatasetStore",
    "DatasetVersion",
    "Difference",
    "Manifest",
    "Vocabulary",
    "build",
    "difference",
    "import_benchmark",
]
