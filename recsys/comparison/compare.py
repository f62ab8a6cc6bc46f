"""Any set of models under one protocol, each with the same time to find its settings."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from recsys.comparison.contender import Contender, Params, Training
from recsys.comparison.contenders import ALL
from recsys.comparison.searching import Tuned
from recsys.comparison.tuning import tune
from recsys.comparison.workers import crew
from recsys.errors import ConfigError
from recsys.evaluation import Comparison, Fame, Lists, Metric, Novelty, Referee, Scores, catalogue, compare, measure

Step = Callable[[str, int, float, Params], None]
"""Called after each trial with the contender's name, the trial's number, its value and its settings."""


@dataclass(frozen=True, eq=False)
class Entry:
    """How one contender did.

    Attributes
    ----------
    contender
        Who.
    tuned
        The settings that did best on validation users.
    scores
        Figures on the test users, who were looked at once.
    lists
        What the test users were recommended.
    character
        Means over the test users of what lists are like, and what the catalogue sees of them.
    seconds
        Time that the search took, and that training with the chosen settings took.
    """

    contender: Contender
    tuned: Tuned
    scores: Scores
    lists: Lists
    character: dict[str, float]
    seconds: dict[str, float]


@dataclass(frozen=True, eq=False)
class Contest:
    """How all contenders did, best first by the first metric.

    Attributes
    ----------
    entries
        One for each contender.
    comparisons
        The best with each of the others, corrected for their number.
    touches
        How often each was scored on the test users.
    left_out
        Who could not take part, with the reason.
    """

    entries: tuple[Entry, ...]
    comparisons: tuple[Comparison, ...]
    touches: Mapping[str, int]
    left_out: Mapping[str, str] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Give everything as plain values for JSON."""
        return {
            "models": [
                {
                    "name": entry.contender.name,
                    "title": entry.contender.title,
                    "params": entry.tuned.params,
                    "validation": entry.tuned.value,
                    "trials": entry.tuned.trials,
                    "seconds": entry.seconds,
                    "test": entry.scores.as_dict(),
                    "character": entry.character,
                    "touches_of_test_users": self.touches[entry.contender.name],
                }
                for entry in self.entries
            ],
            "comparisons": [
                {
                    "model": one.model,
                    "other": one.other,
                    "metric": one.metric,
                    "difference": one.difference.mean,
                    "low": one.difference.low,
                    "high": one.difference.high,
                    "p_bootstrap": one.p_bootstrap,
                    "p_wilcoxon": one.p_wilcoxon,
                    "significant": one.significant(),
                }
                for one in self.comparisons
            ],
            "left_out": dict(self.left_out),
        }


def chosen(names: Sequence[str]) -> tuple[Contender, ...]:
    """Give the contenders of these names.

    Raises
    ------
    ConfigError
        If there is none of a name, or one is named twice.
    """
    unknown = [name for name in names if name not in ALL]
    if unknown or not names or len(set(names)) < len(names):
        raise ConfigError(f"{', '.join(unknown or names) or 'nothing'}: name models once each, of {', '.join(ALL)}")
    return tuple(ALL[name] for name in names)


def run(
    contenders: Sequence[Contender],
    referee: Referee,
    *,
    seconds: float,
    seed: int = 0,
    storage: Path | None = None,
    study: str = "study",
    step: Step | None = None,
    finished: Callable[[Entry], None] | None = None,
    max_trials: int | None = None,
    workers: int = 1,
) -> Contest:
    """Tune each contender on validation users, train it with what was found, and score it on the test users once.

    Parameters
    ----------
    contenders
        Who takes part.
    referee
        The protocol; its first metric is the one that counts.
    seconds
        Time for all searches; those with something to choose share it alike, and what one leaves goes to the next.
    seed
        Decides what is tried, and each model's start.
    storage, study
        As in :func:`recsys.comparison.tune`; the contender's name is put behind `study`.
    step
        Called after each trial.
    finished
        Called with each contender's entry as soon as it is there.
    max_trials
        At most so many trials of each stage.
    workers
        Processes that search at once; more than one need `storage`, and the clock starts when they are there.

    Raises
    ------
    ConfigError
        If nobody can take part on so many items.
    ValueError
        If several workers have no file to meet at.
    """
    left_out = {one.name: why for one in contenders if one.too_large and (why := one.too_large(referee.train))}
    if len(left_out) == len(contenders):
        raise ConfigError(f"nobody can take part: {'; '.join(left_out.values())}")
    if workers > 1 and storage is None:
        raise ValueError(f"{workers} workers meet at a study in a file; name one as storage")
    with crew(workers, referee, seed=seed, storage=storage or Path()) as helpers:

        def searched(contender: Contender, share: float) -> Tuned:
            return tune(
                contender,
                referee,
                seconds=share,
                seed=seed,
                storage=storage,
                study=f"{study}-{contender.name}",
                report=_reporter(contender.name, step),
                max_trials=max_trials,
                crew=helpers,
            )

        entries = []
        for contender, share in _shares([one for one in contenders if one.name not in left_out], seconds):
            begun = time.monotonic()
            tuned = searched(contender, share)
            entries.append(_entry(contender, tuned, referee, seed, time.monotonic() - begun))
            if finished:
                finished(entries[-1])
    return replace(_ranked(entries, referee), left_out=left_out)


def _shares(contenders: Sequence[Contender], seconds: float) -> Iterator[tuple[Contender, float]]:
    """Go through the contenders, each with its time: what is left, shared by those who still have something to find."""
    ends = time.monotonic() + seconds
    for place, contender in enumerate(contenders):
        waiting = sum(bool(one.space) for one in contenders[place:])
        yield contender, max(ends - time.monotonic(), 0.0) / max(waiting, 1)


def _reporter(name: str, step: Step | None) -> Callable[[int, float, Params], None] | None:
    if step is None:
        return None
    return lambda number, value, params: step(name, number, value, params)


def _entry(contender: Contender, tuned: Tuned, referee: Referee, seed: int, searched: float) -> Entry:
    begun = time.monotonic()
    model = contender.fit(referee.train, tuned.params, Training(seed))
    trained = time.monotonic() - begun
    scores, lists = referee.test(contender.name, model)
    seconds = {"search": searched, "training": trained}
    return Entry(contender, tuned, scores, lists, _character(lists, referee), seconds)


def _character(lists: Lists, referee: Referee) -> dict[str, float]:
    k = min(metric.k for metric in referee.metrics)
    fame = Fame.among(referee.train)
    measures: list[Metric] = [Novelty(k, fame)]
    means = {name: score.mean for name, score in measure(lists, measures, referee.bootstrap).items()}
    return {**means, **catalogue(lists, k)}


def _ranked(entries: Sequence[Entry], referee: Referee) -> Contest:
    metric = referee.metrics[0].name
    ranked = sorted(entries, key=lambda entry: -entry.scores[metric].mean)
    by_name = {entry.contender.name: entry.scores for entry in ranked}
    pairs = [(ranked[0].contender.name, entry.contender.name) for entry in ranked[1:]]
    return Contest(tuple(ranked), tuple(compare(by_name, metric, pairs)), referee.touches)
