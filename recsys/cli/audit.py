"""recsys audit."""

from __future__ import annotations

from pathlib import Path

from recsys.cli.common import Common, public_key


def audit(
    subject: str | None = None,
    *,
    key: Path | None = None,
    common: Common = Common(),  # noqa: B008 - frozen
) -> int:
    """Walk from a model back to every consent behind it, and say of each step whether it holds.

    Fails if one does not.

    Parameters
    ----------
    subject
        MLflow run id, or the digest of a dataset version or its beginning; the latest finished run unless given.
    key
        The collective's public key (PEM), from wherever you trust it; that of the home folder unless given.
    """
    from recsys.audit import audit as walk

    home = common.open()
    verdict = walk(home, subject, public_key(key))
    return common.judge(verdict)
