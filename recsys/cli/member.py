"""recsys member: preview, join, leave, list, show."""

from __future__ import annotations

import shlex
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter

from recsys.cli.common import Common, instant, public_key, short, table
from recsys.cli.values import At

if TYPE_CHECKING:
    from recsys.collective import Member
    from recsys.transparency import SigningKey

member = App(name="member", help="Join and leave the collective; see who belongs, and what would be taken.")
_MOST_SHOWN = 40
_SHORT = 12


@member.command
def preview(
    export: Path,
    *,
    artists: int = 15,
    incognito: Annotated[bool, Parameter(negative="")] = False,
    common: Common = Common(),  # noqa: B008 - frozen
) -> None:
    """Show what would be kept of an export, before anybody agrees to anything. Nothing is stored.

    Parameters
    ----------
    export
        The zip, folder or file, as the service gave it.
    artists
        How many of the most played artists to show; --json lists all.
    incognito
        As if what was listened to incognito were to be used, too.
    """
    from recsys.collective.preview import preview as look
    from recsys.listens import LeftOut
    from recsys.listens.report import by_count

    found = look(export, incognito=incognito)
    plays = sum(found.artists.values())
    period = f"{found.first:%Y-%m-%d} to {found.last:%Y-%m-%d}" if found.first and found.last else "no times"
    rows = [
        ("rows in its history", found.report.rows_read),
        ("kept", found.report.rows_used),
        *((f"left out: {LeftOut(reason).words}", count) for reason, count in by_count(found.report.left_out)),
        ("plays that count (30 s heard, or finished)", plays),
        ("artists", len(found.artists)),
    ]
    most = list(found.artists.items())[:artists]
    common.show(
        found.as_dict(),
        table(f"What would be kept of {export.name}", ("", "count"), rows, numbers=1),
        f"period: {period}",
        f"files read: {', '.join(found.files)}; nothing else in it is opened",
        f"kept of each play: {', '.join(found.kept.values())}",
        _not_decoded(found.not_decoded),
        *([table("Most played", ("artist", "plays"), most, numbers=1)] if most else []),
        "nothing was stored; to hand it in: recsys ingest, and to say yes to something: recsys consent purposes",
    )


def _not_decoded(fields: tuple[str, ...] | None) -> str:
    if fields is None:
        return "never read: everything else in these files"
    return f"in these files, but never read: {', '.join(fields) or 'nothing'}"


@member.command
def join(
    name: str,
    *,
    key: Path | None = None,
    public: Path | None = None,
    at: At = None,
    common: Common = Common(),  # noqa: B008 - frozen
) -> None:
    """Let somebody join: one member, one vote.

    Parameters
    ----------
    name
        The member's name, as in the name of their export.
    key
        Their own key file, if they keep one; else a key is made and kept for them.
    public
        The public half alone (PEM): they are entered on the operator's word, and vote by recsys vote sheet.
    """
    from recsys.collective import Members
    from recsys.transparency import SigningKey

    own: Any = SigningKey.read(key) if key else public_key(public)
    joined = Members(common.open()).join(name, at=instant(at), key=own)
    keeper = "signs with their own key" if own else "a signing key is kept for them"
    common.show(
        _facts(joined),
        f"{name} is a member since {short(joined.joined)}; {keeper} ({joined.key.id[:_SHORT]})",
        f"to leave, with all consents and data: recsys member leave {shlex.quote(name)}",
    )


@member.command
def leave(
    name: str,
    *,
    key: Path | None = None,
    at: At = None,
    common: Common = Common(),  # noqa: B008 - frozen
) -> None:
    """Leave: every consent is withdrawn, what was handed in is erased for good, the membership ends.

    Parameters
    ----------
    name
        The member's name.
    key
        Their own key file, if they keep one.
    """
    from recsys.collective import Members
    from recsys.transparency import SigningKey

    signer: SigningKey | None = SigningKey.read(key) if key else None
    left = Members(common.open()).leave(name, at=instant(at), key=signer)
    common.show({**_facts(left.member), "erased": list(left.erased.removed)}, *left.words())


@member.command(name="list")
def list_(*, at: datetime | None = None, common: Common = Common()) -> None:  # noqa: B008 - frozen
    """List the members, having checked the whole book of members.

    Parameters
    ----------
    at
        The instant for which to tell (UTC unless it names a zone); now unless given.
    """
    from recsys.collective import Members

    moment = instant(at)
    roster = list(Members(common.open()).roster().values())
    standing = [one for one in roster if one.standing(moment)]
    rows = [(one.pseudonym[:_SHORT], short(one.joined), one.key.id[:_SHORT]) for one in standing[:_MOST_SHOWN]]
    more = [f"... and {len(standing) - _MOST_SHOWN:,} more; --json lists all"] if len(standing) > _MOST_SHOWN else []
    gone = sum(bool(one.left) for one in roster)
    common.show(
        {"members": [_facts(one) for one in standing], "left": gone},
        table("Members", ("pseudonym", "joined", "key"), rows),
        *more,
        f"{len(standing):,} members; {gone:,} have left",
    )


@member.command
def show(name: str, *, common: Common = Common()) -> None:  # noqa: B008 - frozen
    """Show somebody's membership, what they handed in and how they stand to each purpose.

    Parameters
    ----------
    name
        The member's name.
    """
    from recsys.collective import Members
    from recsys.errors import MembershipError

    home = common.open()
    found = Members(home).of(name)
    if found is None:
        raise MembershipError(f"{name} never joined: recsys member join {shlex.quote(name)}")
    exports = len(home.contributions.exports(found.pseudonym))
    state = f"left {short(found.left)}" if found.left else "a member"
    common.show(
        {**_facts(found), "exports": exports},
        f"{name}: {state}, joined {short(found.joined)}",
        f"pseudonym {found.pseudonym}",
        f"key       {found.key.id}",
        f"exports handed in: {exports}; what they are worth: recsys proof {shlex.quote(name)}",
        f"what they agreed to: recsys consent show {shlex.quote(name)}",
    )


def _facts(one: Member) -> dict[str, Any]:
    return {"member": one.pseudonym, "joined": one.joined, "left": one.left or None, "key": one.key.did}
