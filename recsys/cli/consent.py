"""recsys consent: grant, withdraw, import, show."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from cyclopts import App

from recsys.cli.common import Common, instant, short, table

consent = App(name="consent", help="Record, end and show what members agree to.")


@consent.command
def grant(
    member: str,
    purpose: str = "train-recommender",
    *,
    at: datetime | None = None,
    until: datetime | None = None,
    common: Common = Common(),  # noqa: B008 - frozen
) -> None:
    """Record that a member agrees to a purpose.

    Parameters
    ----------
    member
        The member's name, as in the name of their export.
    purpose
        train-recommender, sell-insights, share-with-buyer or research.
    at
        When they agreed (UTC unless it names a zone); now unless given.
    until
        When it ends; two years later unless given.
    """
    ledger = common.open().ledger
    end = instant(until) if until else None
    ledger.grant(member, purpose, at=instant(at), until=end)
    last = ledger.history(member)[-1]
    common.show(
        {"member": last.member, "purpose": purpose, "at": last.at, "until": last.until, "entry": last.seq},
        f"{member} agrees to {purpose} from {short(last.at)} until {short(last.until)} (entry {last.seq})",
    )


@consent.command
def withdraw(
    member: str,
    purpose: str | None = None,
    *,
    at: datetime | None = None,
    common: Common = Common(),  # noqa: B008 - frozen
) -> None:
    """Record that a member no longer agrees: to a purpose, or to anything at all.

    The next dataset version is built without them.

    Parameters
    ----------
    member
        The member's name, as in the name of their export.
    purpose
        One purpose; every purpose unless given.
    at
        When they decided (UTC unless it names a zone); now unless given.
    """
    ledger = common.open().ledger
    ledger.withdraw(member, purpose, at=instant(at))
    last = ledger.history(member)[-1]
    common.show(
        {"member": last.member, "purpose": purpose, "at": last.at, "entry": last.seq},
        f"{member} no longer agrees to {purpose or 'any purpose'} since {short(last.at)} (entry {last.seq}); "
        "the next version leaves them out: recsys dataset build",
    )


@consent.command(name="import")
def import_(decisions: Path, *, common: Common = Common()) -> None:  # noqa: B008 - frozen
    """Record many decisions at once, all or none; those recorded before are not written again.

    Parameters
    ----------
    decisions
        JSON lines: {"member", "kind": "grant" or "withdraw", "purpose", "at", "until"}.
    """
    from recsys.consent import read_decisions

    ledger = common.open().ledger
    before = ledger.head().count
    head = ledger.record(read_decisions(decisions))
    added = head.count - max(before, 1)
    common.show({"recorded": added, "entries": head.count}, f"{added:,} decisions recorded, {head.count:,} entries")


@consent.command
def show(
    member: str | None = None, *, at: datetime | None = None, common: Common = Common()  # noqa: B008 - frozen
) -> None:  # fmt: skip
    """Show what a member decided, or how many members stand how to each purpose. Checks the whole ledger.

    Parameters
    ----------
    member
        A member's name; everybody unless given.
    at
        The instant for which to tell (UTC unless it names a zone); now unless given.
    """
    from recsys.consent import PURPOSES, Standing

    ledger = common.open().ledger
    moment = instant(at)
    head = ledger.head()
    if member is None:
        counts = {purpose: list(ledger.standings(purpose, moment).values()) for purpose in PURPOSES}
        kinds = (Standing.GIVEN, Standing.EXPIRED, Standing.WITHDRAWN)
        rows = [(purpose, *(found.count(kind) for kind in kinds)) for purpose, found in counts.items()]
        document: Any = {
            "entries": head.count,
            "head": head.hash,
            "purposes": {row[0]: dict(zip(kinds, row[1:], strict=True)) for row in rows},
        }
        common.show(
            document,
            table("Members by purpose", ("purpose", *(kind.value for kind in kinds)), rows, numbers=3),
            f"{head.count:,} entries, none changed; head {head.hash}",
        )
        return
    history = ledger.history(member)
    pseudonym = ledger.pseudonym(member)
    stands = {p: ledger.standings(p, moment).get(pseudonym, Standing.NEVER_GIVEN).value for p in PURPOSES}
    events = [(event.seq, event.kind, event.purpose or "every purpose", event.at, event.until) for event in history]
    shown = [(seq, kind, purpose_, short(at_), short(until)) for seq, kind, purpose_, at_, until in events]
    common.show(
        {
            "member": pseudonym,
            "standings": stands,
            "history": [dict(zip(("entry", "kind", "purpose", "at", "until"), e, strict=True)) for e in events],
        },
        table(f"What {member} decided", ("entry", "kind", "purpose", "at", "until"), shown),
        *(f"{purpose}: {standing} ({PURPOSES[purpose]})" for purpose, standing in stands.items()),
    )
