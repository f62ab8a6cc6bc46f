"""Several processes that take part in one search.

Each tries settings at the same study, which lies in a file: what one has found all the others know. A process that dies
takes the trial with it that it was at, and nothing else; that trial is made again by whoever searches next. Workers are
never told of test users.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recsys.comparison.contender import Contender, Params
from recsys.comparison.searching import Plan, Report, Terms, search
from recsys.evaluation import HeldOut, Referee
from recsys.parallel import end_with_parent

_READY, _DONE = "ready", "done"
_GRACE = 10.0  # seconds


@dataclass(frozen=True)
class Task:
    """A search to take part in.

    Attributes
    ----------
    name
        Of the contender, as :data:`recsys.comparison.ALL` has it.
    found
        Settings to search an addition to; the contender's own are searched unless given.
    plan
        The study, and how long.
    """

    name: str
    found: Params | None
    plan: Plan

    def contender(self) -> Contender:
        """Give the contender whose settings are searched."""
        from recsys.comparison.contenders import ALL  # noqa: PLC0415 - contenders need not know who searches them

        known = ALL[self.name]
        return replace(known, then=None) if self.found is None or known.then is None else known.then(self.found)


@dataclass(frozen=True)
class _Order:
    """What a worker is told when it begins."""

    number: int
    referee: Referee
    terms: Terms


class Crew:
    """Processes that search; made by :func:`crew`.

    Parameters
    ----------
    members
        The processes that are alive, each with the line to it.
    """

    def __init__(self, members: Sequence[tuple[BaseProcess, Connection]]) -> None:
        self._lines = {line: process for process, line in members}

    def __len__(self) -> int:
        return len(self._lines)

    def search(self, task: Task, report: Report | None) -> None:
        """Have all take part in a search, and wait until it is over or nobody is left.

        Raises
        ------
        Exception
            What the search raised in a worker.
        """
        for line in list(self._lines):
            self._tell(line, task)
        busy = set(self._lines)
        while busy:
            heard = wait(list(busy))
            busy -= {line for line in busy if line in heard and self._over(line, report)}

    def ready(self) -> None:
        """Wait until all have loaded what they need."""
        for line in list(self._lines):
            self._hear(line)

    def _over(self, line: Connection, report: Report | None) -> bool:
        """Hear what a worker has to say; tell whether it has no more to do."""
        told = self._hear(line)
        if isinstance(told, Exception):
            raise told
        if isinstance(told, tuple):
            if report:
                report(*told)
            return False
        return True

    def _hear(self, line: Connection) -> Any:  # noqa: ANN401 - what `_work` sends
        try:
            return line.recv()
        except (EOFError, OSError):  # it died; its trial is given up when the study is opened next
            self._lines.pop(line).join()
            return _DONE

    def _tell(self, line: Connection, task: Task) -> None:
        try:
            line.send(task)
        except OSError:
            del self._lines[line]


@contextmanager
def crew(
    workers: int, referee: Referee, *, seed: int, storage: Path, keys: NDArray[np.uint64] | None = None
) -> Iterator[Crew | None]:
    """Start processes that search, and end them when the block is left.

    Each is started afresh and imports the main module, so a script that gets here needs the usual
    ``if __name__ == "__main__"``. Each holds the matrices for itself, and has an equal part of the processors.

    Parameters
    ----------
    workers
        How many; one is this process itself, for which there is no crew.
    referee, seed, storage, keys
        As in :func:`recsys.comparison.tune`.
    """
    if workers <= 1:
        yield None
        return
    storage.parent.mkdir(parents=True, exist_ok=True)
    terms = Terms(seed=seed, storage=storage, keys=keys)
    orders = [_Order(number, _untested(referee), terms) for number in range(workers)]
    members = [_started(order, workers) for order in orders]
    try:
        started = Crew(members)
        started.ready()
        yield started
    finally:
        for _, line in members:
            line.close()
        for process, _ in members:
            process.join(_GRACE)  # it ends by itself when nobody speaks to it any more, unless it is at a trial
            process.terminate()
            process.join()


def _started(order: _Order, workers: int) -> tuple[BaseProcess, Connection]:
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_work, args=(there, order), daemon=True)
    with _on_part_of_the_processors(order.number, workers):
        process.start()
    there.close()
    return process, here


@contextmanager
def _on_part_of_the_processors(number: int, workers: int) -> Iterator[None]:
    """Let what is started in the block use its part of the processors alone: libraries count them when they load."""
    ours = os.sched_getaffinity(0)
    ordered = sorted(ours)
    try:
        os.sched_setaffinity(0, set(ordered[number::workers]) or {ordered[number % len(ordered)]})
        yield
    finally:
        os.sched_setaffinity(0, ours)


def _untested(referee: Referee) -> Referee:
    test = referee.split.test
    nobody = HeldOut(test.users[:0], test.fold_in[:0], test.target[:0])
    return Referee(replace(referee.split, test=nobody), referee.metrics, referee.bootstrap)


def _work(line: Connection, order: _Order) -> None:
    end_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who began it ends it
    line.send(_READY)
    while True:
        try:
            task: Task = line.recv()
        except EOFError:
            return
        try:
            search(
                task.contender(),
                order.referee,
                task.plan,
                order.terms,
                report=lambda *told: line.send(told),
                worker=order.number,
            )
        except Exception as error:  # noqa: BLE001 - is raised again where the search was asked for
            line.send(error)
        else:
            line.send(_DONE)
