"""What people type for numbers, names and times, and what it becomes."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any

from cyclopts import Parameter

_UNITS = {"s": 1, "m": 60, "h": 3600, "": 1}


def _numbers(_hint: object, tokens: tuple[Any, ...]) -> tuple[int, ...]:
    return tuple(int(number) for token in tokens for number in token.value.replace("_", "").split(","))


def _names(_hint: object, tokens: tuple[Any, ...]) -> tuple[str, ...]:
    return tuple(name for token in tokens for name in token.value.split(",") if name)


def _seconds(_hint: object, tokens: tuple[Any, ...]) -> float:
    text = tokens[0].value.strip().lower()
    parts = re.findall(r"(\d+(?:\.\d+)?)([smh]?)", text)
    if not parts or "".join(f"{number}{unit}" for number, unit in parts) != text:
        raise ValueError(f"{text!r} is no time; write it as 90s, 20m or 1h30m")
    return sum(float(number) * _UNITS[unit] for number, unit in parts)


Numbers = Annotated[tuple[int, ...], Parameter(converter=_numbers, n_tokens=1)]
Names = Annotated[tuple[str, ...], Parameter(converter=_names, n_tokens=1)]
Seconds = Annotated[float, Parameter(converter=_seconds, n_tokens=1)]
At = Annotated[datetime | None, Parameter(help="When (UTC unless it names a zone); now unless given.")]
Sale = Annotated[str, Parameter(help="Hash of the proposal, or the beginning of it.")]
