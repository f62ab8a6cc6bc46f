"""Finding a model's settings on validation users, within a time that all contenders are given alike.

``searching`` is what one process does at one study. Here a contender is searched part by part: what it is made of, then
what is added to it; by this process, or by a crew of others (``workers``).
"""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recsys.comparison.contender import Contender, Params
from recsys.comparison.searching import Plan, Report, Terms, Tuned, search
from recsys.comparison.workers import Crew, Task
from recsys.evaluation import Referee

_FIRST_SHARE = 0.8  # of the time, where something is added afterwards


def tune(
    contender: Contender,
    referee: Referee,
    *,
    seconds: float,
    seed: int = 0,
    storage: Path | None = None,
    study: str = "study",
    report: Report | None = None,
    max_trials: int | None = None,
    keys: NDArray[np.uint64] | None = None,
    crew: Crew | None = None,
) -> Tuned:
    """Search a contender's settings.

    Parameters
    ----------
    contender
        Whose. One without a choice is tried once.
    referee
        Asks on validation users; its first metric is the one that counts.
    seconds
        Time for trials: none begins afterwards, and one that is under way is given up at its next look.
    seed
        Decides what is tried, and each model's start.
    storage, study
        SQLite file that keeps the trials, and the name of the study in it; in memory unless given.
    report
        Called after each trial with its number, its value and its settings.
    max_trials
        At most so many trials of each stage.
    keys
        Stable numbers of the items, by which their factors start; their places unless given.
    crew
        Other processes that do the work; they were told `referee`, `seed`, `storage` and `keys` when they began.
    """
    how = _How(Terms(seed=seed, storage=storage, keys=keys), crew)
    plan = Plan(seconds=seconds, study=study, max_trials=max_trials)
    if contender.then is None:
        return _part(contender, referee, Task(contender.name, None, plan), report, how)
    ends = time.monotonic() + seconds
    task = Task(contender.name, None, replace(plan, seconds=seconds * _FIRST_SHARE))
    first = _part(replace(contender, then=None), referee, task, report, how)
    left = replace(plan, seconds=max(ends - time.monotonic(), 0.0), study=f"{study}-{_digest(first.params)}")
    task = Task(contender.name, first.params, left)
    last = _part(contender.then(first.params), referee, task, _counted_on(report, first.trials), how)
    trials = first.trials + last.trials
    if last.value <= first.value:
        return replace(first, trials=trials)
    return Tuned({**first.params, **last.params}, last.value, trials, {**first.tried, **last.tried})


@dataclass(frozen=True)
class _How:
    terms: Terms
    crew: Crew | None


def _part(contender: Contender, referee: Referee, task: Task, report: Report | None, how: _How) -> Tuned:
    """Search the settings of one part: by the crew, if there is one, whose findings are read where it left them."""
    crew = how.crew if contender.space else None
    if crew:
        crew.search(task, report)
    plan = replace(task.plan, seconds=0.0) if crew else task.plan  # a crew of which nobody is left is as good as none
    return search(contender, referee, plan, how.terms, report=report)


def _counted_on(report: Report | None, trials: int) -> Report | None:
    return report and (lambda number, value, params: report(trials + number, value, params))


def _digest(params: Params) -> str:
    return hashlib.sha256(repr(sorted(params.items())).encode()).hexdigest()[:12]
