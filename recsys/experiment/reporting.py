"""The report of a finished run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from recsys.dataset import DatasetVersion
from recsys.experiment.config import Experiment
from recsys.experiment.run import divide
from recsys.report import Facts, Findings, find, page
from recsys.tracking import FinishedRun


@dataclass(frozen=True, eq=False)
class Reported:
    """What was found of a run's model, and the page that says it."""

    findings: Findings
    html: str


def report_run(found: FinishedRun, version: DatasetVersion) -> Reported:
    """Test a finished run's logged model again on its own test listeners, from all sides.

    Parameters
    ----------
    found
        The run.
    version
        The version that it was trained on.
    """
    experiment = Experiment.of_run(found.params)
    named = found.model()
    findings = find(named, divide(experiment, version), losses=found.sweeps("loss"))
    counts = version.manifest.counts
    facts = Facts(
        title=found.tags.get("mlflow.runName", found.id),
        version=version.digest,
        run=found.id,
        model=named.factors_digest,
        members=counts["members"],
        artists=counts["artists"],
        pairs=counts["pairs"],
        provenance=version.manifest.provenance,
        shown=experiment.fold_in_fraction,
        settings=_settings(found.params),
    )
    return Reported(findings, page(facts, findings))


def _settings(params: Mapping[str, str]) -> dict[str, str]:
    """Give a run's parameters in order, without where on somebody's disk its files lay."""
    return {name: value for name, value in sorted(params.items()) if name not in {"files", "names_file"}}
