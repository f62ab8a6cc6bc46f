"""A room whose sample nobody packed: names and texts that a hostile collective would choose."""

from datetime import timedelta
from pathlib import Path

import numpy as np
from bundles import make_terms
from starlette.testclient import TestClient

from recsys.als import ALSModel, Objective
from recsys.bundle.contents import Manifest
from recsys.bundle.sample import _OPENED, SampleModel
from recsys.dataset import Vocabulary
from recsys.models import Weighting
from recsys.named import NamedModel
from recsys.synthetic import NOW
from recsys.verdict import Check, Verdict
from recsys.web import Room, application

HOST = "127.0.0.1:7777"
FIGURES = {"n_users": 40, "confidence": 0.95, "n_bootstrap": 1000, "seed": 0}


def scores(*means):
    """Figures of a model in as many metrics as there are means, with intervals of 0.05 to either side."""
    names = ("ndcg_at_100", "recall_at_20", "recall_at_50")
    metrics = {name: {"mean": m, "low": m - 0.05, "high": m + 0.05} for name, m in zip(names, means, strict=False)}
    return {**FIGURES, "metrics": metrics}


def sample_of(names, *, card="# Card", factors=8, **documents):
    """Make a sample of these artists, each heard by fewer than the one before it."""
    drawn = np.random.default_rng(0).normal(scale=0.3, size=(len(names), factors)).astype(np.float32)
    model = ALSModel(np.empty((0, factors), np.float32), drawn, Objective(regularization=0.1), num_threads=1)
    plain = {"scores": {"sample": scores(0.3)}, "evidence": {}, "privacy": {"membership": None}, "dataset_card": {}}
    return SampleModel(
        _OPENED,
        named=NamedModel(model, Vocabulary(names), Weighting.plain("log"), 5.0),
        manifest=Manifest("sample", "A buyer", "a1", "ab" * 32, "2026-01-15T12:00:00.000000Z", {}),
        terms=make_terms(expires=(NOW + timedelta(days=2)).date()),
        card=card,
        documents={**plain, **documents},
        listeners=np.linspace(0.9, 0.1, len(names), dtype=np.float32),
        aliases={},
        verdict=Verdict("bundle made.recsys", (Check("file", True, "made up for a test"),)),
    )


class Clock:
    """A clock that tests set."""

    def __init__(self):
        self.at = NOW

    def __call__(self):
        return self.at


def room_of(*names, **told):
    """Make a room of these artists."""
    return Room(sample_of(names, **told), Path("made.recsys"), Path("made.pub"), Clock())


def asking(room):
    """Give a browser, of sorts, that asks this room."""
    return TestClient(application(room, [HOST]), base_url=f"http://{HOST}", raise_server_exceptions=False)
