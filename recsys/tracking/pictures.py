"""The pictures of a run: loss by sweep, and metrics beside the baseline with their intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from recsys.evaluation import Scores

_INK, _PALE = "#1f5a7a", "#b9b4a7"
_WIDTH = 0.38


def loss_curve(losses: Sequence[float]) -> Figure:
    """Draw the training loss after each sweep."""
    figure = Figure(figsize=(6, 3.5), layout="constrained")
    axes = figure.add_subplot()
    axes.plot(np.arange(1, len(losses) + 1), losses, color=_INK, marker="o", markersize=4)
    axes.set(xlabel="sweep", ylabel="training loss", title="Loss by sweep")
    axes.grid(alpha=0.3)
    return figure


def metric_bars(scores: Mapping[str, Scores]) -> Figure:
    """Draw each metric of each model as a bar with its interval; the first model is the one that matters."""
    figure = Figure(figsize=(6, 3.5), layout="constrained")
    axes = figure.add_subplot()
    names = list(next(iter(scores.values())))
    for place, (model, results) in enumerate(scores.items()):
        mean = np.array([results[name].mean for name in names])
        ends = np.array([[mean[i] - results[n].low, results[n].high - mean[i]] for i, n in enumerate(names)]).T
        axes.bar(
            np.arange(len(names)) + place * _WIDTH,
            mean,
            _WIDTH,
            yerr=np.maximum(ends, 0),
            capsize=4,
            label=model,
            color=_INK if place == 0 else _PALE,
        )
    axes.set_xticks(np.arange(len(names)) + _WIDTH * (len(scores) - 1) / 2, names)
    people = next(iter(scores.values())).n_users
    axes.set(title=f"{people} held-out listeners, 95% intervals")
    axes.legend(frameon=False)
    axes.grid(axis="y", alpha=0.3)
    return figure
