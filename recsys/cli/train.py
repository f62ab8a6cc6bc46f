"""recsys train."""

from __future__ import annotations

from dataclasses import Field, field, fields, make_dataclass
from pathlib import Path
from typing import Annotated, Any, get_type_hints

from cyclopts import Group, Parameter

from recsys.als import ALS
from recsys.cli.common import Common, mlflow_ui
from recsys.cli.evaluate import scores_table
from recsys.experiment import Experiment, als_keys, load_experiment, run

_GROUPS: dict[type, Group] = {Experiment: Group("The run"), ALS: Group("The factorization")}


def _flag(owner: type, told: Field[Any]) -> tuple[str, Any, Any]:
    """Make a command-line flag, unset by default, of a hyper-parameter's dataclass field."""
    hint = get_type_hints(owner)[told.name]
    default = als_keys()[told.name] if owner is ALS else told.default
    text = f"{told.metadata.get('help', '')} [default: {default!r}]"
    return told.name, Annotated[hint | None, Parameter(help=text, group=_GROUPS[owner])], field(default=None)


Overrides = Parameter(name="*")(
    make_dataclass(
        "Overrides",
        [
            _flag(owner, told)
            for owner in (Experiment, ALS)
            for told in fields(owner)
            if told.name != "als" and (owner is Experiment or told.name in als_keys())
        ],
        frozen=True,
        namespace={"__module__": __name__},
    )
)


def train(
    config: Path | None = None,
    *,
    overrides: Overrides = Overrides(),  # type: ignore[valid-type] # noqa: B008 - frozen
    common: Common = Common(),  # noqa: B008 - frozen
) -> None:
    """Train on a dataset version, test on held-out listeners, track the run with MLflow.

    Parameters
    ----------
    config
        TOML file with any of the keys below; the options win over it.
    """
    told = {key: value for key, value in vars(overrides).items() if value is not None}
    experiment = load_experiment(config, told)
    home = common.open()
    with common.bar("training") as bar:
        outcome = run(experiment, home, progress=lambda done, total, loss: bar(done, total, f"loss {loss:.6g}"))
    common.show(
        outcome.as_dict(),
        scores_table(outcome.scores, outcome.popularity),
        f"dataset version  {outcome.version}",
        f"MLflow run       {outcome.run_id}",
        mlflow_ui(outcome.tracking_uri),
    )
