"""Licences and grants that stand, ended or were revoked: the book ``licences``, and what its state is told in.

A licence is issued only for a proposal that passed and a bundle whose terms are those that were voted on. It ends with
its term or by revocation, an entry that the operator signs. Somebody who is offline is shown a *status*: the state of
every licence at an instant in the operator's signed word, with the signed head of the book.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from recsys.canonical import canonical_json, parse_json, utc_text
from recsys.collective.book import Book
from recsys.collective.entries import Draft, Entry
from recsys.collective.grants import Grant
from recsys.collective.handed_over import digest_of, licence_for
from recsys.collective.licence import Licence
from recsys.collective.results import approve
from recsys.collective.shown import Shown
from recsys.collective.votes import Votes
from recsys.consent.terms import one_line
from recsys.errors import LicenceInvalidError, LogBrokenError, RecsysError
from recsys.home import Home
from recsys.transparency import Envelope, VerifyKey, sign
from recsys.transparency.statement import PAYLOAD_TYPE
from recsys.verdict import Checks, Verdict

BOOK = "licences"
GRANT_TYPE = "application/vnd.recsys.grant+json"
REVOKED_TYPE = "application/vnd.recsys.revocation+json"
STATUS_TYPE = "application/vnd.recsys.licence-status+json"


@dataclass(frozen=True)
class Standing:
    """Something that was issued, and how it stands.

    Parameters
    ----------
    what
        The licence or grant.
    envelope
        In the operator's signed word.
    revoked
        Why it was revoked; empty if it was not.
    """

    what: Licence | Grant
    envelope: Envelope
    revoked: str = ""

    def state(self, at: datetime) -> str:
        """Tell it in a word: valid, expired or revoked."""
        return "revoked" if self.revoked else "expired" if self.what.ended(at) else "valid"


class Licences:
    """The licences of a collective.

    Parameters
    ----------
    home
        Its folder of state.
    """

    def __init__(self, home: Home) -> None:
        self._home, self._book = home, Book.of(home, BOOK)

    def issue(self, proposal: str, handed_over: Path, *, at: datetime) -> Envelope:
        """Issue the licence for what a passed proposal hands over.

        Parameters
        ----------
        proposal
            Hash of the proposal.
        handed_over
            The bundle; of an aggregate, its file.
        at
            When.

        Raises
        ------
        NotForSaleError
            If the proposal did not pass, or the bundle's terms are not those that were voted on.
        LicenceInvalidError
            If the term is over, or a licence for it stands already.
        """
        approval = approve(self._home, proposal, at)
        asked, key = Votes(self._home).proposals.of(proposal).proposal, self._home.operator.public
        licence = licence_for(asked, approval, key, handed_over, utc_text(at))
        if licence.ended(at):
            raise LicenceInvalidError(f"the term that was voted on ended on {licence.expires}; ask the members again")
        envelope = licence.signed(self._home.operator)

        def write(shown: Shown) -> list[Draft]:
            standing = [
                one for one in _read(shown.about(licence.bundle), self._home.operator.public) if not one.revoked
            ]
            if standing:
                raise LicenceInvalidError(f"a licence for this bundle stands already: {standing[0].what.uid}")
            return [Draft(licence.bundle, envelope)]

        self._book.append(write, at=at)
        return envelope

    def take_grant(self, grant: Grant, *, at: datetime) -> Standing:
        """Record a grant that was made elsewhere; one that stands already is not recorded again.

        Raises
        ------
        LicenceInvalidError
            If it has expired.
        """
        if grant.ended(at):
            raise LicenceInvalidError(f"this grant expired at {grant.expires} (seconds since 1970)")
        envelope = sign(GRANT_TYPE, grant.to_bytes(), self._home.operator)

        def write(shown: Shown) -> list[Draft]:
            return [] if shown.about(grant.uid) else [Draft(grant.uid, envelope)]

        self._book.append(write, at=at)
        return self.find(grant.uid)

    def revoke(self, uid: str, reason: str, *, at: datetime) -> Standing:
        """End a licence or grant before its term.

        Raises
        ------
        LicenceInvalidError
            If there is none of that name, or it was revoked before.
        """
        found = self.find(uid)
        told = {"uid": found.what.uid, "reason": one_line(reason, "the reason"), "at": utc_text(at)}
        envelope = sign(REVOKED_TYPE, canonical_json(told), self._home.operator)
        owner = _owner(found.what)

        def write(shown: Shown) -> list[Draft]:
            now = _read(shown.about(owner), self._home.operator.public)
            if any(one.revoked for one in now if one.what.uid == found.what.uid):
                raise LicenceInvalidError(f"{found.what.uid} was revoked before")
            return [Draft(owner, envelope)]

        self._book.append(write, at=at)
        return self.find(found.what.uid)

    def all(self) -> list[Standing]:
        """Give all licences and grants, the oldest first, having checked the whole book."""
        return _read(self._book.entries(), self._home.operator.public)

    def find(self, name: str) -> Standing:
        """Give a licence or grant by its name, or by the beginning of its last part.

        Raises
        ------
        LicenceInvalidError
            If none is called so, or several are.
        """
        fits = [
            one for one in self.all() if one.what.uid.startswith(name) or one.what.uid.split(":")[-1].startswith(name)
        ]
        if len(fits) != 1:
            raise LicenceInvalidError(f"{len(fits)} licences are called {name!r}; there are: recsys licence list")
        return fits[0]

    def status(self, *, at: datetime) -> Envelope:
        """Say in the operator's signed word how every licence and grant stands at an instant."""
        head = self._book.signed_head()
        states = {one.what.uid: {"state": one.state(at), "revoked": one.revoked} for one in self.all()}
        told = {"at": utc_text(at), "head": head.to_json().decode() if head else "", "licences": states}
        return sign(STATUS_TYPE, canonical_json(told), self._home.operator)


