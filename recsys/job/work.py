"""The work of a compute job: train on the answer, test on held-out listeners, write artifacts without rows."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recsys.canonical import canonical_json, sha256_file, write_atomically
from recsys.dataset import DatasetVersion, from_query
from recsys.experiment import Experiment, Trained, train
from recsys.experiment.reporting import reported
from recsys.job.order import Order
from recsys.listens import read_pool
from recsys.privacy import audit
from recsys.report import Findings, find

RESULTS = "results.json"
_MODEL, _REPORT = "model", "report.html"


@dataclass(frozen=True, eq=False)
class Done:
    """What a job came to.

    Attributes
    ----------
    results
        What ``results.json`` says.
    findings
        What was found of the model.
    """

    results: Mapping[str, Any]
    findings: Findings


def work(
    order: Order,
    experiment: Experiment,
    *,
    min_listeners: int = 10,
    progress: Callable[[int, int, float], None] | None = None,
) -> Done:
    """Train on ``query_results.db`` and write ``model/``, ``report.html`` and, last, ``results.json``.

    Parameters
    ----------
    order
        Where the answer lies and where artifacts go.
    experiment
        How to train; which data it names does not matter.
    min_listeners
        An artist with fewer listeners is left out of everything.
    progress
        Called after each sweep with (sweeps done, sweeps in all, loss).

    Raises
    ------
    UnreadableExportError
        If the answer is missing, damaged, or has no table ``results`` of members and artists.
    DatasetTooSmallError
        If too little is left to train on.
    """
    pool = read_pool(order.database)
    version = from_query(pool, source=order.facts(), secret=order.signature or "local", min_listeners=min_listeners)
    trained = train(experiment, version, progress=progress)
    findings = find(trained.named, trained.split, losses=trained.losses)
    return Done(_written(order, experiment, version, trained, findings), findings)


def _written(
    order: Order, experiment: Experiment, version: DatasetVersion, trained: Trained, findings: Findings
) -> dict[str, Any]:
    """Write the artifacts."""
    order.output.mkdir(parents=True, exist_ok=True)
    (order.output / RESULTS).unlink(missing_ok=True)
    shutil.rmtree(order.output / _MODEL, ignore_errors=True)
    trained.named.save(order.output / _MODEL)
    title = f"compute job {order.job}" if order.job is not None else "compute job"
    params = {**experiment.params(), "version": "the answer"}
    told = reported(findings, trained.named, version, run=title, title=title, params=params)
    write_atomically(order.output / _REPORT, told.html.encode())
    manifest = version.manifest
    results = {
        "format": "recsys-job/1",
        "source": manifest.source,
        "dataset": {"sha256": version.digest, "counts": manifest.counts, "rules": manifest.rules},
        "settings": {name: value for name, value in params.items() if name not in {"files", "names_file"}},
        "model_sha256": trained.named.factors_digest,
        "scores": findings.finding.as_dict(),
        "popularity": findings.popularity.as_dict(),
        "privacy": audit(trained.named, trained.split.train, trained.split.held_out).as_dict(),
        "files": {_seen(order, path): sha256_file(path) for path in _artifacts(order.output)},
    }
    write_atomically(order.output / RESULTS, canonical_json(results))
    return results


def _artifacts(folder: Path) -> list[Path]:
    return [folder / _REPORT, *sorted((folder / _MODEL).iterdir())]


def _seen(order: Order, path: Path) -> str:
    return path.relative_to(order.output).as_posix()
