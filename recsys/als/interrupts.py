"""Ctrl-C that waits for a good moment."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def held_back() -> Iterator[None]:
    """Let Ctrl-C wait until the block is done, where it is this thread that Ctrl-C comes to."""
    meant_for = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(meant_for):
        yield
        return
    came: list[int] = []
    signal.signal(signal.SIGINT, lambda number, _frame: came.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, meant_for)
    if came:
        meant_for(came[0], None)
