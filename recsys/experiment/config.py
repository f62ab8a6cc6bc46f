"""What a training run can be told: flat TOML files whose keys are the fields of two dataclasses.

The keys of the factorization are the fields of :class:`recsys.ALS`, written there once; the others are the fields of
:class:`Experiment`. ``random_state`` is not among them: one ``seed`` decides the split and the start.

:class:`recsys.ALS` by itself is plain; a training run's defaults are what held-out listeners found better on every set
of music that was tried (``recsys bench ablation``; the tables lie in ``recsys/bench/measured``): Rendle's objective,
regularization by frequency, logarithms of plays, and neighbours beside the factorization. How strong each should be
differs from set to set: ``recsys tune`` finds it.
"""

from __future__ import annotations

import ast
import difflib
import math
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, get_args

from recsys.als import ALS
from recsys.errors import ConfigError
from recsys.models import Kind

_SEED = "random_state"
_PATHS = ("files", "names_file")
_SHIPPED: Mapping[str, Any] = {"objective": "ials", "unobserved_weight": 0.3, "regularization": 0.01, "nu": 1.0}
_BEFORE = {"neighbours": 0}  # what a run did that is older than the key


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """A training run: which data, which split, which factorization."""

    name: str = field(default="als", metadata={"help": "What the run is called."})
    version: str = field(
        default="latest", metadata={"help": "Digest of the dataset version to train on, or its beginning, or 'latest'."}
    )
    purpose: str = field(
        default="train-recommender", metadata={"help": "The purpose whose latest version is trained on."}
    )
    recipient: str = field(
        default="", metadata={"help": "The buyer, by name, where the purpose is share-with-buyer; nobody otherwise."}
    )
    files: tuple[str, ...] = field(
        default=(),
        metadata={
            "help": "Parquet or CSV files of a public benchmark, seen from the config file, instead of a version."
        },
    )
    names_file: str | None = field(default=None, metadata={"help": "File that names the benchmark's artists."})
    confidence: Kind = field(
        default="log", metadata={"help": "How plays become confidence: binary, log, linear, tfidf or bm25."}
    )
    neighbours: int = field(
        default=200, metadata={"help": "Nearest artists of each that stand beside the factorization; 0 for none."}
    )
    neighbours_weight: float = field(
        default=0.3, metadata={"help": "What they count for, in units of the spread of both models' scores."}
    )
    held_out: float = field(
        default=0.1, metadata={"help": "Share of listeners held out for the test, and as many again for validation."}
    )
    fold_in_fraction: float = field(
        default=0.8, metadata={"help": "Share of a held-out listener's artists that the model is shown."}
    )
    seed: int = field(default=0, metadata={"help": "Decides the split and the start of the factorization."})
    als: Mapping[str, Any] = field(default_factory=dict, metadata={"help": "Fields of recsys.ALS."})

    def estimator(self) -> ALS:
        """Make the estimator that this experiment fits."""
        rendle = self.als.get("objective", _SHIPPED["objective"]) == _SHIPPED["objective"]
        return ALS(**{**(_SHIPPED if rendle else {}), **self.als, _SEED: self.seed})

    @classmethod
    def of_run(cls, params: Mapping[str, str], *, name: str = "als", version: str = "latest") -> Experiment:
        """Read back what a tracked run was told, from its parameters as :meth:`params` names and MLflow writes them.

        A parameter that is newer than the run is what the run did without it.

        Parameters
        ----------
        params
            The run's parameters.
        name, version
            What the new run is called, and the version it uses; benchmark files are not read again.

        Raises
        ------
        ConfigError
            If the parameters are not those of such a run.
        """
        own = {f.name: f.default for f in fields(cls) if f.name not in {"als", "name", "version", *_PATHS}}
        factorization = als_keys()
        try:
            told = {key: _read_back(params[key], default) for key, default in own.items() if key in params}
            told |= {key: value for key, value in _BEFORE.items() if key not in params}
            found = {key: params[f"als.{key}"] for key in factorization if f"als.{key}" in params}
            als = {key: _read_back(text, factorization[key]) for key, text in found.items()}
        except (ValueError, SyntaxError) as error:
            raise ConfigError(f"the run's parameters are not those of recsys train: {error!r}") from error
        if "seed" not in told:
            raise ConfigError("the run has no parameter `seed`; it is not one of recsys train")
        return _checked(cls(name=name, version=version, als=als, **told))

    def params(self) -> dict[str, Any]:
        """Give everything that decides the result, flat, for the tracked run."""
        own = {name: value for name, value in asdict(self).items() if name not in {"als", "name"}}
        factorization = {f"als.{name}": value for name, value in self.estimator().get_params().items() if name != _SEED}
        return {**own, **factorization}


