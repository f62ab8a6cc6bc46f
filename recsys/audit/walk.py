"""What is audited, in which order."""

from __future__ import annotations

from recsys.audit.run import check_run
from recsys.audit.version import check_version
from recsys.errors import RunNotFoundError, VersionNotFoundError
from recsys.home import Home
from recsys.tracking import FinishedRun, Tracker
from recsys.transparency import VerifyKey
from recsys.verdict import Checks, Verdict


def audit(home: Home, subject: str | None = None, key: VerifyKey | None = None) -> Verdict:
    """Check a run, or a dataset version, and everything that it rests on.

    Parameters
    ----------
    home
        Where versions, runs and the ledger are kept.
    subject
        A run's id, a version's digest or its beginning; the latest finished run if ``None``.
    key
        The collective's public key; that of the home if ``None``.

    Raises
    ------
    RunNotFoundError
        If there is neither a finished run nor a version of that name.
    """
    digest = _version_named(home, subject)
    checks = Checks()
    if digest is not None:
        check_version(checks, home, digest, key or home.operator.public)
        return Verdict(f"version {digest[:12]}", tuple(checks))
    run = _run_named(home, subject)
    trusted = key or home.operator.public
    check_run(checks, home, run, trusted)
    check_version(checks, home, run.dataset_digest, trusted)
    return Verdict(f"run {run.id}", tuple(checks))


def _version_named(home: Home, subject: str | None) -> str | None:
    try:
        return home.datasets.find(subject) if subject else None
    except VersionNotFoundError:
        return None


def _run_named(home: Home, subject: str | None) -> FinishedRun:
    try:
        return Tracker(home.path).find(subject)
    except RunNotFoundError as error:
        what = f"; nor is there a dataset version {subject!r}" if subject else ""
        raise RunNotFoundError(f"{error}{what}") from error
