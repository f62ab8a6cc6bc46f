"""recsys sample: export, register. A bundle's model in other tools."""

from __future__ import annotations

from pathlib import Path

from recsys.cli.common import Common
from recsys.cli.sample_try import Trust


def export(
    file: Path,
    *,
    out: Path,
    trust: Trust,
    common: Common = Common(),  # noqa: B008 - frozen
) -> None:
    """Write a bundle's model for other tools; the form follows from the name's ending.

    Parameters
    ----------
    file
        The bundle.
    out
        The file to write: .parquet or .arrow for the artists' vectors, .onnx for a graph of the whole model.
    """
    from recsys.bundle.exports import export as write

    sample = trust.open(file)
    said = write(sample, out)
    common.show(
        {"path": str(out), "bundle": sample.digest, "artists": len(sample.named.artists)},
        f"wrote {out}: {said}",
        f"it is for {sample.terms.buyer} and may be used before {sample.terms.expires}, as the bundle",
    )


def register(
    file: Path,
    *,
    name: str,
    alias: str | None = None,
    trust: Trust,
    common: Common = Common(),  # noqa: B008 - frozen
) -> None:
    """Enter a bundle's model in an MLflow Model Registry, with signature and input example.

    The registry is the server that MLFLOW_TRACKING_URI names, or else the one in the home folder.

    Parameters
    ----------
    file
        The bundle.
    name
        Name of the registered model; each bundle becomes a version of it.
    alias
        Alias that is to point at this version, for example champion.
    """
    from recsys.bundle.exports import register as enter
    from recsys.tracking import Tracker

    sample = trust.open(file)
    entered = enter(sample, Tracker(common.open().path), name=name, alias=alias)
    common.show(
        {"name": entered.name, "version": entered.version, "uri": entered.uri, "registry": entered.registry},
        f"{entered.name} has version {entered.version}" + (f", alias {alias}" if alias else ""),
        f"load it:   mlflow.pyfunc.load_model({entered.uri!r})",
        f"serve it:  MLFLOW_TRACKING_URI={entered.registry} mlflow models serve -m {entered.uri} --env-manager local",
    )
