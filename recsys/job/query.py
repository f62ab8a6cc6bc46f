"""Asks Vana's query engine: a query goes in, a SQLite file with one table ``results`` comes back."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlsplit
from urllib.request import Request, urlopen

from recsys.canonical import atomic_path
from recsys.errors import ConfigError, StorageError
from recsys.job.order import Order

POLL_S, PATIENCE_S = 5.0, 600.0
_TIMEOUT_S = 60
_PIECE = 1 << 20
_MAX_ANSWER = 1 << 20
_MAX_RESULTS = 8 << 30
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def fetch_results(order: Order, *, wait: Callable[[float], None] = time.sleep) -> None:
    """Ask the query engine, and put what it answers where the order says; does nothing for a local order.

    Parameters
    ----------
    order
        What to ask.
    wait
        Waits so many seconds between two looks.

    Raises
    ------
    StorageError
        If the engine refuses, fails, does not answer in time, or sends something else; nothing is left half written.
    """
    if order.local:
        return
    asked = {
        "query": order.query,
        "params": list(order.params),
        "refiner_id": order.refiner,
        "job_id": str(order.job),
    }
    number = _told(order, f"{order.engine}/query", asked).get("query_id")
    if not number:
        raise StorageError("the query engine took the query and gave it no number; ask again later")
    _download(order, _await(order, f"{order.engine}/query/{quote(str(number), safe='')}", wait))


def _await(order: Order, address: str, wait: Callable[[float], None]) -> str:
    """Look until the query is answered; give where the answer lies."""
    for _ in range(int(PATIENCE_S / POLL_S)):
        told = _told(order, address)
        status = told.get("query_status")
        if status == "success":
            if not told.get("query_results"):
                raise StorageError("the query succeeded and has no results; look at the query")
            return str(told["query_results"])
        if status == "failed":
            raise StorageError(f"the query failed: {str(told.get('detail') or told)[:300]}")
        wait(POLL_S)
    raise StorageError(f"the query engine did not answer in {PATIENCE_S:.0f} s; run the job again later")


def _told(order: Order, address: str, asked: dict[str, Any] | None = None) -> dict[str, Any]:
    with _open(order, address, asked) as answer:
        try:
            told = json.loads(answer.read(_MAX_ANSWER))
        except (ValueError, RecursionError) as error:
            raise StorageError(f"{address} answered with something that is no JSON: {error}") from error
    if not isinstance(told, dict):
        raise StorageError(f"{address} answered with a JSON {type(told).__name__}; expected an object")
    return told


def _download(order: Order, address: str) -> None:
    order.input.mkdir(parents=True, exist_ok=True)
    size = 0
    with _open(order, address) as answer, atomic_path(order.database) as partial, partial.open("wb") as file:
        while piece := answer.read(_PIECE):
            size += len(piece)
            if size > _MAX_RESULTS:
                raise StorageError(f"the results are larger than {_MAX_RESULTS >> 30} GiB; ask for less at once")
            file.write(piece)


def _open(order: Order, address: str, asked: dict[str, Any] | None = None) -> Any:  # noqa: ANN401 - an open answer
    parts = urlsplit(address)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        raise ConfigError(f"{address[:200]} is not an https address; members' rows do not travel in the open")
    headers = {"Content-Type": "application/json", "X-Query-Signature": order.signature}
    data = None if asked is None else json.dumps(asked).encode()
    try:
        return urlopen(Request(address, data=data, headers=headers), timeout=_TIMEOUT_S)  # noqa: S310 - looked at above
    except HTTPError as error:
        with error:
            said = error.read(300).decode(errors="replace")
        raise StorageError(f"{address} answered {error.code} {error.reason}: {said}") from error
    except (URLError, HTTPException, TimeoutError, ConnectionError) as error:
        raise StorageError(f"{address} cannot be reached: {error}") from error