def check(
    licence: bytes,
    key: VerifyKey,
    *,
    at: datetime,
    status: bytes | None = None,
    handed_over: Path | None = None,
) -> Verdict:
    """Check a licence, offline, with the operator's public key.

    Parameters
    ----------
    licence
        Its file.
    key
        The operator's public key.
    at
        The instant at which it must hold.
    status
        A status that the operator signed; without one nobody can tell whether the licence was revoked.
    handed_over
        What the buyer holds: it must be what the licence is for.
    """
    checks, found = Checks(), list[Licence]()

    def signature() -> str:
        found.append(Licence.read(Envelope.from_json(licence), key))
        one = found[0]
        return f"{one.buyer} may use it for {one.purpose!r}, voted on in {one.proposal[:12]}; {one.uid}"

    def term() -> str:
        if found[0].ended(at):
            raise LicenceInvalidError(f"it ended on {found[0].expires}")
        return f"until {found[0].expires}"

    def bundle() -> str:
        if handed_over and digest_of(handed_over, found[0].kind) != found[0].bundle:
            raise LicenceInvalidError(f"{handed_over.name} is not what it is for: another bundle, or changed")
        return f"for the bundle {found[0].bundle}"

    checks.look("signature", signature)
    checks.look("term", term, needs=["signature"])
    checks.look("bundle", bundle, needs=["signature"])
    if status is not None:
        checks.look("not revoked", lambda: _not_revoked(status, key, found[0].uid), needs=["signature"])
    return Verdict("this licence", tuple(checks))


def _not_revoked(status: bytes, key: VerifyKey, uid: str) -> str:
    told: dict[str, Any] = parse_json(Envelope.from_json(status).verify(key, STATUS_TYPE))
    if uid not in told["licences"]:
        raise LicenceInvalidError(f"the status of {told['at'][:16]}Z does not know it")
    one = told["licences"][uid]
    if one["revoked"]:
        raise LicenceInvalidError(f"it was revoked: {one['revoked']}")
    return f"not revoked by {told['at'][:16]}Z"


def _owner(what: Licence | Grant) -> str:
    return what.bundle if isinstance(what, Licence) else what.uid


def _read(entries: list[Entry], operator: VerifyKey) -> list[Standing]:
    """Follow entries: what was issued, and what was revoked afterwards."""
    found: dict[str, Standing] = {}
    for entry in entries:
        envelope = entry.envelope
        try:
            if envelope.payload_type == REVOKED_TYPE:
                told = parse_json(envelope.verify(operator, REVOKED_TYPE))
                one = found[told["uid"]]
                found[told["uid"]] = Standing(one.what, one.envelope, told["reason"])
                continue
            what = _issued(envelope, operator)
        except (RecsysError, ValueError, LookupError, TypeError) as error:
            raise LogBrokenError(f"entry {entry.seq} of {BOOK} is no licence: {error}") from error
        found[what.uid] = Standing(what, envelope)
    return list(found.values())


def _issued(envelope: Envelope, operator: VerifyKey) -> Licence | Grant:
    if envelope.payload_type == PAYLOAD_TYPE:
        return Licence.read(envelope, operator)
    return Grant.from_bytes(envelope.verify(operator, GRANT_TYPE))
