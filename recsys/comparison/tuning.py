"""Finding a model's settings on validation users, within a time that all contenders are given alike.

Rendle et al. ("Revisiting the Performance of iALS on Item Recommendation Benchmarks", RecSys 2022) found that the
weight of the unobserved and the regularization matter most and carry over from few factors to many: so settings are
searched with few factors, where a trial costs little, and factors are added afterwards as long as that helps.

A study lies in a SQLite file under the name that its caller gives it; a search that was killed goes on from its trials,
and another process that opens the same study takes part in it.
"""

from __future__ import annotations

import hashlib
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from numpy.typing import NDArray
from optuna.distributions import IntDistribution
from optuna.trial import TrialState

from recsys.comparison.contender import Contender, Params, Training
from recsys.evaluation import Recommender, Referee

Report = Callable[[int, float, Params], None]

_STARTUP = 8  # random trials before the search learns from them
_FIRST_SHARE = 0.8  # of the time, where something is added afterwards
_SEARCH_SHARE = 0.6  # of the time, before the costly setting is raised
_FIRST_LOOK, _LOOK_EVERY = 3, 3  # sweeps


@dataclass(frozen=True)
class Tuned:
    """What a search came to.

    Attributes
    ----------
    params
        The settings that did best on validation users.
    value
        What they reached there.
    trials
        How many settings were tried to the end or given up early.
    tried
        The best settings in the search's own terms: what another search may start from.
    """

    params: dict[str, Any]
    value: float
    trials: int
    tried: dict[str, Any] = field(default_factory=dict)


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
    """
    if contender.then:
        return _in_turn(
            contender,
            referee,
            seconds,
            report,
            seed=seed,
            storage=storage,
            study=study,
            max_trials=max_trials,
            keys=keys,
        )
    search = _Search(contender, referee, time.monotonic() + seconds, seed, report, keys)
    opened = _open(storage, study, seed)
    opened.enqueue_trial({**contender.start, **_rung(contender, 0)}, skip_if_exists=True)
    search.run(opened, _space(contender, _rung(contender, 0)), seconds * _SEARCH_SHARE, max_trials)
    if contender.ladder:
        search.climb(opened)
        best = opened.best_params
        at = {contender.ladder[0]: best[contender.ladder[0]]}
        search.run(opened, _space(contender, at), seconds, max_trials)
    tried = opened.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED))
    return Tuned(_settings(opened.best_trial), float(opened.best_value), len(tried), dict(opened.best_params))


def _in_turn(
    contender: Contender,
    referee: Referee,
    seconds: float,
    report: Report | None,
    *,
    study: str,
    **how: Any,  # noqa: ANN401 - those of `tune`
) -> Tuned:
    """Search what a contender is made of, then what is added to it; without the addition if that is no better."""
    ends = time.monotonic() + seconds
    first = tune(
        replace(contender, then=None), referee, seconds=seconds * _FIRST_SHARE, report=report, study=study, **how
    )
    addition = contender.then(first.params) if contender.then else contender
    left = max(ends - time.monotonic(), 0.0)
    later = _counted_on(report, first.trials)
    last = tune(addition, referee, seconds=left, report=later, study=f"{study}-{_digest(first.params)}", **how)
    trials = first.trials + last.trials
    if last.value <= first.value:
        return replace(first, trials=trials)
    return Tuned({**first.params, **last.params}, last.value, trials, {**first.tried, **last.tried})


def _counted_on(report: Report | None, trials: int) -> Report | None:
    return report and (lambda number, value, params: report(trials + number, value, params))


def _digest(params: Params) -> str:
    return hashlib.sha256(repr(sorted(params.items())).encode()).hexdigest()[:12]


@dataclass(frozen=True)
class _Search:
    contender: Contender
    referee: Referee
    deadline: float
    seed: int
    report: Report | None
    keys: NDArray[np.uint64] | None

    def run(self, study: optuna.Study, space: Mapping[str, Any], seconds: float, max_trials: int | None) -> None:
        """Try settings until the time is over, or there is nothing left to choose."""
        until = min(self.deadline, time.monotonic() + seconds)
        limit = max_trials if max_trials is not None else (1 if _single(space) else 10_000)
        for _ in range(limit):
            if study.best_trials and time.monotonic() >= until:
                return
            self._try(study, study.ask(fixed_distributions=dict(space)))

    def climb(self, study: optuna.Study) -> None:
        """Raise the costly setting step by step while that helps and there is time."""
        name, rungs = self.contender.ladder or ("", ())
        for rung in rungs:
            if rung <= study.best_params[name]:
                continue
            if time.monotonic() >= self.deadline:
                return
            before = study.best_value
            study.enqueue_trial({**study.best_params, name: rung}, skip_if_exists=True)
            self._try(study, study.ask(fixed_distributions=_space(self.contender, {name: rung})))
            if study.best_value <= before:
                return

    def _try(self, study: optuna.Study, trial: optuna.Trial) -> None:
        train = self.referee.split.train
        settings = dict(self.contender.settled(trial.params, train))
        for name, value in settings.items():
            if trial.params.get(name) != value:
                trial.set_user_attr(name, value)
        looks: dict[int, float] = {}

        def watch(sweep: int, model: Recommender) -> bool:
            if sweep < _FIRST_LOOK or (sweep - _FIRST_LOOK) % _LOOK_EVERY:
                return False
            looks[sweep] = self._value(model)
            trial.report(looks[sweep], sweep)
            worse = len(looks) > 1 and looks[sweep] < max(looks.values())
            return worse or trial.should_prune() or time.monotonic() >= self.deadline

        model = self.contender.fit(train, settings, Training(self.seed, watch, self.keys))
        value = self._value(model) if not looks else max(looks.values())
        if looks:
            trial.set_user_attr("iterations", max(looks, key=lambda sweep: looks[sweep]))
        study.tell(trial, value)
        if self.report:
            self.report(trial.number, value, settings)

    def _value(self, model: Recommender) -> float:
        return next(iter(self.referee.validate(model).values())).mean


def _open(storage: Path | None, study: str, seed: int) -> optuna.Study:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        sampler = optuna.samplers.TPESampler(seed=seed, multivariate=True, n_startup_trials=_STARTUP)
    return optuna.create_study(
        study_name=study,
        storage=f"sqlite:///{storage.absolute()}" if storage else None,
        direction="maximize",
        sampler=sampler,
        pruner=optuna.pruners.MedianPruner(n_startup_trials=_STARTUP, n_warmup_steps=_FIRST_LOOK),
        load_if_exists=True,
    )


def _rung(contender: Contender, place: int) -> dict[str, Any]:
    return {contender.ladder[0]: contender.ladder[1][place]} if contender.ladder else {}


def _space(contender: Contender, fixed: Mapping[str, int]) -> dict[str, Any]:
    return {**contender.space, **{name: IntDistribution(value, value) for name, value in fixed.items()}}


def _single(space: Mapping[str, Any]) -> bool:
    return all(distribution.single() for distribution in space.values())


def _settings(trial: optuna.trial.FrozenTrial) -> dict[str, Any]:
    return {**trial.params, **trial.user_attrs}