def _read_back(text: str, default: Any) -> Any:  # noqa: ANN401 - any value of a field
    return text if isinstance(default, str) else ast.literal_eval(text)


def als_keys() -> dict[str, Any]:
    """Name the keys of the factorization with the defaults of a training run."""
    return {f.name: _SHIPPED.get(f.name, f.default) for f in fields(ALS) if f.init and f.name != _SEED}


def load_experiment(path: Path | None, overrides: Mapping[str, Any]) -> Experiment:
    """Read an experiment from a TOML file; `overrides` win over the file, the file over the defaults.

    Parameters
    ----------
    path
        The file, or ``None`` for the defaults alone. Relative paths in it are seen from its folder.
    overrides
        Values by key.

    Raises
    ------
    ConfigError
        If the file cannot be read, or a key or a value is not known; names the key, and one like it.
    """
    told = {**(_read(path) if path else {}), **overrides}
    own = {f.name: f for f in fields(Experiment) if f.name != "als"}
    factorization = als_keys()
    for key in told:
        if key not in own and key not in factorization:
            near = difflib.get_close_matches(key, [*own, *factorization], n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise ConfigError(f"{path.name if path else 'the options'}: there is no key {key!r}{hint}")
    for key, value in told.items():
        _check(key, value, own[key].default if key in own else factorization[key])
    experiment = Experiment(**{key: value for key, value in told.items() if key in own})
    experiment = replace(experiment, als={key: value for key, value in told.items() if key in factorization})
    return _checked(experiment)


def _read(path: Path) -> dict[str, Any]:
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigError(f"there is no file {path}; configurations lie in configs/") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise ConfigError(f"{path.name} is not a TOML file: {error}") from error
    for key in _PATHS:
        if key in told:
            told[key] = _seen_from(path.parent, told[key])
    if isinstance(told.get("files"), str):
        told["files"] = (told["files"],)
    return told


def _seen_from(folder: Path, value: Any) -> Any:  # noqa: ANN401 - one name or several
    if isinstance(value, list):
        return tuple(_seen_from(folder, one) for one in value)
    return str(folder / value) if isinstance(value, str) else value


def _check(key: str, value: Any, default: Any) -> None:  # noqa: ANN401 - any TOML value
    if key in _PATHS:
        if not all(isinstance(one, str) for one in (value if isinstance(value, tuple) else (value,))):
            raise ConfigError(f"{key} is {value!r}; it must name files")
        return
    wanted = (int, float) if isinstance(default, float) else (type(default),)
    if not isinstance(value, wanted) or (isinstance(value, bool) and not isinstance(default, bool)):
        raise ConfigError(f"{key} is {value!r}; it must be a {type(default).__name__} such as {default!r}")


def _checked(experiment: Experiment) -> Experiment:
    if experiment.confidence not in get_args(Kind):
        raise ConfigError(f"confidence is {experiment.confidence!r}; it must be one of {', '.join(get_args(Kind))}")
    if experiment.neighbours < 0 or not 0 < experiment.neighbours_weight < math.inf:
        raise ConfigError(
            f"neighbours is {experiment.neighbours} and neighbours_weight {experiment.neighbours_weight}; "
            "the first must be 0 or more, the second a number above 0"
        )
    for key in ("held_out", "fold_in_fraction"):
        share = getattr(experiment, key)
        if not 0 < share < 1:
            raise ConfigError(f"{key} is {share}; it must lie between 0 and 1")
    return experiment
