"""recsys sample trace."""

from __future__ import annotations

from pathlib import Path

from recsys.cli.common import Common
from recsys.cli.exits import UNSOUND


def trace(
    leaked: Path,
    *,
    common: Common = Common(),  # noqa: B008 - frozen
) -> int:
    """Find out whose copy turned up somewhere, by the mark that each buyer's bundle bears.

    Fails if it cannot be told.

    Parameters
    ----------
    leaked
        What turned up: a bundle, or its factors alone (safetensors or .npy), whole or in part.
    """
    from recsys.bundle.register import Register
    from recsys.bundle.tracing import find_leak

    leak = find_leak(leaked, Register.at(common.open().path))
    common.show(leak.as_dict(), *leak.words())
    return 0 if leak.named else UNSOUND
