"""One process at one study: settings are tried until the time is over.

Rendle et al. ("Revisiting the Performance of iALS on Item Recommendation Benchmarks", RecSys 2022) found that the
weight of the unobserved and the regularization matter most and carry over from few factors to many: so settings are
searched with few factors, where a trial costs little, and factors are added afterwards as long as that helps.

A study lies in a SQLite file under the name that its caller gives it; a search that was killed goes on from its trials,
and another process that opens the same study takes part in it.
"""

from __future__ import annotations

import os
import socket
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from numpy.typing import NDArray
from optuna.distributions import IntDistribution
from optuna.trial import TrialState

from recsys.canonical import one_at_a_time
from recsys.comparison.contender import Contender, Params, Training
from recsys.evaluation import Recommender, Referee

Report = Callable[[int, float, Params], None]

_STARTUP = 8  # random trials before the search learns from them
_SEARCH_SHARE = 0.6  # of the time, before the costly setting is raised
_FIRST_LOOK, _LOOK_EVERY = 3, 3  # sweeps
_PATIENCE = 60.0  # seconds to wait for another process that writes to the file
_MOST_TRIALS = 10_000
_PROCESS = "process"


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


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One search: the study it is made at, and how long.

    Attributes
    ----------
    seconds
        Time for trials: none begins afterwards, and one that is under way is given up at its next look.
    study
        Name of the study in the file.
    max_trials
        At most so many trials of each stage.
    """

    seconds: float
    study: str = "study"
    max_trials: int | None = None


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What all searches of a contest have in common.

    Attributes
    ----------
    seed
        Decides what is tried, and each model's start.
    storage
        SQLite file that keeps the trials; in memory unless given.
    keys
        Stable numbers of the items, by which their factors start; their places unless given.
    """

    seed: int = 0
    storage: Path | None = None
    keys: NDArray[np.uint64] | None = None


def search(
    contender: Contender,
    referee: Referee,
    plan: Plan,
    terms: Terms,
    *,
    report: Report | None = None,
    worker: int | None = None,
) -> Tuned:
    """Search a contender's settings, without what may be added to it.

    Parameters
    ----------
    contender, referee, report
        As in :func:`recsys.comparison.tune`.
    plan, terms
        How it is searched.
    worker
        Number of this process among several at one study, which then try what the others do not.
    """
    opened = _Opened.at(terms.storage, plan.study, terms.seed, worker)
    looking = _Search(contender, referee, time.monotonic() + plan.seconds, terms, report)
    opened.ask_for({**contender.start, **_rung(contender, 0)})
    looking.run(opened, _space(contender, _rung(contender, 0)), plan.seconds * _SEARCH_SHARE, plan.max_trials)
    if contender.ladder:
        looking.climb(opened)
        at = {contender.ladder[0]: opened.study.best_params[contender.ladder[0]]}
        looking.run(opened, _space(contender, at), plan.seconds, plan.max_trials)
    tried = opened.study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED))
    best = opened.study.best_trial
    return Tuned(_settings(best), float(opened.study.best_value), len(tried), dict(best.params))


@dataclass(frozen=True)
class _Opened:
    """A study, and the door through which one process at a time asks for what to try."""

    study: optuna.Study
    door: Path | None

    @classmethod
    def at(cls, storage: Path | None, name: str, seed: int, worker: int | None) -> _Opened:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        door = storage.with_name(f"{storage.name}.lock") if storage else None
        with warnings.catch_warnings(), _behind(door):
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            found = optuna.create_study(
                study_name=name,
                storage=_database(storage) if storage else None,
                direction="maximize",
                sampler=optuna.samplers.TPESampler(
                    seed=seed + (worker or 0),
                    multivariate=True,
                    n_startup_trials=_STARTUP,
                    constant_liar=worker is not None,
                ),
                pruner=optuna.pruners.MedianPruner(n_startup_trials=_STARTUP, n_warmup_steps=_FIRST_LOOK),
                load_if_exists=True,
            )
            _give_up_lost(found)
        return cls(found, door)

    def ask_for(self, params: Params) -> None:
        """Have these settings tried next, unless they were tried or are being tried."""
        for trial in self.study.get_trials(deepcopy=False):
            told = trial.system_attrs.get("fixed_params", trial.params)
            if trial.state != TrialState.FAIL and dict(told) == dict(params):
                return
        self.study.enqueue_trial(dict(params))

    def ask(self, space: Mapping[str, Any], first: Params | None = None) -> optuna.Trial:
        """Give what to try next within `space`: `first` if it was not tried, else what is promising."""
        with _behind(self.door):
            if first is not None:
                self.ask_for(first)
            trial = self.study.ask(fixed_distributions=dict(space))
            trial.set_user_attr(_PROCESS, f"{socket.gethostname()}:{os.getpid()}")
        return trial


