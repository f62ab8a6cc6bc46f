"""Loss against time, drawn."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure


@dataclass(frozen=True)
class Curve:
    """How one contestant came down.

    Attributes
    ----------
    contestant, factors
        Whose curve it is, and with how many factors.
    sweeps, seconds, losses
        Sweeps done, time since the start and loss at each point.
    """

    contestant: str
    factors: int
    sweeps: list[int]
    seconds: list[float]
    losses: list[float]


def plot_curves(curves: Sequence[Curve], title: str, path: Path) -> None:
    """Draw, for each number of factors, how far each contestant's loss still lies above the lowest, over time.

    The lowest point itself lies infinitely far down and is left out.
    """
    sizes = sorted({curve.factors for curve in curves})
    figure = Figure(figsize=(4.2 * len(sizes), 3.6), layout="constrained")
    panels = figure.subplots(1, len(sizes), squeeze=False)[0]
    for axes, factors in zip(panels, sizes, strict=True):
        _draw(axes, [curve for curve in curves if curve.factors == factors])
        axes.set_title(f"{factors} factors")
    panels[0].set_ylabel("loss above the lowest")
    figure.suptitle(title)
    figure.savefig(path)


def _draw(axes: Axes, curves: Sequence[Curve]) -> None:
    lowest = min(min(curve.losses) for curve in curves)
    for curve in curves:
        above = [100 * (loss / lowest - 1) or math.nan for loss in curve.losses]
        axes.plot(curve.seconds, above, marker=".", label=curve.contestant)
    axes.set_xscale("log")
    axes.set_yscale("log" if max(max(curve.losses) for curve in curves) > lowest else "linear")
    axes.yaxis.set_major_formatter("{x:g}%")
    axes.set_xlabel("seconds")
    axes.legend()
