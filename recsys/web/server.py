"""Serves the pages on the loopback, from the first check of the bundle to Ctrl-C."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import uvicorn
from threadpoolctl import threadpool_limits

from recsys.errors import ConfigError
from recsys.web.app import application
from recsys.web.room import Clock, Room

LOOPBACK = "127.0.0.1"
_WAITING = 128
_HIGHEST_PORT = 65_535


def serve(
    path: Path,
    key: Path,
    *,
    clock: Clock,
    host: str = LOOPBACK,
    port: int = 0,
    opened: Callable[[str, Room], None],
) -> None:
    """Verify a bundle, and show it on a page of this machine until interrupted.

    Parameters
    ----------
    path
        The bundle.
    key
        The collective's public key.
    clock
        Tells the instant of each decision.
    host
        An address of the loopback.
    port
        0 takes a free one.
    opened
        Is told the address once the pages answer.

    Raises
    ------
    ConfigError
        If the host is not of the loopback, or the port is taken.
    SignatureInvalidError, BundleInvalidError, TermsInvalidError
        If the bundle does not hold; nothing is served then.
    """
    with closing(listening(host, port)) as listener:
        run(Room.open(path, key, clock), listener, opened)


def run(room: Room, listener: socket.socket, opened: Callable[[str, Room], None]) -> None:
    """Answer on a socket until interrupted."""
    host, port = listener.getsockname()[:2]
    named = f"[{host}]" if ":" in host else host
    hosts = [f"{name}:{port}" for name in (named, "localhost")]
    config = uvicorn.Config(
        application(room, [*hosts, *(name.removesuffix(":80") for name in hosts)]),
        log_level="error",
        access_log=False,
        server_header=False,
        lifespan="off",
        ws="none",
        proxy_headers=False,
        timeout_graceful_shutdown=3,
    )
    listener.listen(_WAITING)
    with threadpool_limits(1, "blas"), suppress(KeyboardInterrupt):  # requests come beside one another as it is
        room.warm()
        opened(f"http://{named}:{port}/", room)
        uvicorn.Server(config).run(sockets=[listener])


def listening(host: str, port: int) -> socket.socket:
    """Take a port of the loopback.

    Raises
    ------
    ConfigError
        If the host is not of the loopback, or the port cannot be had.
    """
    address = _loopback(host)
    if not 0 <= port <= _HIGHEST_PORT:
        raise ConfigError(f"port is {port}; it must lie between 0 and {_HIGHEST_PORT}, and 0 takes a free one")
    listener = socket.socket(socket.AF_INET6 if address.version == 6 else socket.AF_INET)  # noqa: PLR2004 - IPv6
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # else a kept connection waits 40 ms for its rest
    try:
        listener.bind((str(address), port))
    except OSError as error:
        listener.close()
        raise ConfigError(f"port {port} cannot be had ({error.strerror}): name another one, or --port 0") from error
    return listener


def _loopback(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    with suppress(ValueError):
        address = ipaddress.ip_address(LOOPBACK if host == "localhost" else host)
        if address.is_loopback:
            return address
    raise ConfigError(f"{host} is not this machine alone: the pages open on the loopback only, for example {LOOPBACK}")
