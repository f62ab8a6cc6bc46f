"""The pictures of a model, for its run and for its report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import StringIO

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

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
    width = 2 * _WIDTH / max(len(scores), 2)
    shades = mpl.colormaps["Greys"](np.linspace(0.65, 0.2, max(len(scores) - 1, 1)))
    for place, (model, results) in enumerate(scores.items()):
        mean = np.array([results[name].mean for name in names])
        ends = np.array([[mean[i] - results[n].low, results[n].high - mean[i]] for i, n in enumerate(names)]).T
        axes.bar(
            np.arange(len(names)) + place * width,
            mean,
            width,
            yerr=np.maximum(ends, 0),
            capsize=8 * width,
            label=model,
            color=_INK if place == 0 else shades[place - 1],
        )
    shown = [name.replace("_at_", "@").replace("hit_rate", "hits") for name in names]
    axes.set_xticks(np.arange(len(names)) + width * (len(scores) - 1) / 2, shown, fontsize="small")
    people = next(iter(scores.values())).n_users
    axes.set(title=f"{people} held-out listeners, 95% intervals")
    axes.legend(frameon=False, fontsize="small")
    axes.grid(axis="y", alpha=0.3)
    return figure


def exposure_curve(exposure: Mapping[str, NDArray[np.float64]]) -> Figure:
    """Draw how much of all listening, and of all recommendations, the best known artists have."""
    figure = Figure(figsize=(6, 3.5), layout="constrained")
    axes = figure.add_subplot()
    for (name, share), colour in zip(exposure.items(), (_PALE, _INK), strict=True):
        axes.plot(np.linspace(0, 100, len(share)), 100 * share, label=name, color=colour, linewidth=2)
    axes.plot([0, 100], [0, 100], color="black", linewidth=0.5, linestyle=":", label="all artists alike")
    axes.set(xlabel="artists, best known first (%)", ylabel="share (%)", title="Who is recommended, and who is heard")
    axes.legend(frameon=False, loc="lower right")
    axes.grid(alpha=0.3)
    return figure


def segment_bars(segments: Mapping[str, tuple[Scores, Scores]], metric: str) -> Figure:
    """Draw one metric by group of listeners, the model beside popularity, with intervals."""
    figure = Figure(figsize=(6, 3.5), layout="constrained")
    axes = figure.add_subplot()
    places = np.arange(len(segments))
    for side, (label, colour) in enumerate((("model", _INK), ("popularity", _PALE))):
        found = [pair[side][metric] for pair in segments.values()]
        mean = np.array([one.mean for one in found])
        ends = np.array([[one.mean - one.low, one.high - one.mean] for one in found]).T
        axes.bar(places + side * _WIDTH, mean, _WIDTH, yerr=np.maximum(ends, 0), capsize=4, label=label, color=colour)
    axes.set_xticks(places + _WIDTH / 2, list(segments))
    axes.set(ylabel=metric.replace("_at_", "@"), title="Whom it serves how well")
    axes.legend(frameon=False)
    axes.grid(axis="y", alpha=0.3)
    return figure


def svg(figure: Figure) -> str:
    """Write a picture as SVG that is the same for the same figures."""
    with mpl.rc_context({"svg.hashsalt": "recsys", "svg.fonttype": "none"}):
        text = StringIO()
        figure.savefig(text, format="svg", metadata={"Date": None})
    drawn = text.getvalue()
    return drawn[drawn.index("<svg") :]
