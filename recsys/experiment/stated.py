"""Figures that somebody else stated for a protocol, to stand beside one's own."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from recsys.errors import ConfigError


@dataclass(frozen=True)
class Stated:
    """What somebody stated of a model.

    Attributes
    ----------
    model
        Which.
    source
        Who states it, and where.
    figures
        By the names that metrics have here, for example ``ndcg_at_100``.
    """

    model: str
    source: str
    figures: Mapping[str, float]


def read_stated(path: Path) -> tuple[Stated, ...]:
    """Read figures from a TOML file: tables ``[[stated]]`` with ``model``, ``source`` and figures by metric.

    Raises
    ------
    ConfigError
        If the file cannot be read, or a table says something else.
    """
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigError(f"there is no file {path}; write the figures that are to stand beside ours there") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise ConfigError(f"{path.name} is not a TOML file: {error}") from error
    tables = told.get("stated")
    if not isinstance(tables, list) or not tables:
        raise ConfigError(f"{path.name} has no table [[stated]]; each names a model, a source and figures by metric")
    return tuple(_stated(one, path.name) for one in tables)


def _stated(table: Mapping[str, object], file: str) -> Stated:
    model, source = table.get("model"), table.get("source")
    figures = {name: value for name, value in table.items() if name not in {"model", "source"}}
    numbers = {name: float(value) for name, value in figures.items() if type(value) in {int, float}}  # type: ignore[arg-type] # as the condition says
    if not isinstance(model, str) or not isinstance(source, str) or not figures or len(numbers) < len(figures):
        raise ConfigError(
            f"{file}: a table [[stated]] has {', '.join(table)}; it needs a model, a source, and figures that are "
            "numbers, such as ndcg_at_100 = 0.19"
        )
    return Stated(model, source, numbers)
