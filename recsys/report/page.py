"""The report as one HTML file."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from recsys.report.findings import Findings
from recsys.report.pictures import exposure_curve, loss_curve, metric_bars, segment_bars, svg
from recsys.report.weaknesses import weaknesses

_WORDS = {
    "popularity_at_20": "listeners of a recommended artist, on average",
    "novelty_at_20": "surprise of a recommended artist, in bits",
    "long_tail_at_20": "share of recommendations from the least known artists",
    "miscalibration_at_20": "distance from the listener's own mix of known and unknown (0: alike)",
    "coverage_at_20": "share of the artists recommended to somebody",
    "gini_at_20": "concentration of recommendations (0: all artists alike, 1: one takes all)",
}


@dataclass(frozen=True)
class Facts:
    """What the report says of the run itself.

    Attributes
    ----------
    title
        What the run is called.
    version, run, model
        Digest of the dataset version, id of the MLflow run, SHA-256 of the artists' factors.
    members, artists, pairs
        Counts of the version.
    provenance
        ``"consented"`` or ``"public-benchmark"``.
    shown
        Share of a held-out listener's artists that the model was shown.
    settings
        The parameters of the run.
    """

    title: str
    version: str
    run: str
    model: str
    members: int
    artists: int
    pairs: int
    provenance: str
    shown: float
    settings: dict[str, Any]


def page(facts: Facts, found: Findings) -> str:
    """Lay a report out as HTML; the same facts and findings give the same bytes."""
    template = files("recsys.report").joinpath("templates/report.html").read_text(encoding="utf-8")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(template).render(
        facts=facts,
        found=found,
        gained=found.finding.difference(found.popularity),
        words=_WORDS,
        weaknesses=weaknesses(found),
        pictures={name: Markup(svg(figure)) for name, figure in pictures(found).items()},  # noqa: S704 - our own SVG
    )


def pictures(found: Findings) -> dict[str, Any]:
    """Draw what the report shows; the tracked run shows the same."""
    drawn = {
        "metrics": metric_bars({"model": found.finding, "popularity": found.popularity}),
        "segments": segment_bars(found.segments, "ndcg_at_100"),
        "exposure": exposure_curve(found.exposure),
    }
    return {**drawn, "loss": loss_curve(found.losses)} if found.losses else drawn
