"""recsys consent affected."""

from __future__ import annotations

from recsys.cli.common import Common, short, table


def affected(member: str, *, common: Common = Common()) -> None:  # noqa: B008 - frozen
    """List the versions and runs that used a member's data; tag the runs of versions that somebody has left.

    Parameters
    ----------
    member
        The member's name, as in the name of their export.
    """
    from recsys.experiment import affected as find_affected
    from recsys.experiment import tag_affected

    home = common.open()
    found = find_affected(home, member)
    tag_affected(home, found)
    rows = [
        (
            digest[:12],
            manifest.version,
            short(manifest.at),
            ", ".join(run.id for run in found.runs[digest]) or "none",
            len(found.left[digest]),
        )
        for digest, manifest in found.versions.items()
    ]
    columns = ("version", "number", "consent asked for", "runs", "have withdrawn")
    withdrawn = [digest for digest, left in found.left.items() if left]
    runs = [run.id for digest in withdrawn for run in found.runs[digest]]
    advice = f"make the model again without them: recsys retrain {runs[0]} --without MEMBER" if runs else ""
    nothing = f"no version holds data of {member}"
    shown = table(f"What used the data of {member}", columns, rows, numbers=1) if rows else nothing
    common.show(found.as_dict(), shown, *([advice] if advice else []))
