"""recsys sample serve."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from recsys.cli.common import Common

if TYPE_CHECKING:
    from recsys.web import Room


def serve(
    file: Path,
    /,
    *,
    key: Path,
    port: int = 0,
    host: str = "127.0.0.1",
    common: Common = Common(),  # noqa: B008 - frozen
) -> None:
    """Open a page on this machine in which to try a bundle, read its cards and check it, until Ctrl-C.

    Parameters
    ----------
    file
        The bundle.
    key
        The seal's public key (PEM), from wherever you trust it; not from whoever sent the bundle along.
    port
        Port to answer on; a free one unless given.
    host
        An address of the loopback; no other is taken.
    """
    from recsys.web import serve as run

    def opened(address: str, room: Room) -> None:
        common.show(
            {"address": address, "bundle": room.sample.digest, "buyer": room.sample.terms.buyer},
            *room.looked.verdict.words(),
            f"open this:  {address}",
            "Only this machine can. Ctrl-C ends it.",
        )
        sys.stdout.flush()

    run(file, key, host=host, port=port, clock=lambda: datetime.now(UTC), opened=opened)
