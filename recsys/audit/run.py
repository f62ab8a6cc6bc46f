"""A run: its model's files, what was signed about them, and the version that it names."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from recsys.canonical import sha256_file
from recsys.errors import ModelInvalidError, SignatureInvalidError
from recsys.home import Home
from recsys.named import NamedModel
from recsys.provenance import Provenance
from recsys.tracking import FILE_TAG, FinishedRun
from recsys.transparency import VerifyKey
from recsys.verdict import Checks

FACTORS_TAG = "recsys.factors_sha256"


def check_run(checks: Checks, home: Home, run: FinishedRun, key: VerifyKey) -> None:
    """Check a run up to the version that it names."""
    found: list[Path] = []
    stated: list[Provenance] = []

    def model() -> str:
        found.append(run.model_folder())
        return f"{', '.join(_digests(found[0]))} are there"

    def statement() -> str:
        stated.append(_statement(run, key))
        return f"how the model was trained is signed with key {key.id[:12]}"

    checks.look("model", model)
    checks.look("model files", lambda: _files(run, _digests(found[0])), needs=["model"])
    checks.look("signed statement", statement)
    checks.look("statement and model", lambda: _same_files(stated[0], found[0]), needs=["model", "signed statement"])
    checks.look("statement and run", lambda: _same_run(stated[0], run), needs=["signed statement"])
    checks.look("factors", lambda: _factors(run, NamedModel.load(found[0])), needs=["model"])
    checks.look("artists", lambda: _artists(home, run, NamedModel.load(found[0])), needs=["model"])


def _digests(folder: Path) -> dict[str, str]:
    return {path.name: sha256_file(path) for path in sorted(folder.iterdir())}


def _files(run: FinishedRun, found: dict[str, str]) -> str:
    logged = {tag.removeprefix(FILE_TAG): digest for tag, digest in run.tags.items() if tag.startswith(FILE_TAG)}
    if found != logged:
        raise ModelInvalidError(_differing("the run logged other bytes of", found, logged))
    return ", ".join(f"{name} {digest[:12]}" for name, digest in found.items()) + ", as the run logged them"


def _statement(run: FinishedRun, key: VerifyKey) -> Provenance:
    document = run.document(Provenance.DOCUMENT)
    if document is None:
        raise SignatureInvalidError(
            f"the run has no {Provenance.DOCUMENT}: nobody signed how it was trained; train again with this version"
        )
    return Provenance.verified(document, key)


def _same_files(stated: Provenance, folder: Path) -> str:
    found = _digests(folder)
    if found != dict(stated.files):
        raise SignatureInvalidError(_differing("the statement is about other bytes of", found, stated.files))
    return "the statement is about these files"


def _same_run(stated: Provenance, run: FinishedRun) -> str:
    if stated.run != run.id:
        raise SignatureInvalidError(f"the statement is about run {stated.run[:12]}, not about this one")
    if run.inputs != (stated.version,) or run.dataset_digest != stated.version:
        named = ", ".join(digest[:12] for digest in (run.dataset_digest, *run.inputs))
        raise SignatureInvalidError(f"the run names version {named}; the statement names {stated.version[:12]}")
    if dict(run.params) != dict(stated.params):
        raise SignatureInvalidError(_differing("the statement has another value of", run.params, stated.params))
    return f"version {stated.version[:12]} and {len(stated.params)} parameters are those of the run"


def _factors(run: FinishedRun, named: NamedModel) -> str:
    logged = run.tags.get(FACTORS_TAG, "none")
    if named.factors_digest != logged:
        raise ModelInvalidError(f"the artists' factors are {named.factors_digest[:12]}; the run logged {logged[:12]}")
    if len(named.model.user_factors):
        raise ModelInvalidError(f"the model holds factors of {len(named.model.user_factors):,} listeners")
    return f"factors {logged[:12]} of {len(named.artists):,} artists and of no listener, as the run logged them"


def _artists(home: Home, run: FinishedRun, named: NamedModel) -> str:
    if named.artists.names != home.datasets.load(run.dataset_digest, remains=True).artists.names:
        raise ModelInvalidError("the model's artists are not those of the version that the run names")
    return f"the model's {len(named.artists):,} artists are those of version {run.dataset_digest[:12]}"


def _differing(what: str, found: Mapping[str, str], told: Mapping[str, str]) -> str:
    names = sorted(name for name in {*found, *told} if found.get(name) != told.get(name))
    return f"{what} {', '.join(names)}"
