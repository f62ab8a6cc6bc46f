"""MLflow's Model Registry: a model under a name and an alias, for whoever loads or serves it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import mlflow
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException

from recsys.errors import ConfigError
from recsys.named import NamedModel
from recsys.tracking.logged import log_named
from recsys.tracking.run import KIND_TAG, Tracker

_DIGEST = "recsys.registered"
_NAME = re.compile(r"[\w][\w .-]{0,199}")


@dataclass(frozen=True)
class Registered:
    """A version of a registered model.

    Attributes
    ----------
    name, version
        The model's name, and the version's number.
    uri
        What ``mlflow.pyfunc.load_model`` and ``mlflow models serve`` take: by alias if there is one.
    registry
        The registry's own URI.
    """

    name: str
    version: int
    uri: str
    registry: str


def register(
    tracker: Tracker,
    named: NamedModel,
    *,
    name: str,
    digest: str,
    alias: str | None,
    tags: Mapping[str, str],
    card: str,
) -> Registered:
    """Enter a model as the next version of a registered model; the same one again is no new version.

    Parameters
    ----------
    tracker
        The store whose registry is meant.
    named
        The model.
    name
        The registered model's name.
    digest
        Names what is entered.
    alias
        Points at this version from now on; it leaves the version that it pointed at.
    tags, card
        What is said of the version, and its description (Markdown).

    Raises
    ------
    ConfigError
        If MLflow does not take the name or the alias.
    """
    if not _NAME.fullmatch(name):
        raise ConfigError(f"{name!r} is no name for a model; use letters, digits, blanks, dots, hyphens, underscores")
    experiment = tracker.connect()
    client = mlflow.MlflowClient(tracker.uri)
    try:
        version = _found(client, name, digest) or _entered(experiment, named, name, digest, tags)
        client.update_model_version(name, version, card)
        if alias:
            client.set_registered_model_alias(name, alias, version)
    except MlflowException as error:
        raise ConfigError(f"MLflow does not take {name!r} with alias {alias!r}: {error.message}") from error
    pointer = f"models:/{name}@{alias}" if alias else f"models:/{name}/{version}"
    return Registered(name, int(version), pointer, tracker.uri)


def _found(client: mlflow.MlflowClient, name: str, digest: str) -> str | None:
    versions: list[ModelVersion] = client.search_model_versions(f"name = '{name}'")
    return next((str(one.version) for one in versions if one.tags.get(_DIGEST) == digest), None)


def _entered(experiment: str, named: NamedModel, name: str, digest: str, tags: Mapping[str, str]) -> str:
    told = {**tags, _DIGEST: digest}
    with mlflow.start_run(experiment_id=experiment, run_name=name, tags={**told, KIND_TAG: "registration"}):
        _, info = log_named(named, registered_model_name=name)
    version = str(info.registered_model_version)
    client = mlflow.MlflowClient()
    for key, value in told.items():
        client.set_model_version_tag(name, version, key, value)
    return version
