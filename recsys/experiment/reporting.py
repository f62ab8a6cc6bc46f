"""What a run is reported with: the facts of the run beside what was found of its model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from recsys.dataset import DatasetVersion
from recsys.named import NamedModel
from recsys.report import Facts, Findings, page

_PLACES = {"files", "names_file"}


@dataclass(frozen=True, eq=False)
class Reported:
    """What was found of a run's model, and the page that says it."""

    findings: Findings
    html: str


def reported(
    findings: Findings, named: NamedModel, version: DatasetVersion, *, run: str, title: str, params: Mapping[str, Any]
) -> Reported:
    """Lay out what was found of a run's model.

    Parameters
    ----------
    findings
        What was found.
    named, version
        The model and the version that it was trained on.
    run, title
        Id and name of the run.
    params
        Its parameters; where on somebody's disk its files lay is left out.
    """
    counts = version.manifest.counts
    facts = Facts(
        title=title,
        version=version.digest,
        run=run,
        model=named.factors_digest,
        members=counts["members"],
        artists=counts["artists"],
        pairs=counts["pairs"],
        provenance=version.manifest.provenance,
        shown=float(params["fold_in_fraction"]),
        settings={name: str(value) for name, value in sorted(params.items()) if name not in _PLACES},
    )
    return Reported(findings, page(facts, findings))