@dataclass(frozen=True)
class _Search:
    contender: Contender
    referee: Referee
    deadline: float
    terms: Terms
    report: Report | None

    def run(self, opened: _Opened, space: Mapping[str, Any], seconds: float, max_trials: int | None) -> None:
        """Try settings until the time is over, or there is nothing left to choose."""
        until = min(self.deadline, time.monotonic() + seconds)
        for _ in range(_MOST_TRIALS if max_trials is None else max_trials):
            if opened.study.best_trials and (_single(space) or time.monotonic() >= until):
                return
            self._try(opened.study, opened.ask(space))

    def climb(self, opened: _Opened) -> None:
        """Raise the costly setting step by step while that helps and there is time."""
        name, rungs = self.contender.ladder or ("", ())
        study = opened.study
        for rung in rungs:
            if rung <= study.best_params[name]:
                continue
            if time.monotonic() >= self.deadline:
                return
            before = study.best_value
            first = {**study.best_params, name: rung}
            self._try(study, opened.ask(_space(self.contender, {name: rung}), first))
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

        model = self.contender.fit(train, settings, Training(self.terms.seed, watch, self.terms.keys))
        value = self._value(model) if not looks else max(looks.values())
        if looks:
            trial.set_user_attr("iterations", max(looks, key=lambda sweep: looks[sweep]))
        study.tell(trial, value)
        if self.report:
            self.report(trial.number, value, settings)

    def _value(self, model: Recommender) -> float:
        return next(iter(self.referee.validate(model).values())).mean


@contextmanager
def _behind(door: Path | None) -> Iterator[None]:
    """Let one process at a time into the block; a study in memory has but one."""
    if door is None:
        yield
    else:
        with one_at_a_time(door):
            yield


def _database(storage: Path) -> optuna.storages.RDBStorage:
    waits = {"connect_args": {"timeout": _PATIENCE}}
    return optuna.storages.RDBStorage(f"sqlite:///{storage.absolute()}", engine_kwargs=waits)


def _give_up_lost(study: optuna.Study) -> None:
    """Mark what a process of this machine tried that is gone as failed, so that it may be tried again.

    Who asks for a trial signs it behind the same door; one that nobody signed is of a process that died in it.
    """
    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        host, _, pid = trial.user_attrs.get(_PROCESS, "").rpartition(":")
        if not host or (host == socket.gethostname() and not Path(f"/proc/{pid}").exists()):
            study.tell(trial.number, state=TrialState.FAIL)


def _rung(contender: Contender, place: int) -> dict[str, Any]:
    return {contender.ladder[0]: contender.ladder[1][place]} if contender.ladder else {}


def _space(contender: Contender, fixed: Mapping[str, int]) -> dict[str, Any]:
    return {**contender.space, **{name: IntDistribution(value, value) for name, value in fixed.items()}}


def _single(space: Mapping[str, Any]) -> bool:
    return all(distribution.single() for distribution in space.values())


def _settings(trial: optuna.trial.FrozenTrial) -> dict[str, Any]:
    return {**trial.params, **{name: value for name, value in trial.user_attrs.items() if name != _PROCESS}}
