"""What a benchmark hands back: a table that can be printed, read by people and read by programs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from recsys.bench.plot import Curve, plot_curves

Row = dict[str, Any]

Progress = Callable[[str], None]
"""Is told in a few words what is being done."""


def silent(_doing: str) -> None:
    """Be told and say nothing."""


def seconds_text(seconds: float) -> str:
    """Write seconds to three digits."""
    return f"{seconds:.3g} s"


def times_text(ratio: float) -> str:
    """Write a ratio."""
    return f"{ratio:.2f}x"


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes
    ----------
    key
        Where its values stand in a row.
    heading
        What it is called in print.
    show
        Turns a value into text; a value of None is shown as a dash.
    """

    key: str
    heading: str
    show: Callable[[Any], str] = str

    def text(self, row: Row) -> str:
        """Give the text of this column in a row."""
        value = row[self.key]
        return "-" if value is None else self.show(value)


@dataclass(frozen=True)
class Report:
    """A table, what it was measured on, and what has to be known to read it.

    Attributes
    ----------
    title
        One line.
    about
        Settings, machine and versions, plain values.
    columns
        What is printed; rows may hold more.
    table
        Rows of plain values, in SI units.
    notes
        Sentences that belong under the table.
    curves
        Loss against time, where it was traced.
    """

    title: str
    about: dict[str, Any]
    columns: tuple[Column, ...]
    table: list[Row]
    notes: list[str] = field(default_factory=list)
    curves: list[Curve] = field(default_factory=list)

    def to_json(self) -> str:
        """Give everything but the layout as JSON."""
        curves = [vars(curve) for curve in self.curves]
        content = {"title": self.title, "about": self.about, "table": self.table, "notes": self.notes, "curves": curves}
        return json.dumps(content, indent=2, allow_nan=False)

    def to_markdown(self) -> str:
        """Give title, table, notes and circumstances as Markdown."""
        lines = [f"## {self.title}", ""]
        lines += [_line(column.heading for column in self.columns), _line("---:" for _ in self.columns)]
        lines += [_line(column.text(row) for column in self.columns) for row in self.table]
        lines += ["", *(f"- {note}" for note in self.notes), "", self._circumstances(), ""]
        return "\n".join(lines)

    def _circumstances(self) -> str:
        return ", ".join(f"{name} {value}" for name, value in self.about.items())

    def print(self, console: Console | None = None) -> None:
        """Print table, notes and circumstances."""
        console = console or Console()
        table = Table(title=self.title)
        for column in self.columns:
            table.add_column(column.heading, justify="right")
        for row in self.table:
            table.add_row(*(column.text(row) for column in self.columns))
        console.print(table)
        for note in [*self.notes, self._circumstances()]:
            console.print(f"- {note}", markup=False, highlight=False)

    def plot(self, path: Path) -> None:
        """Draw the curves into an image whose kind is that of the file name, such as ``.svg`` or ``.png``."""
        plot_curves(self.curves, self.title, path)

    def saved(self, folder: Path | None, name: str) -> Report:
        """Save as below, if there is a folder to save in, and give itself back."""
        if folder:
            self.save(folder, name)
        return self

    def save(self, folder: Path, name: str) -> list[Path]:
        """Write JSON, Markdown and, if there are curves, an SVG of that name into a folder; give the files."""
        folder.mkdir(parents=True, exist_ok=True)
        files = [folder / f"{name}.json", folder / f"{name}.md"]
        files[0].write_text(self.to_json(), encoding="utf-8")
        files[1].write_text(self.to_markdown(), encoding="utf-8")
        if self.curves:
            files.append(folder / f"{name}.svg")
            self.plot(files[-1])
        return files


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"
