"""recsys consent: grant, renew, withdraw, revoke, import, show."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cyclopts import App, Parameter

from recsys.cli.common import Common, instant, short, table
from recsys.cli.consent_log import log, prove, verify
from recsys.cli.consent_papers import invite, purposes, receipt, sign
from recsys.cli.values import At

if TYPE_CHECKING:
    from recsys.consent.desk import OwnKey
    from recsys.consent.terms import Decision

consent = App(name="consent", help="Record, end and show what members agree to.")
for _command in (purposes, receipt, invite, sign, log, prove, verify):
    consent.command(_command)
consent.command(
    "recsys.cli.affected:affected", name="affected", help="List the versions and runs that used their data."
)


@Parameter(name="*")
@dataclass(frozen=True)
class Yes:
    """What else belongs to a yes.

    Parameters
    ----------
    recipient
        The buyer, where the purpose is share-with-buyer.
    at
        When they agreed (UTC unless it names a zone); now unless given.
    until
        When it ends; two years later unless given.
    key
        The member's own key file, if they keep one; else a key is kept for them.
    old_key
        The key file they used before, if `key` is a new one.
    """

    recipient: str | None = None
    at: datetime | None = None
    until: datetime | None = None
    key: Path | None = None
    old_key: Path | None = None

    def decision(self, member: str, purpose: str) -> Decision:
        """Give the decision that the member makes."""
        from recsys.consent.desk import granted

        until = instant(self.until) if self.until else None
        return granted(member, purpose, instant(self.at), until, self.recipient)


@consent.command
def grant(
    member: str,
    purpose: str = "train-recommender",
    *,
    yes: Yes = Yes(),
    common: Common = Common(),  # noqa: B008 - frozen
) -> None:
    """Record that a member agrees to a purpose. Show them first what it means: recsys consent purposes.

    Parameters
    ----------
    member
        The member's name, as in the name of their export.
    purpose
        train-recommender, sell-insights, share-with-buyer or research.
    """
    _say(common, yes.decision(member, purpose), _own(yes.key, yes.old_key))


@consent.command
def renew(
    member: str,
    purpose: str = "train-recommender",
    *,
    yes: Yes = Yes(),
    common: Common = Common(),  # noqa: B008 - frozen
) -> None:
    """Record that a member says yes again, before or after a yes ended that they did not take back.

    Parameters
    ----------
    member
        The member's name.
    purpose
        As in grant.
    """
    from recsys.consent.desk import renewal

    history = common.open().ledger.history(member)
    _say(common, renewal(history, yes.decision(member, purpose)), _own(yes.key, yes.old_key))


@consent.command
def withdraw(
    member: str,
    purpose: str | None = None,
    *,
    recipient: str | None = None,
    at: datetime | None = None,
    key: Path | None = None,
    erase: bool = False,
    common: Common = Common(),  # noqa: B008 - frozen
) -> None:
    """Record that a member no longer agrees: to a purpose, or to anything at all.

    The next dataset version is built without them, and versions that hold them may not be used any more. Where they
    agree to nothing any more, what they handed in is erased at once and for good.

    Parameters
    ----------
    member
        The member's name, as in the name of their export.
    purpose
        One purpose; every purpose unless given.
    recipient
        One buyer, where the purpose is share-with-buyer; every buyer unless given.
    at
        When they decided (UTC unless it names a zone); now unless given.
    key
        The member's own key file, if they keep one.
    erase
        Erase what they handed in even if they still agree to something else.
    """
    from recsys.consent import Decision, Kind
    from recsys.erasure import erase as erase_all
    from recsys.erasure import keeps_nothing

    decision = Decision(member, Kind.WITHDRAW, purpose, instant(at), recipient=recipient)
    facts, lines = _recorded(common, decision, _own(key, None))
    home = common.open()
    if erase or keeps_nothing(home, member, decision.at):
        gone = erase_all(home, member, at=decision.at)
        facts, lines = {**facts, "erased": list(gone.removed)}, [*lines, *gone.words()]
    common.show(facts, *lines, f"what used their data: recsys consent affected {shlex.quote(member)}")


@consent.command
def revoke(
    member: str,
    purpose: str | None = None,
    *,
    recipient: str | None = None,
    at: At = None,
    common: Common = Common(),  # noqa: B008 - frozen
) -> None:
    """End a member's consent on the collective's own account, for example because a history is not theirs.

    It is signed with the collective's key, so the log tells it from a withdrawal.

    Parameters
    ----------
    member
        The member's name.
    purpose
        One purpose; every purpose unless given.
    recipient
        One buyer, where the purpose is share-with-buyer; every buyer unless given.
    """
    from recsys.consent import Decision, Kind

    _say(common, Decision(member, Kind.REVOKE, purpose, instant(at), recipient=recipient), None)


@consent.command(name="import")
def import_(decisions: Path, *, common: Common = Common()) -> None:  # noqa: B008 - frozen
    """Record many decisions at once, all or none; those recorded before are not written again.

    Parameters
    ----------
    decisions
        A file with one on each line: either records that members signed (recsys consent sign), or bare decisions,
        {"member", "kind": "grant", "renew", "withdraw" or "revoke", "purpose", "at", "until", "recipient"}.
    """
    from recsys.consent import read_decisions
    from recsys.consent.records import is_signed, read_envelopes

    ledger = common.open().ledger
    before = ledger.head().count
    if is_signed(decisions):
        head = ledger.record_signed(read_envelopes(decisions))
    else:
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
    if member is None:
        _show_everybody(common, instant(at))
    else:
        _show_one(common, member, instant(at))


def _show_everybody(common: Common, moment: datetime) -> None:
    from recsys.consent import PURPOSES, Standing
    from recsys.consent.terms import NAMES_RECIPIENT

    ledger = common.open().ledger
    head = ledger.head()
    kinds = (Standing.GIVEN, Standing.EXPIRED, Standing.WITHDRAWN)
    rows = []
    for purpose in PURPOSES:
        for buyer in ledger.recipients() or ("",) if purpose == NAMES_RECIPIENT else ("",):
            found = list(ledger.standings(purpose, moment, buyer or None).values())
            rows.append((f"{purpose}: {buyer}" if buyer else purpose, *(found.count(kind) for kind in kinds)))
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


def _show_one(common: Common, member: str, moment: datetime) -> None:
    from recsys.consent import PURPOSES
    from recsys.consent.answers import answers

    ledger = common.open().ledger
    history = ledger.history(member)
    names = ("entry", "kind", "purpose", "recipient", "at", "until")
    events = [(e.seq, e.kind, e.purpose or "every purpose", e.recipient, e.at, e.until) for e in history]
    shown = [(*e[:2], f"{e[2]}: {e[3]}" if e[3] else e[2], short(e[4]), short(e[5])) for e in events]
    stands = list(answers(history, moment))
    common.show(
        {
            "member": ledger.pseudonym(member),
            "standings": {one.question: one.standing.value for one in stands},
            "history": [dict(zip(names, event, strict=True)) for event in events],
        },
        table(f"What {member} decided", ("entry", "kind", "purpose", "at", "until"), shown),
        *(f"{one.question}: {one.standing.value} ({PURPOSES[one.purpose]})" for one in stands),
    )


def _own(key: Path | None, old_key: Path | None) -> OwnKey | None:
    from recsys.consent.desk import OwnKey

    return OwnKey(key, old_key) if key else None


def _say(common: Common, decision: Decision, own: OwnKey | None) -> None:
    """Record a decision and show the short form of its receipt."""
    facts, lines = _recorded(common, decision, own)
    common.show(facts, *lines)


def _recorded(common: Common, decision: Decision, own: OwnKey | None) -> tuple[dict[str, Any], list[str]]:
    """Record a decision; give its facts and the short form of its receipt."""
    from recsys.consent.desk import say, short_receipt

    home = common.open()
    event = say(home.ledger, decision, home.controller, own)
    facts = {"kind": event.kind, "member": event.member, "purpose": event.purpose or None}
    more = {"recipient": event.recipient or None, "at": event.at, "until": event.until or None, "entry": event.seq}
    return {**facts, **more, "record": event.record}, list(short_receipt(decision, event))
