"""Work spread over processes: in order, and gone when its parent is gone."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import TypeVar

_BATCH = 8

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_processes(function: Callable[[Item], Result], items: Sequence[Item], *, workers: int = 0) -> Iterator[Result]:
    """Yield ``function(item)`` for each item, in order, computed by several processes.

    The processes are started afresh and import the main module, so a script that gets here needs the usual
    ``if __name__ == "__main__"``. A handful of items is not worth that and is done in this process.

    Parameters
    ----------
    function
        Can be pickled: a function of a module, or a ``functools.partial`` of one.
    items
        Each can be pickled.
    workers
        Processes; 0 means one for each core that this process may use, 1 means this process.

    Raises
    ------
    Exception
        What `function` raised; work that had not begun is dropped.
    """
    processes = workers or len(os.sched_getaffinity(0))
    if processes == 1 or len(items) <= _BATCH:
        yield from map(function, items)
        return
    pool = ProcessPoolExecutor(processes, multiprocessing.get_context("spawn"), initializer=_watch_parent)
    try:
        yield from pool.map(function, items, chunksize=_BATCH)
    finally:
        pool.shutdown(cancel_futures=True)


def _watch_parent() -> None:
    """End this worker when its parent ends: a killed run must not leave workers that wait for ever."""
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
