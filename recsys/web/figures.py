"""Figures with intervals as pages show them: one scale for all models, and places on it in per cent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from recsys.evaluation import Scores

WORDS = {
    "ndcg_at_100": ("NDCG@100", "how much of what they like is on the list of 100, and how far up"),
    "recall_at_20": ("Recall@20", "share of their hidden artists found by 20 places"),
    "recall_at_50": ("Recall@50", "share of their hidden artists found by 50 places"),
    "map_at_20": ("MAP@20", "how clean the first 20 places are from the top down"),
    "mrr_at_20": ("MRR@20", "one over the place of the first hit"),
    "hit_rate_at_20": ("Hit rate@20", "share of listeners who find at least one among 20"),
}
"""What each metric is called, and what it says, in one line."""


@dataclass(frozen=True)
class Mark:
    """One model's figure in one metric.

    Attributes
    ----------
    model
        What the model is called.
    style
        Number of its mark and colour, 0 for the first.
    mean, low, high
        The figure and the ends of its interval.
    at, start, end
        The same as places on the scale, in per cent.
    """

    model: str
    style: int
    mean: float
    low: float
    high: float
    at: float
    start: float
    end: float


@dataclass(frozen=True)
class Row:
    """One metric.

    Attributes
    ----------
    name, words
        As in :data:`WORDS`.
    top
        End of the scale, which begins at 0.
    marks
        One for each model that has a figure.
    """

    name: str
    words: str
    top: float
    marks: tuple[Mark, ...]


def models(scores: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Give the figures that a bundle's ``scores.json`` has, by what each model is called on the page."""
    names = {"this sample": "sample", "full model": "full", "popularity": "popularity"}
    return {words: scores[name] for words, name in names.items() if name in scores}


def trial_rows(scores: Mapping[str, Scores], called: Mapping[str, str]) -> list[Row]:
    """Lay out the figures of a trial on somebody's listeners, by what each model is called."""
    return rows({called[name]: one.as_dict() for name, one in scores.items()})


def rows(models: Mapping[str, Mapping[str, Any]]) -> list[Row]:
    """Lay out figures of several models, metric by metric.

    Parameters
    ----------
    models
        For each model what :meth:`recsys.evaluation.Scores.as_dict` gives.
    """
    told = {name for one in models.values() for name in one["metrics"]}
    names = [*(name for name in WORDS if name in told), *sorted(told - WORDS.keys())]
    found = []
    for name in names:
        figures = ((model, style, one["metrics"].get(name)) for style, (model, one) in enumerate(models.items()))
        known = [(model, style, figure) for model, style, figure in figures if figure]
        top = _round_up(max(figure["high"] for _, _, figure in known))
        words = WORDS[name][1] if name in WORDS else ""
        marks = tuple(_mark(model, style, figure, top) for model, style, figure in known)
        found.append(Row(called(name), words, top, marks))
    return found


def differences(told: Mapping[str, Mapping[str, float]]) -> list[tuple[str, str]]:
    """Write differences with their intervals, metric by metric."""
    ordered = sorted(told, key=lambda name: (*WORDS, name).index(name))
    return [(called(name), signed(*(told[name][end] for end in ("mean", "low", "high")))) for name in ordered]


def called(name: str) -> str:
    """Give what a metric is called on a page."""
    return WORDS[name][0] if name in WORDS else name.replace("_at_", "@").replace("_", " ")


def signed(mean: float, low: float, high: float) -> str:
    """Write a difference with its interval."""
    return f"{mean:+.3f} [{low:+.3f}, {high:+.3f}]"


def _mark(model: str, style: int, figure: Mapping[str, float], top: float) -> Mark:
    mean, low, high = (float(figure[name]) for name in ("mean", "low", "high"))
    at, start, end = (round(100 * min(max(value / top, 0), 1), 2) for value in (mean, low, high))
    return Mark(model, style, mean, low, high, at, start, end)


def _round_up(value: float, steps: Sequence[float] = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8)) -> float:
    return next((step for step in steps if value <= step), 1.0)
