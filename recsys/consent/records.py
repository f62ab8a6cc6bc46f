"""Decisions in a file: one JSON object a line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from recsys.consent.terms import Decision, Kind
from recsys.errors import ConfigError


def read_decisions(path: Path) -> Iterator[Decision]:
    """Read decisions from JSON lines with ``member``, ``kind``, ``purpose``, ``at`` and, in a grant, ``until``.

    Raises
    ------
    ConfigError
        If the file is not there or a line is not a decision; names the line.
    """
    try:
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield _decision(line, f"{path.name}, line {number}")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from error


def _decision(line: str, where: str) -> Decision:
    try:
        told = json.loads(line)
        return Decision(
            member=told["member"],
            kind=Kind(told["kind"]),
            purpose=told["purpose"],
            at=_instant(told["at"]),
            until=_instant(told["until"]) if told.get("until") else None,
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(f"{where} is not a decision: {error!r}") from error


def _instant(text: Any) -> datetime:  # noqa: ANN401 - any JSON value
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError(f"{text} has no time zone; write 2026-01-01T00:00:00Z")
    return instant
