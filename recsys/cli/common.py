"""What every command shares: the home folder, output as tables or JSON, progress bars."""

from __future__ import annotations

import json
import shlex
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO

from cyclopts import Parameter
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from recsys.cli.exits import UNSOUND

if TYPE_CHECKING:
    from recsys.home import Home
    from recsys.transparency import VerifyKey
    from recsys.verdict import Verdict

Bar = Callable[..., None]


@Parameter(name="*")
@dataclass(frozen=True)
class Common:
    """Options of every command.

    Parameters
    ----------
    home
        Folder of all state; RECSYS_HOME or ./.recsys unless given.
    json
        Print JSON for scripts instead of tables for people.
    """

    home: Path | None = None
    json: Annotated[bool, Parameter(negative="")] = False

    def open(self) -> Home:
        """Give the home folder."""
        from recsys.home import Home

        return Home.at(self.home)

    def show(self, document: Any, *lines: str | Table) -> None:  # noqa: ANN401 - any JSON value
        """Print `document` as JSON, or else `lines` for people."""
        if self.json:
            sys.stdout.write(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
            return
        console = Console(soft_wrap=True, emoji=False)
        for line in lines:
            console.print(line, highlight=False, markup=not isinstance(line, str))

    def judge(self, verdict: Verdict, *more: str) -> int:
        """Show a verdict, and give the exit code that says whether every check holds."""
        self.show(verdict.as_dict(), *verdict.words(), *more)
        return 0 if verdict.sound else UNSOUND

    @contextmanager
    def steps(self) -> Iterator[Callable[[str], Bar]]:
        """Show progress on standard error while it is a terminal: a bar for each step that is named.

        What naming a step returns is called with (done, total) and, optionally, a note.
        """
        columns = (TextColumn("{task.description:<24}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        quiet = self.json or not sys.stderr.isatty()
        with Progress(
            *columns, TextColumn("{task.fields[note]}"), console=Console(stderr=True), disable=quiet
        ) as progress:

            def step(name: str) -> Bar:
                task = progress.add_task(name, total=None, note="")

                def update(done: int, total: int, note: str = "") -> None:
                    progress.update(task, completed=done, total=total, note=note)

                return update

            yield step

    @contextmanager
    def bar(self, name: str) -> Iterator[Bar]:
        """Show the progress of a command of one step."""
        with self.steps() as step:
            yield step(name)


@contextmanager
def notes() -> Iterator[None]:
    """Tell what the program warns its user of as a line for people, without file and line number."""
    shown = warnings.showwarning

    def show(  # noqa: PLR0917 - as Python calls it
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        if category is UserWarning:
            sys.stderr.write(f"note: {message}\n")
        else:
            shown(message, category, filename, lineno, file, line)

    with warnings.catch_warnings():
        warnings.showwarning = show
        yield


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]], *, numbers: int = 0) -> Table:
    """Lay out rows for people; the last `numbers` columns are flush right."""
    laid = Table(title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD)
    laid.show_edge, laid.collapse_padding, laid.pad_edge = False, True, False
    for place, column in enumerate(columns):
        laid.add_column(column, justify="right" if place >= len(columns) - numbers else "left", overflow="fold")
    for row in rows:
        laid.add_row(*(f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in row))
    return laid


def mlflow_ui(tracking_uri: str) -> str:
    """Tell where to see a run in MLflow's own pages: the server, or the command that opens the store."""
    if tracking_uri.startswith("http"):
        return f"look at it:      {tracking_uri}"
    return f"look at it:      mlflow ui --backend-store-uri {shlex.quote(tracking_uri)}"


def public_key(path: Path | None) -> VerifyKey | None:
    """Read a public key in PEM, if a file is named."""
    from recsys.transparency import VerifyKey

    return VerifyKey.from_pem(path.read_bytes()) if path else None


def short(instant: str | None) -> str:
    """Give an instant as :func:`recsys.canonical.utc_text` writes it, to the minute."""
    return f"{instant[:10]} {instant[11:16]}Z" if instant else ""


def instant(given: datetime | None) -> datetime:
    """Give the instant that was named, in UTC unless it names a zone; now, if none was."""
    if given is None:
        return datetime.now(UTC)
    return given if given.tzinfo else given.replace(tzinfo=UTC)


def settings(params: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Give settings as rows, numbers to four digits."""
    return [(name, f"{value:.4g}" if isinstance(value, float) else str(value)) for name, value in params.items()]
