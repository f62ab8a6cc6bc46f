"""A finished contest as a table that can be kept: figures with intervals, what was chosen, on which machine."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from recsys.bench.machine import cpu_name
from recsys.bench.report import Column, Report, Row
from recsys.evaluation import stars
from recsys.experiment.contest import Outcome
from recsys.experiment.stated import Stated

_PEERS = ("implicit", "irspack")


def report_of(outcome: Outcome, *, command: str, date: str, stated: Sequence[Stated] = ()) -> Report:
    """Lay a contest out.

    Parameters
    ----------
    outcome
        The contest.
    command
        What was typed.
    date
        When it was held.
    stated
        What others stated for this protocol; comes below.
    """
    told = outcome.as_dict()
    names = list(told["models"][0]["test"]["metrics"])
    marks = {one["other"]: one for one in told["comparisons"]}
    rows: list[Row] = [
        {
            "model": model["title"],
            **model["test"]["metrics"],
            "mark": _mark(marks.get(model["name"])),
            "trials": model["trials"],
            "validation": model["validation"],
            "seconds": model["seconds"],
            "params": model["params"],
            "touches": model["touches_of_test_users"],
        }
        for model in told["models"]
    ]
    rows += [
        {"model": f"{one.model} ({one.source})", **_stated(one, names), "mark": "", "trials": None} for one in stated
    ]
    columns = (
        Column("model", "model"),
        *(Column(name, name.replace("_at_", "@"), partial(_figure, first=name == names[0])) for name in names),
        Column("mark", "behind the first"),
        Column("trials", "trials"),
    )
    return Report(_title(told), _about(command, date, told), columns, rows, _notes(told))


def _stated(one: Stated, names: Sequence[str]) -> dict[str, Any]:
    return {name: {"mean": one.figures[name]} if name in one.figures else None for name in names}


def _figure(score: Mapping[str, float], *, first: bool) -> str:
    if first and "low" in score:
        return f"{score['mean']:.4f} [{score['low']:.4f}, {score['high']:.4f}]"
    return f"{score['mean']:.4f}"


def _mark(versus: Mapping[str, Any] | None) -> str:
    if versus is None:
        return ""
    return f"{-versus['difference']:+.4f}{stars(versus['p_bootstrap'], versus['p_wilcoxon'])}"


def _title(told: Mapping[str, Any]) -> str:
    how = told["protocol"]
    return f"{how['protocol']}: {how['test_users']:,} test users, {how['items']:,} items"


def _notes(told: Mapping[str, Any]) -> list[str]:
    chosen = [
        f"{model['title']}: " + ", ".join(f"{name} {_short(value)}" for name, value in model["params"].items())
        for model in told["models"]
        if model["params"]
    ]
    return [*chosen, *(f"{name} was left out: {why}" for name, why in told["left_out"].items())]


def _short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _about(command: str, date: str, told: Mapping[str, Any]) -> dict[str, Any]:
    about = {"command": command, "date": date, "cpu": cpu_name(), "python": platform.python_version()}
    for name in ("recsys", *_PEERS):
        try:
            about[name] = version(name)
        except PackageNotFoundError:
            continue
    return {**about, "dataset_version": told["dataset_version"], "seed": told["protocol"]["seed"]}
