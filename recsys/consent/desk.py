"""Where members speak for themselves: with the key that the collective keeps for them, or with their own."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from recsys.canonical import utc_text
from recsys.consent.answers import spoken
from recsys.consent.controller import Controller
from recsys.consent.events import Event
from recsys.consent.invitation import Invitation
from recsys.consent.ledger import Ledger
from recsys.consent.notice import CURRENT
from recsys.consent.receipt import Receipt
from recsys.consent.records import SignedDecision, sign_decision
from recsys.consent.terms import PURPOSES, Decision, Kind, Standing, default_until, standing
from recsys.errors import ConfigError, ConsentMissingError
from recsys.listens import Contributions
from recsys.transparency import SigningKey


@dataclass(frozen=True)
class OwnKey:
    """A key file that a member keeps.

    Parameters
    ----------
    path
        The private key in PEM.
    previous
        The key file that they used before, if this one is new.
    """

    path: Path
    previous: Path | None = None


def say(ledger: Ledger, decision: Decision, controller: Controller, own: OwnKey | None = None) -> Event:
    """Record a decision, signed with the member's own key or the one that is kept for them, and give its entry.

    Raises
    ------
    RecordInvalidError, SignatureInvalidError
        If the key is not the member's.
    ConfigError
        If a key file cannot be read.
    """
    if own is None:
        ledger.record([decision])
    else:
        named = replace(decision, member=ledger.pseudonym(decision.member))
        previous = SigningKey.read(own.previous) if own.previous else None
        signed = sign_decision(named, SigningKey.read(own.path), controller, previous=previous)
        ledger.record_signed([signed.envelope])
    return next(event for event in reversed(ledger.history(decision.member)) if _says(event, decision))


def renewal(history: Iterable[Event], grant: Decision) -> Decision:
    """Turn a grant into a renewal: of a consent that was given, and not taken back.

    Raises
    ------
    ConsentMissingError
        If there is nothing to renew.
    """
    about = (event.said for event in history if event.about(grant.purpose or "", grant.recipient or ""))
    stands = standing(about, utc_text(grant.at))
    if stands not in {Standing.GIVEN, Standing.EXPIRED}:
        raise ConsentMissingError(
            f"there is nothing to renew: {grant.member} and {grant.purpose} are {stands.value!r}; "
            "a new yes is a grant: recsys consent grant"
        )
    return replace(grant, kind=Kind.RENEW)


def granted(
    member: str, purpose: str, at: datetime, until: datetime | None = None, recipient: str | None = None
) -> Decision:
    """Make a grant; it lasts two years unless told otherwise."""
    return Decision(member, Kind.GRANT, purpose, at, until or default_until(at), recipient)


def short_receipt(decision: Decision, event: Event) -> Iterator[str]:
    """Say in a few lines what was recorded, for whom, until when, and how to take it back."""
    name, day = decision.member, spoken(decision.at, UTC)
    if decision.kind.gives and decision.until:
        question, _ = CURRENT.questions[event.purpose]
        buyer = f" The buyer: {event.recipient}" if event.recipient else ""
        yield f"{name} says yes: {question}{buyer}"
        yield f"said on {day}; it lasts until {spoken(decision.until, UTC)}"
        command = f"recsys consent withdraw {shlex.quote(name)} {event.purpose}"
        yield "to take it back:  " + command + (f" --recipient {shlex.quote(event.recipient)}" if buyer else "")
    else:
        what = f"{event.purpose or 'any purpose'}{f' for {event.recipient}' if event.recipient else ''}"
        if decision.kind is Kind.REVOKE:
            yield f"the collective ends the consent of {name} to {what} since {day}"
        else:
            yield f"{name} no longer agrees to {what} since {day}"
        yield "the next version leaves them out: recsys dataset build"
    yield f"entry {event.seq} of the log, signed record {event.record}"
    yield f"the whole receipt: recsys consent receipt {shlex.quote(name)}"


def _says(event: Event, decision: Decision) -> bool:
    said = (event.kind, event.purpose, event.recipient, event.at)
    return said == (decision.kind, decision.purpose or "", decision.recipient or "", utc_text(decision.at))


def receipt_for(member: str, ledger: Ledger, contributions: Contributions, at: datetime) -> Receipt:
    """Make a member's receipt for an instant."""
    pseudonym = ledger.pseudonym(member)
    handed_in = pseudonym in contributions.members
    return Receipt(
        member,
        ledger.prove(member, next(iter(PURPOSES)), at),
        ledger.operator_key,
        at,
        contributions.read(pseudonym).report if handed_in else None,
        ledger.kept_key(pseudonym),
    )


def signed_elsewhere(
    invitation: Path,
    own: OwnKey,
    *,
    purpose: str | None,
    at: datetime,
    until: datetime | None = None,
    recipient: str | None = None,
    withdraw: bool = False,
) -> SignedDecision:
    """Sign what an invitation asks for, on the member's own machine; their key is made if there is none.

    Raises
    ------
    RecordInvalidError
        If the invitation is damaged.
    ConfigError
        If a file cannot be read.
    ValueError
        If the decision makes no sense.
    """
    try:
        asked = Invitation.from_json(invitation.read_bytes())
    except OSError as error:
        raise ConfigError(f"{invitation} cannot be read: {error}") from error
    if withdraw:
        decision = Decision(asked.member, Kind.WITHDRAW, purpose, at, recipient=recipient)
    elif purpose is None:
        raise ValueError(f"name the purpose that you say yes to: {', '.join(PURPOSES)}")
    else:
        decision = granted(asked.member, purpose, at, until, recipient)
    previous = SigningKey.read(own.previous) if own.previous else None
    return sign_decision(decision, SigningKey.at(own.path), asked.controller, notice=asked.notice, previous=previous)
