"""What every command of recsys bench is told, how it measures, and how it shows what it found."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from cyclopts import Parameter
from rich.console import Console

from recsys.cli.common import Common

if TYPE_CHECKING:
    from recsys.bench.report import Report

_WIDTH = 150  # a table of a dozen figures is narrower in no terminal


@Parameter(name="*")
@dataclass(frozen=True)
class Saved:
    """Options of every measurement.

    Parameters
    ----------
    out
        Folder in which to save the table as JSON and Markdown, with a plot where there is one.
    """

    out: Path | None = None

    def play(self, common: Common, measure: Callable[..., Report], *arguments: object, **more: object) -> None:
        """Measure, and print the report, as JSON or for people."""
        with common.steps() as step:
            report = measure(*arguments, **vars(self), **more, date=f"{datetime.now(UTC):%Y-%m-%d}", progress=step)
        if common.json:
            common.show(json.loads(report.to_json()))
        else:
            report.print(Console(width=max(Console().width, _WIDTH)))


@Parameter(name="*")
@dataclass(frozen=True)
class Drawn(Saved):
    """Options of a measurement in which something is drawn.

    Parameters
    ----------
    out
        Folder in which to save the table as JSON and Markdown, with a plot where there is one.
    seed
        Decides what is made up, who is held out, and where models start.
    """

    seed: int = 0


@Parameter(name="*")
@dataclass(frozen=True)
class Trial(Drawn):
    """Options of a measurement beside others, in turn.

    Parameters
    ----------
    out
        Folder in which to save the table as JSON and Markdown, with a plot where there is one.
    seed
        Decides the made-up matrix and the start.
    repeats
        How often each contestant runs, in turn; medians are shown.
    threads
        Threads for everybody.
    """

    repeats: int = 3
    threads: int = 2
