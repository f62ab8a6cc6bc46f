"""A command that is timed as a whole, with all the processes that it starts."""

from __future__ import annotations

import re
import resource
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from recsys.errors import ConfigError

_LOOK_S = 0.05
_PROC = Path("/proc")


@dataclass(frozen=True)
class Timed:
    """What a command took and said.

    Attributes
    ----------
    seconds
        From its start to its end.
    processor_seconds
        What all its processes took of the processor, in user and system mode; it moves less when the machine is busy.
    peak_bytes
        The most memory that all its processes had at one time; a page that several share counts once (Linux's PSS).
        None where the system does not tell.
    output
        What it wrote to standard output.
    """

    seconds: float
    processor_seconds: float
    peak_bytes: int | None
    output: str


def timed(command: Sequence[str], *, keep: bool = True, allowed: Sequence[int] = (0,)) -> Timed:
    """Run a command to its end and time it.

    Parameters
    ----------
    command
        The program and its arguments.
    keep
        Whether to keep what it writes; else it is thrown away as it comes.
    allowed
        Exit codes that are no fault.

    Raises
    ------
    ConfigError
        If it ends with another code.
    """
    start, used = time.perf_counter(), _used()
    out = subprocess.PIPE if keep else subprocess.DEVNULL
    process = subprocess.Popen(command, stdout=out, stderr=subprocess.PIPE, text=True)  # noqa: S603 - our own lists
    seen = [0]
    watch = threading.Thread(target=_watch, args=(process, seen), daemon=True)
    watch.start()
    output, errors = process.communicate()
    seconds = time.perf_counter() - start
    watch.join()
    if process.returncode not in allowed:
        raise ConfigError(f"{Path(command[0]).name} ended with {process.returncode}: {errors.strip()[-500:]}")
    return Timed(seconds, _used() - used, max(seen) or None, output or "")


def _used() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return children.ru_utime + children.ru_stime


def _watch(process: subprocess.Popen[str], seen: list[int]) -> None:
    while process.poll() is None:
        seen.append(sum(map(_memory, _tree(process.pid))))
        time.sleep(_LOOK_S)


def _tree(pid: int) -> list[int]:
    found = [pid]
    for parent in found:
        for children in _PROC.glob(f"{parent}/task/*/children"):
            try:
                found += map(int, children.read_text().split())
            except OSError:  # it ended meanwhile
                continue
    return found


def _memory(pid: int) -> int:
    try:
        shares = (_PROC / str(pid) / "smaps_rollup").read_text()
    except OSError:  # as above
        return 0
    share = re.search(r"^Pss:\s*(\d+)", shares, re.MULTILINE)
    return int(share[1]) << 10 if share else 0
