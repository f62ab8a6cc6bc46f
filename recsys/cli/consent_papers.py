"""recsys consent: purposes, receipt, invite, sign. What is read, kept and signed by members."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from recsys.cli.common import Common, instant


def purposes(*, save: Path | None = None, common: Common = Common()) -> None:  # noqa: B008 - frozen
    """Show the notice: what members are asked, and what each answer means. Read it before you say yes.

    Parameters
    ----------
    save
        Write the notice to this file, byte for byte, so that its SHA-256 can be checked.
    """
    from recsys.canonical import write_atomically
    from recsys.consent.notice import CURRENT

    if save:
        write_atomically(save, CURRENT.text.encode())
    questions = {purpose: question for purpose, (question, _) in CURRENT.questions.items()}
    common.show(
        {"notice": CURRENT.name, "sha256": CURRENT.sha256, "questions": questions, "text": CURRENT.text},
        CURRENT.text.rstrip() if save is None else f"the notice is in {save}",
        f"SHA-256 of this notice: {CURRENT.sha256}",
    )


def receipt(
    member: str, *, at: datetime | None = None, save: Path | None = None, common: Common = Common()  # noqa: B008 - frozen
) -> None:  # fmt: skip
    """Write a member's receipt: what they said yes and no to, until when, how to stop, and how to check it.

    As JSON it is an ISO/IEC TS 27560 consent receipt with the proof that the answers are in the log.

    Parameters
    ----------
    member
        The member's name.
    at
        The instant for which to tell (UTC unless it names a zone); now unless given.
    save
        Write it to this file instead.
    """
    from recsys.canonical import canonical_json, write_atomically
    from recsys.consent.desk import receipt_for

    home = common.open()
    made = receipt_for(member, home.ledger, home.contributions, instant(at))
    zone = datetime.now(UTC).astimezone().tzinfo or UTC
    if save is None:
        common.show(made.as_dict(), made.to_markdown(zone).rstrip())
        return
    write_atomically(save, canonical_json(made.as_dict()) if common.json else made.to_markdown(zone).encode())
    common.show({"saved": str(save)}, f"the receipt is in {save}")


def invite(member: str, *, save: Path | None = None, common: Common = Common()) -> None:  # noqa: B008 - frozen
    """Write the file that a member needs to sign with a key of their own, on a machine of their own.

    Parameters
    ----------
    member
        The member's name, as in the name of their export.
    save
        Where to write it; to standard output unless given.
    """
    from recsys.canonical import parse_json, write_atomically
    from recsys.consent.invitation import Invitation

    home = common.open()
    data = Invitation(home.pseudonyms.of(member), home.controller).to_json()
    if save:
        write_atomically(save, data)
    command = f"recsys consent sign {save or 'FILE'} train-recommender --key my.pem --save answer.jsonl"
    common.show(
        parse_json(data),
        *((f"the invitation is in {save}", f"they sign with: {command}") if save else (data.decode(),)),
    )


def sign(
    invitation: Path,
    purpose: str | None = None,
    *,
    key: Path,
    old_key: Path | None = None,
    recipient: str | None = None,
    withdraw: bool = False,
    at: datetime | None = None,
    until: datetime | None = None,
    save: Path | None = None,
    common: Common = Common(),  # noqa: B008 - frozen
) -> None:
    """Sign an answer on your own machine. Nothing is needed but the invitation and your key, and no network.

    Parameters
    ----------
    invitation
        The file that the collective gave you (recsys consent invite). It holds the notice: read that first.
    purpose
        train-recommender, sell-insights, share-with-buyer or research; without one, with --withdraw, all of them.
    key
        Your key file. If there is none, one is made: keep it, and show it to nobody.
    old_key
        The key file you used before, if `key` is a new one.
    recipient
        The buyer, where the purpose is share-with-buyer.
    withdraw
        Take a yes back instead of giving one.
    at
        When you decided (UTC unless it names a zone); now unless given.
    until
        When a yes ends; two years later unless given.
    save
        Add the signed record to this file, for recsys consent import; printed unless given.
    """
    from recsys.consent.desk import OwnKey, signed_elsewhere

    signed = signed_elsewhere(
        invitation,
        OwnKey(key, old_key),
        purpose=purpose,
        at=instant(at),
        until=instant(until) if until else None,
        recipient=recipient,
        withdraw=withdraw,
    )
    if save:
        with save.open("ab") as file:
            file.write(signed.envelope + b"\n")
    common.show(
        {
            "sha256": signed.sha256,
            "key": str(key),
            "saved": str(save) if save else None,
            "record": signed.envelope.decode(),
        },
        *(
            (f"signed with {key}; give {save} to the collective: recsys consent import {save}",)
            if save
            else (signed.envelope.decode(),)
        ),
    )
