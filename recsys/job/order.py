"""What a compute job is told: the environment variables of Vana's compute engine."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from recsys.canonical import sha256_hex
from recsys.errors import ConfigError

INPUT, OUTPUT, ENGINE = "/mnt/input", "/mnt/output", "https://query.vana.org"
_YES, _NO = ("1", "true", "yes"), ("0", "false", "no", "")


@dataclass(frozen=True)
class Order:
    """A compute job's order, as ``vana-compute-job-template-py`` reads it.

    Attributes
    ----------
    input, output
        Folders: where ``query_results.db`` lies or is to be put, and where artifacts go.
    local
        Whether the answer lies there already (``DEV_MODE``); nothing is asked for then.
    query, signature, params
        What the query engine is asked, on whose word, with which values.
    engine
        Where the query engine is.
    job, refiner
        Numbers of the job and of the data refiner whose schema is asked; ``None`` where nothing is asked.
    """

    input: Path
    output: Path
    local: bool
    query: str = ""
    signature: str = field(default="", repr=False)
    params: tuple[Any, ...] = ()
    engine: str = ENGINE
    job: int | None = None
    refiner: int | None = None

    @classmethod
    def read(cls, variables: Mapping[str, str]) -> Order:
        """Read an order from environment variables.

        Raises
        ------
        ConfigError
            If one is missing or is not what it should be; names it.
        """
        local = cls(
            Path(variables.get("INPUT_PATH") or INPUT), Path(variables.get("OUTPUT_PATH") or OUTPUT), local=True
        )
        if _flag(variables, "DEV_MODE"):
            return local
        return replace(
            local,
            local=False,
            query=_needed(variables, "QUERY"),
            signature=_needed(variables, "QUERY_SIGNATURE"),
            params=_params(variables.get("QUERY_PARAMS") or "[]"),
            engine=(variables.get("QUERY_ENGINE_URL") or ENGINE).rstrip("/"),
            job=_number(variables, "COMPUTE_JOB_ID"),
            refiner=_number(variables, "DATA_REFINER_ID"),
        )

    @property
    def database(self) -> Path:
        """Where the answer lies."""
        return self.input / "query_results.db"

    def facts(self) -> dict[str, Any]:
        """Say what was asked, by hashes: a query may name people."""
        return {
            "name": "vana-compute-job",
            "job": self.job,
            "refiner": self.refiner,
            "query_sha256": sha256_hex(self.query.encode()) if self.query else None,
            "signature_sha256": sha256_hex(self.signature.encode()) if self.signature else None,
        }


def _flag(variables: Mapping[str, str], name: str) -> bool:
    text = variables.get(name, "").strip().lower()
    if text not in (*_YES, *_NO):
        raise ConfigError(f"{name} is {text[:40]!r}; it must be 1 or 0")
    return text in _YES


def _needed(variables: Mapping[str, str], name: str) -> str:
    text = variables.get(name, "").strip()
    if not text:
        raise ConfigError(
            f"the environment variable {name} is not set; the compute engine sets it. To train on a "
            "query_results.db that lies in INPUT_PATH already, set DEV_MODE=1"
        )
    return text


def _number(variables: Mapping[str, str], name: str) -> int:
    text = _needed(variables, name)
    if not (text.isascii() and text.isdigit()):
        raise ConfigError(f"{name} is {text[:40]!r}; it must be a whole number")
    return int(text)


def _params(text: str) -> tuple[Any, ...]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"QUERY_PARAMS is no JSON: {error}") from error
    if not isinstance(found, list):
        raise ConfigError(f"QUERY_PARAMS is a JSON {type(found).__name__}; it must be a list")
    return tuple(found)
