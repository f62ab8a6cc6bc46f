"""One run of one contestant in a process of its own: ``python -m recsys.bench.worker ORDER ANSWER``.

A process of its own, so that its peak memory is its own and no library's threads or caches stand in another's way.
"""

from __future__ import annotations

import json
import math
import re
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import numpy as np
import scipy.sparse as sp
from threadpoolctl import threadpool_limits

from recsys.als import Objective
from recsys.bench.contestants import CONTESTANTS, Factors, Task
from recsys.errors import RecsysError

_ARRAYS = ("data", "indices", "indptr")
_MEMORY_SWEEPS = 3  # whatever a contestant keeps between sweeps is there by then
_BYTES_PER_MAXRSS = 1 if sys.platform == "darwin" else 1024


@dataclass(frozen=True)
class Order:
    """What a worker is to do.

    Attributes
    ----------
    contestant
        Whose run it is.
    folder
        Where :func:`store` put the confidence matrix.
    purpose
        ``"trace"``: time and loss after every sweep; ``"time"``: time after every sweep, loss after the last;
        ``"memory"``: peak memory, no times.
    factors, regularization, sweeps, threads, seed
        As in :class:`~recsys.bench.contestants.Task`.
    """

    contestant: str
    folder: str
    purpose: Literal["trace", "time", "memory"]
    factors: int
    regularization: float
    sweeps: int
    threads: int
    seed: int


@dataclass(frozen=True)
class Point:
    """Seconds on the clock when `sweep` sweeps were done, and the loss then where it was evaluated."""

    sweep: int
    seconds: float
    loss: float | None


@dataclass(frozen=True)
class Answer:
    """What a worker found: points in time, and the bytes that the run needed at its peak beyond an idle process."""

    points: list[Point]
    peak_bytes: int

    @classmethod
    def read(cls, path: Path) -> Answer:
        """Read what a worker wrote."""
        found = json.loads(path.read_text())
        return cls([Point(**point) for point in found["points"]], found["peak_bytes"])


def _load(folder: Path) -> sp.csr_matrix:
    data, indices, indptr = (np.load(folder / f"{name}.npy") for name in _ARRAYS)
    n_users, n_items = np.load(folder / "shape.npy")
    return sp.csr_matrix((data, indices, indptr), shape=(n_users, n_items))


def ask(order: Order) -> Answer:
    """Have an order carried out in a process of its own.

    Raises
    ------
    RecsysError
        If the process fails; says with what last words.
    """
    with TemporaryDirectory() as folder:
        asked, answered = Path(folder, "order.json"), Path(folder, "answer.json")
        asked.write_text(json.dumps(asdict(order)))
        command = [sys.executable, "-m", "recsys.bench.worker", str(asked), str(answered)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own module
        if done.returncode:
            last = (done.stderr.strip() or f"exit status {done.returncode}").splitlines()[-1]
            raise RecsysError(f"{order.contestant} did not finish with {order.factors} factors: {last}")
        return Answer.read(answered)


def store(matrix: sp.csr_matrix, folder: Path) -> None:
    """Write a matrix as plain arrays, which load without needing more memory than they take."""
    for name in _ARRAYS:
        np.save(folder / f"{name}.npy", getattr(matrix, name))
    np.save(folder / "shape.npy", matrix.shape)


@dataclass
class Clock:
    """A stopwatch that stands still while losses are evaluated.

    Attributes
    ----------
    loss
        Evaluates the loss of factors.
    wanted
        Says after which sweeps to do so.
    points
        What was noted.
    since
        When, by the clock of this process, the run would have begun had it never stood still.
    """

    loss: Callable[[Factors], float]
    wanted: Callable[[int], bool]
    points: list[Point] = field(default_factory=list)
    since: float = 0.0

    def start(self) -> None:
        """Set the clock to zero and let it run."""
        self.since = time.perf_counter()

    def sweep_done(self, sweep: int, factors: Callable[[], Factors]) -> None:
        """Note the time after a sweep, and its loss if wanted, which takes no time on this clock."""
        paused = time.perf_counter()
        loss = self.loss(factors()) if self.wanted(sweep) else None
        self.points.append(Point(sweep, paused - self.since, loss))
        self.since += time.perf_counter() - paused


def work(order: Order) -> Answer:
    """Carry an order out in this process."""
    chosen = CONTESTANTS[order.contestant]
    import_module(chosen.module)
    idle = _peak_bytes()
    confidence = _load(Path(order.folder))
    task = _task(order, confidence)
    clock = Clock(_judge(order, confidence), lambda sweep: order.purpose == "trace" or sweep == order.sweeps)
    with threadpool_limits(chosen.blas_threads or order.threads, "blas"):
        chosen.prepare(task)(clock)
    return Answer(clock.points, _peak_bytes() - idle)


def _task(order: Order, confidence: sp.csr_matrix) -> Task:
    """For memory few sweeps and no given start, which some would copy: each does what it does for anybody."""
    weigh = order.purpose == "memory"
    sweeps = min(order.sweeps, _MEMORY_SWEEPS) if weigh else order.sweeps
    start = None if weigh else _start(confidence.shape, order)
    return Task(confidence, order.factors, order.regularization, sweeps, order.threads, order.seed, start)


def _start(shape: tuple[int, int], order: Order) -> Factors:
    """Draw user and item factors as ``implicit`` does, uniform in [0, 0.01)."""
    rng = np.random.default_rng(order.seed)
    users, items = (np.float32(0.01) * rng.random((n, order.factors), dtype=np.float32) for n in shape)
    return users, items


def _judge(order: Order, confidence: sp.csr_matrix) -> Callable[[Factors], float]:
    """Give the one evaluator of losses, which keeps its own copy of what a contestant may change."""
    if order.purpose == "memory":
        return lambda _: math.nan
    objective, own = Objective(regularization=order.regularization), confidence.copy()
    return lambda factors: objective.loss(own, *factors)


def _peak_bytes() -> int:
    """Most memory that was ever resident.

    Linux counts what a process's parent had in its ``ru_maxrss``, but not in ``VmHWM`` (in kB).
    """
    status = Path("/proc/self/status")
    peak = re.search(r"VmHWM:\s*(\d+)", status.read_text()) if status.is_file() else None
    if peak:
        return 1024 * int(peak[1])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _BYTES_PER_MAXRSS


def main(order: str, answer: str) -> None:
    """Carry out the order in the first file and write the answer to the second."""
    found = work(Order(**json.loads(Path(order).read_text())))
    Path(answer).write_text(json.dumps(asdict(found)))


if __name__ == "__main__":
    main(*sys.argv[1:])
