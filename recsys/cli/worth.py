"""recsys worth."""

from __future__ import annotations

from recsys.cli.common import Common, table


def worth(
    run: str | None = None,
    *,
    member: str | None = None,
    seed: int = 0,
    common: Common = Common(),  # noqa: B008 - frozen
) -> None:
    """Tell what members' listening is worth to others: how much better listeners are served because of it.

    Members are dealt into five parts; each tests what the others gave. One member among many moves little, so every
    value has an error, and many cannot be told apart.

    Parameters
    ----------
    run
        A training run, whose dataset version is measured; the latest unless given.
    member
        Tell the worth of this member, in plain words.
    seed
        Decides who tests whom.
    """
    from recsys.payouts.worth import Worth

    home = common.open()
    with common.bar("measuring") as bar:
        found = Worth.measured(home, run, seed=seed, progress=bar)
    if member is not None:
        told = found.of(home.pseudonyms.of(member))
        common.show(told.as_dict(), *told.words(member))
        return
    document = found.as_dict()
    columns = ("", *found.methods)
    common.show(
        document,
        table(f"What {len(found.version.members):,} members' listening is worth", columns, found.rows(), numbers=2),
        *found.notes(),
        table("Artists whose listening carried the model most", ("artist", "share"), found.artists(), numbers=1),
    )
