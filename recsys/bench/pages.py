"""How fast the sample's room answers, over real connections to a process of its own on the loopback."""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from statistics import median, quantiles
from urllib.parse import urlencode, urlsplit

import numpy as np

from recsys.bench.machine import circumstances
from recsys.bench.report import Column, Report, Row, silent
from recsys.bench.room import names
from recsys.errors import ConfigError, RecsysError

_PICKS = 5
_ASKERS = 8
_COLUMNS = (
    Column("what", "what"),
    Column("requests", "requests", "{:,}".format),
    Column("median_ms", "median", "{:.1f} ms".format),
    Column("late_ms", "95% within", "{:.1f} ms".format),
    Column("processor_ms", "processor", "{:.1f} ms".format),
    Column("rate", "answered", "{:,.0f} a second".format),
)

Make = Callable[[int], str]


def run(
    artists: int = 160_000,
    factors: int = 64,
    *,
    rate: int = 100,
    seconds: int = 10,
    seed: int = 0,
    date: str = "",
    out: Path | None = None,
    progress: Callable[[str], object] = silent,
) -> Report:
    """Ask the pages of a made-up sample, one request after another and then many.

    At a rate, requests fall due at even times whether or not earlier ones were answered, and a time counts from when
    its request was due: a server that falls behind is seen to (no "coordinated omission").

    Parameters
    ----------
    artists, factors
        Size of the model.
    rate
        Requests a second that are to be held.
    seconds
        How long each measurement lasts at most.
    seed, date, out, progress
        As in :func:`recsys.bench.als.run`.

    Raises
    ------
    ConfigError
        If a number is less than 1.
    """
    if min(artists - _PICKS, factors, rate, seconds) < 1:
        raise ConfigError(f"factors, rate and seconds must be 1 or more, artists more than {_PICKS}")
    progress("making a sample and opening its room")
    asked = _Asked(names(artists, seed), np.random.default_rng(seed))
    with _served(artists, factors, seed) as server:
        alone: dict[str, Make] = {
            "recommendations with reasons, one by one": asked.picks,
            "names offered while typing, one by one": asked.typing,
            "similar artists, one by one": asked.similar,
        }
        table = []
        for what, make in alone.items():
            progress(what)
            table.append(_one_by_one(server, what, make, rate, seconds))
        for what, make in (("recommendations", asked.picks), ("names offered", asked.typing)):
            progress(f"{what}, {rate} a second")
            table.append(_at_rate(server, f"{what}, {rate} a second", make, rate, seconds))
    about = circumstances([], 1, date) | {"artists": artists, "factors": factors, "seed": seed}
    notes = [
        f"recommendations are for {_PICKS} artists; askers and server share the processors, each request is a new one",
        "at a rate, a time counts from when the request was due; processor: what the server itself used for a request",
    ]
    return Report(f"The sample's room with {artists:,} artists", about, _COLUMNS, table, notes).saved(out, "pages")


class _Asked:
    """Makes the addresses to ask, no two alike."""

    def __init__(self, known: Sequence[str], rng: np.random.Generator) -> None:
        self.known = known
        self.rng = rng

    def picks(self, _: int) -> str:
        liked = self.rng.choice(len(self.known), _PICKS, replace=False).tolist()
        return "/?" + urlencode([("like", self.known[one]) for one in liked])

    def similar(self, _: int) -> str:
        return "/artist?" + urlencode({"name": self.known[int(self.rng.integers(len(self.known)))]})

    def typing(self, turn: int) -> str:
        """Type some letters of a name; every third time with a slip."""
        name = self.known[int(self.rng.integers(len(self.known)))]
        typed = name[: int(self.rng.integers(2, 12))]
        if turn % 3 == 0:
            typed = typed[:1] + typed[2:]
        return "/artists.json?" + urlencode({"q": typed})


@dataclass(frozen=True)
class _Server:
    """Where it answers, and which process it is."""

    address: str
    process: int

    def busy(self) -> float:
        """Give the processor time that it has used, in seconds (proc(5): fields 14 and 15 of stat)."""
        told = Path(f"/proc/{self.process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        return (int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def _served(artists: int, factors: int, seed: int) -> Iterator[_Server]:
    command = [sys.executable, "-m", "recsys.bench.room", *map(str, (artists, factors, seed))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own module
        try:
            address = process.stdout.readline().strip() if process.stdout else ""
            if not address:
                raise RecsysError("the pages did not open; the reason stands above")
            yield _Server(address, process.pid)
        finally:
            process.terminate()


def _one_by_one(server: _Server, what: str, make: Make, most: int, seconds: int) -> Row:
    spent, busy, begun = [], server.busy(), time.perf_counter()
    with closing(_Asker(server.address)) as asker:
        for turn in range(most):
            path, start = make(turn), time.perf_counter()
            asker.ask(path)
            spent.append(time.perf_counter() - start)
            if time.perf_counter() - begun > seconds:
                break
    return _row(what, spent, time.perf_counter() - begun, server.busy() - busy)


def _at_rate(server: _Server, what: str, make: Make, rate: int, seconds: int) -> Row:
    paths, free = [make(turn) for turn in range(rate * seconds)], SimpleQueue[_Asker]()
    with ExitStack() as askers, ThreadPoolExecutor(_ASKERS) as pool:
        for _ in range(_ASKERS):
            free.put(askers.enter_context(closing(_Asker(server.address))))
        busy, begun = server.busy(), time.perf_counter()

        def ask(turn: int) -> float:
            due = begun + turn / rate
            time.sleep(max(due - time.perf_counter(), 0))
            asker = free.get()
            asker.ask(paths[turn])
            free.put(asker)
            return time.perf_counter() - due

        spent = list(pool.map(ask, range(len(paths))))
    return _row(what, spent, time.perf_counter() - begun, server.busy() - busy)


class _Asker:
    """One connection that is kept open."""

    def __init__(self, address: str) -> None:
        where = urlsplit(address)
        self._connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=60)

    def close(self) -> None:
        self._connection.close()

    def ask(self, path: str) -> None:
        self._connection.request("GET", path)
        answer = self._connection.getresponse()
        answer.read()
        if answer.status != http.HTTPStatus.OK:
            raise RecsysError(f"{path[:200]} was answered with {answer.status}")


def _row(what: str, spent: Sequence[float], lasted: float, busy: float) -> Row:
    late = quantiles(spent, n=20)[-1] if len(spent) > 1 else spent[0]
    return {
        "what": what,
        "requests": len(spent),
        "median_ms": 1e3 * median(spent),
        "late_ms": 1e3 * late,
        "processor_ms": 1e3 * busy / len(spent),
        "rate": len(spent) / lasted,
    }
