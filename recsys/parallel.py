"""Work spread over processes: in order, and gone when its parent is gone."""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from importlib.abc import MetaPathFinder
from typing import TypeVar

_BATCH = 8

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_processes(
    function: Callable[[Item], Result], items: Sequence[Item], *, workers: int = 0, batch: int = _BATCH
) -> Iterator[Result]:
    """Yield ``function(item)`` for each item, in order, computed by several processes.

    The processes are started afresh and import the main module, so a script that gets here needs the usual
    ``if __name__ == "__main__"``. A handful of items is not worth that and is done in this process.

    Parameters
    ----------
    function
        Can be pickled: a function of a module, or a ``functools.partial`` of one. It must not need pandas.
    items
        Each can be pickled.
    workers
        Processes; 0 means one for each core that this process may use, 1 means this process.
    batch
        How many items a process gets at a time; so few, or fewer, are done in this process.

    Raises
    ------
    Exception
        What `function` raised; work that had not begun is dropped.
    """
    processes = workers or len(os.sched_getaffinity(0))
    if processes == 1 or len(items) <= batch:
        yield from map(function, items)
    else:
        yield from _in_pool(function, items, processes, batch)


def one_by_one_apart(function: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[Result]:
    """Yield ``function(item)`` for each item, computed by one other process that leaves no memory behind."""
    if items:
        yield from _in_pool(function, items, 1, 1)


def _in_pool(function: Callable[[Item], Result], items: Sequence[Item], processes: int, batch: int) -> Iterator[Result]:
    pool = ProcessPoolExecutor(processes, multiprocessing.get_context("spawn"), initializer=_start_worker)
    try:
        yield from pool.map(function, items, chunksize=batch)
    finally:
        pool.shutdown(cancel_futures=True)


def _start_worker() -> None:
    """End this worker when its parent ends, since a killed run must not leave workers that wait for ever; be light.

    Arrow loads pandas, if it can, only to see whether a value is one of its: 0.3 s and 50 MB in every process. The
    system's allocator gives memory back, which Arrow's own keeps.
    """
    end_with_parent()
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    sys.meta_path.insert(0, _NoPandas())


class _NoPandas(MetaPathFinder):
    def find_spec(self, fullname: str, _path: object = None, _target: object = None) -> None:
        if fullname == "pandas":
            raise ModuleNotFoundError(fullname)


def end_with_parent() -> None:
    """Let this process end when the one that started it does, however that comes about."""
    threading.Thread(target=_wait_for_the_end, daemon=True).start()


def _wait_for_the_end() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
