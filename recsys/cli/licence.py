"""recsys licence: issue, verify, revoke, list, status, grant, import-grant."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cyclopts import App

from recsys.cli.common import Common, instant, public_key, table
from recsys.cli.values import At, Sale

if TYPE_CHECKING:
    from recsys.collective.licences import Standing

licence = App(name="licence", help="Issue, check and revoke licences for what members agreed to hand over.")
_SHORT = 12


@licence.command
def issue(
    proposal: Sale,
    handed_over: Path,
    *,
    out: Path = Path("licence.json"),
    at: At = None,
    common: Common = Common(),  # noqa: B008 - frozen
) -> None:
    """Issue the licence for a bundle that a passed proposal is about; refused if its terms are not those voted on.

    Parameters
    ----------
    handed_over
        The bundle; of an aggregate, its file.
    out
        Where to write the licence.
    """
    from recsys.canonical import write_atomically
    from recsys.collective import Licence, Licences, Votes

    home = common.open()
    asked = Votes(home).proposals.find(proposal)
    envelope = Licences(home).issue(asked, handed_over, at=instant(at))
    write_atomically(out, envelope.to_json())
    made = Licence.read(envelope, home.operator.public)
    common.show(
        {"uid": made.uid, "path": str(out), **made.as_dict()},
        f"wrote {out}: {made.buyer} may use it for {made.purpose!r} until {made.expires}",
        f"bundle  {made.bundle}",
        f"name    {made.uid}",
    )


@licence.command
def verify(
    file: Path,
    *,
    key: Path | None = None,
    status: Path | None = None,
    bundle: Path | None = None,
    at: datetime | None = None,
    common: Common = Common(),  # noqa: B008 - frozen
) -> int:
    """Check a licence, offline. Without a status nobody can tell whether it was revoked.

    Parameters
    ----------
    file
        The licence.
    key
        The operator's public key (PEM). That of this home unless given, and then its own book is asked for revocations.
    status
        What recsys licence status wrote.
    bundle
        What the buyer holds: it must be what the licence is for.
    at
        The instant for which to tell (UTC unless it names a zone); now unless given.
    """
    from recsys.collective import Licences
    from recsys.collective.licences import check

    moment, public = instant(at), public_key(key)
    told = status.read_bytes() if status else None
    if public is None:
        home = common.open()
        public = home.operator.public
        told = told or Licences(home).status(at=moment).to_json()
    found = check(file.read_bytes(), public, at=moment, status=told, handed_over=bundle)
    unasked = [] if told else ["whether it was revoked, only a status can tell: --status FILE"]
    return common.judge(found, *unasked)


@licence.command
def revoke(name: str, reason: str, *, at: At = None, common: Common = Common()) -> None:  # noqa: B008 - frozen
    """End a licence or grant before its term. It shows in every status and stays in the book for good.

    Parameters
    ----------
    name
        Its name, or the beginning of the name's last part.
    reason
        Why, for the buyer and the members.
    """
    from recsys.collective import Licences

    moment = instant(at)
    found = Licences(common.open()).revoke(name, reason, at=moment)
    common.show(
        _facts(found, moment),
        f"revoked: {found.what.uid}",
        f"reason: {found.revoked}",
        "give buyers the new status: recsys licence status",
    )


@licence.command(name="list")
def list_(*, at: datetime | None = None, common: Common = Common()) -> None:  # noqa: B008 - frozen
    """List licences and grants and how they stand, having checked the whole book.

    Parameters
    ----------
    at
        The instant for which to tell (UTC unless it names a zone); now unless given.
    """
    from recsys.collective import Licence, Licences

    moment = instant(at)
    found = Licences(common.open()).all()
    rows = []
    for one in found:
        what = one.what
        told = (what.buyer, what.expires) if isinstance(what, Licence) else (what.grantee, what.expires or "")
        kind = "licence" if isinstance(what, Licence) else "grant"
        rows.append((what.uid.split(":")[-1][:_SHORT], kind, *told, one.state(moment), one.revoked))
    columns = ("name", "kind", "for", "until", "state", "reason")
    common.show([_facts(one, moment) for one in found], table("Licences and grants", columns, rows))


@licence.command
def status(
    *,
    out: Path = Path("licence-status.json"),
    at: datetime | None = None,
    common: Common = Common(),  # noqa: B008 - frozen
) -> None:
    """Write how every licence stands, in the operator's signed word, for buyers who check offline.

    Parameters
    ----------
    out
        Where to.
    at
        The instant for which to tell (UTC unless it names a zone); now unless given.
    """
    from recsys.canonical import parse_json, write_atomically
    from recsys.collective import Licences

    envelope = Licences(common.open()).status(at=instant(at))
    write_atomically(out, envelope.to_json())
    told = parse_json(envelope.payload)["licences"]
    common.show({"path": str(out), "licences": told}, f"wrote {out}: {len(told)} licences and grants")


@licence.command
def grant(
    name: str,
    *,
    grantee: str,
    files: tuple[int, ...] = (),
    out: Path = Path("grant.json"),
    common: Common = Common(),  # noqa: B008 - frozen
) -> None:
    """Write a licence as a grant file of Vana: grantee, operation, files, parameters, expires.

    Parameters
    ----------
    name
        The licence's name, or the beginning of the name's last part.
    grantee
        Address of the buyer's account: 0x and 40 hex digits.
    files
        Numbers of the files that it covers, in Vana's registry.
    out
        Where to.
    """
    from recsys.canonical import write_atomically
    from recsys.collective import Licence, Licences
    from recsys.errors import LicenceInvalidError

    found = Licences(common.open()).find(name)
    if not isinstance(found.what, Licence) or found.revoked:
        raise LicenceInvalidError(f"{found.what.uid} is no licence that stands")
    made = found.what.grant(grantee, files)
    write_atomically(out, made.to_bytes())
    common.show({"path": str(out), "uid": made.uid}, f"wrote {out}: {made.operation} for {grantee}")


@licence.command(name="import-grant")
def import_grant(file: Path, *, at: At = None, common: Common = Common()) -> None:  # noqa: B008 - frozen
    """Check a grant file of Vana and record it, so that it is listed and can be revoked here.

    Parameters
    ----------
    file
        The grant file.
    """
    from recsys.collective import Grant, Licences

    moment = instant(at)
    found = Licences(common.open()).take_grant(Grant.from_bytes(file.read_bytes()), at=moment)
    common.show(_facts(found, moment), f"recorded: {found.what.uid}, {found.state(moment)}")


def _facts(one: Standing, moment: datetime) -> dict[str, Any]:
    from recsys.collective import Licence

    what = one.what.as_dict() if isinstance(one.what, Licence) else {"grant": one.what.to_bytes().decode()}
    return {"uid": one.what.uid, "state": one.state(moment), "revoked": one.revoked or None, **what}
