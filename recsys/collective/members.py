"""Who belongs to the collective: joining, leaving, and who was a member at an instant.

A member is a pseudonym with a key. Joining is a document that the key signs, and so is leaving; both stand in the book
``members``. Whoever gives only the public half of a key of their own is entered on the operator's word, in a document
that the operator signs. Leaving ends everything: every consent is withdrawn and what was handed in is erased, before
the membership ends; a leave that was interrupted is finished by leaving again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from recsys.canonical import Pseudonym, canonical_json, parse_json, utc_text
from recsys.collective.book import Book
from recsys.collective.entries import Draft, Entry
from recsys.collective.shown import Shown
from recsys.consent import Decision, Kind, MemberKeys, sign_decision
from recsys.erasure import Erased, erase
from recsys.errors import LogBrokenError, MembershipError, RecsysError
from recsys.home import Home
from recsys.transparency import Envelope, SigningKey, VerifyKey, sign

BOOK = "members"
PAYLOAD_TYPE = "application/vnd.recsys.membership+json"
_JOIN, _LEAVE = "join", "leave"
_FEW = 8


@dataclass(frozen=True)
class Member:
    """A membership.

    Parameters
    ----------
    pseudonym
        Whose, as in the consent ledger and in dataset versions.
    key
        The public half of the key that they sign with.
    joined
        When (UTC text).
    left
        When; empty while they belong.
    """

    pseudonym: Pseudonym
    key: VerifyKey
    joined: str
    left: str = ""

    def standing(self, at: datetime) -> bool:
        """Tell whether they belonged at an instant."""
        return self.joined <= utc_text(at) and (not self.left or utc_text(at) < self.left)

    def throughout(self, start: datetime, end: datetime) -> bool:
        """Tell whether they had joined by `start` and still belonged at `end`."""
        return self.standing(start) and self.standing(end)


@dataclass(frozen=True)
class Left:
    """What leaving came to.

    Parameters
    ----------
    member
        The membership that ended.
    erased
        What was erased.
    """

    member: Member
    erased: Erased

    def words(self) -> list[str]:
        """Say it to who left, a sentence a line."""
        day = f"{self.member.left[:10]} {self.member.left[11:16]} UTC"
        return [
            f"you left on {day}: you agree to nothing any more, and you have no vote and no share in later sales",
            *self.erased.words(),
            "kept: the entries that say when you joined and left, and ballots of votes that had closed before",
        ]


class Members:
    """The members of a collective.

    Parameters
    ----------
    home
        Its folder of state.
    """

    def __init__(self, home: Home) -> None:
        self._home, self._book = home, Book.of(home, BOOK)
        self._kept = MemberKeys(home.path / "keys" / "members")

    def join(self, name: str, *, at: datetime, key: SigningKey | VerifyKey | None = None) -> Member:
        """Let somebody join.

        Parameters
        ----------
        name
            As in the name of their export.
        at
            When.
        key
            Their own key, or its public half; one is made and kept for them unless given.

        Raises
        ------
        MembershipError
            If they belong already, or another key speaks for them in the consent ledger.
        """
        member = self._home.pseudonyms.of(name)
        speaks = self._speaks(member)
        given = key.public if isinstance(key, SigningKey) else key or self._home.ledger.kept_key(member)
        if speaks and speaks != given:
            raise MembershipError(f"{name} agreed with the key {speaks.id[:12]}, which is not this one; join with that")
        return self._joined({member: key}, at)[0]

    def join_many(self, names: Iterable[str], *, at: datetime) -> tuple[Member, ...]:
        """Let many join at once, all or none; keys are made and kept for them."""
        return self._joined({self._home.pseudonyms.of(name): None for name in names}, at)

    def leave(self, name: str, *, at: datetime, key: SigningKey | None = None) -> Left:
        """End a membership: withdraw every consent, erase what was handed in, and say so in the book.

        Raises
        ------
        MembershipError
            If they do not belong.
        """
        member = self.of(name)
        if member is None or member.left:
            raise MembershipError(f"{name} is no member; recsys member list says who is")
        self._withdraw(member.pseudonym, at, key)
        erased = erase(self._home, member.pseudonym, at=at)
        signer = key or self._signer(member)

        def write(shown: Shown) -> list[Draft]:
            now = _folded(member.pseudonym, shown.about(member.pseudonym), self._operator.public)
            if now is None or now.left:
                raise MembershipError(f"{name} has left already")
            return [_draft(_LEAVE, now.pseudonym, now.key, at, signer)]

        self._book.append(write, at=at)
        return Left(Member(member.pseudonym, member.key, member.joined, utc_text(at)), erased)

    def of(self, name: str) -> Member | None:
        """Give somebody's last membership, proved to be the last; ``None`` if they never joined.

        Raises
        ------
        LogBrokenError
            If the book is not what was signed.
        """
        pseudonym = self._home.pseudonyms.of(name)
        return _folded(pseudonym, self._book.about(pseudonym), self._operator.public)

    def some(self, names: Sequence[Pseudonym]) -> Mapping[Pseudonym, Member]:
        """Give the last memberships of these, as far as they ever joined; reads the whole book only for many."""
        if len(names) > _FEW:
            return self.roster()
        found = ((name, self.of(name)) for name in names)
        return {name: member for name, member in found if member}

    def roster(self) -> dict[Pseudonym, Member]:
        """Give everybody's last membership, in the order in which they first joined, having checked the whole book.

        Raises
        ------
        LogBrokenError
            If an entry is not what was signed, or does not follow from those before it.
        """
        entries: dict[Pseudonym, list[Entry]] = {}
        for entry in self._book.entries():
            entries.setdefault(Pseudonym(entry.owner), []).append(entry)
        folded = ((member, _folded(member, own, self._operator.public)) for member, own in entries.items())
        return {pseudonym: member for pseudonym, member in folded if member}

    def key_of(self, member: Pseudonym) -> SigningKey | None:
        """Give the signing key that is kept here for a member, if there is one."""
        return self._kept.of(member) if self._kept.has(member) else None

    def _withdraw(self, member: Pseudonym, at: datetime, key: SigningKey | None) -> None:
        """End every consent: in the member's name where somebody here can sign for them, or else on our own account."""
        ledger = self._home.ledger
        decision = Decision(member, Kind.WITHDRAW, None, at)
        speaks = self._speaks(member)
        if key and speaks == key.public:
            ledger.record_signed([sign_decision(decision, key, self._home.controller).envelope])
        elif speaks:
            kept = ledger.kept_key(member) == speaks
            ledger.record([decision if kept else replace(decision, kind=Kind.REVOKE)])

    def _speaks(self, member: Pseudonym) -> VerifyKey | None:
        """Give the key that speaks for a member in the consent ledger, if anything was ever said."""
        said = [event.key for event in self._home.ledger.history(member) if event.kind != Kind.REVOKE]
        return VerifyKey(bytes.fromhex(said[-1])) if said else None

    @property
    def _operator(self) -> SigningKey:
        return self._home.operator

    def _signer(self, member: Member) -> SigningKey:
        """Give who may sign here that a member leaves: they themselves, or the operator on their word."""
        kept = self.key_of(member.pseudonym)
        return kept if kept and kept.public == member.key else self._operator

    def _joined(
        self, keys: Mapping[Pseudonym, SigningKey | VerifyKey | None], at: datetime
    ) -> tuple[Member, ...]:  # fmt: skip
        self._kept.make_missing([member for member, key in keys.items() if key is None])
        signers = {member: self._kept.of(member) if key is None else key for member, key in keys.items()}

        def write(shown: Shown) -> Iterable[Draft]:
            known = shown.of(keys)
            for member, key in signers.items():
                now = _folded(member, known.get(member, []), self._operator.public)
                if now and not now.left:
                    raise MembershipError(f"{member[:12]} is a member already, since {now.joined[:10]}")
                public = key if isinstance(key, VerifyKey) else key.public
                yield _draft(_JOIN, member, public, at, self._operator if isinstance(key, VerifyKey) else key)

        self._book.append(write, at=at)
        publics = {m: key if isinstance(key, VerifyKey) else key.public for m, key in signers.items()}
        return tuple(Member(member, public, utc_text(at)) for member, public in publics.items())


def _draft(kind: str, member: Pseudonym, key: VerifyKey, at: datetime, signer: SigningKey) -> Draft:
    payload = {"kind": kind, "member": str(member), "key": key.raw.hex(), "at": utc_text(at)}
    return Draft(member, sign(PAYLOAD_TYPE, canonical_json(payload), signer))


def _folded(pseudonym: Pseudonym, entries: Sequence[Entry], operator: VerifyKey) -> Member | None:
    """Follow one member's entries; give the last membership."""
    member: Member | None = None
    for entry in entries:
        try:
            kind, key = _read(entry.envelope, pseudonym, operator)
        except (RecsysError, ValueError, TypeError, LookupError) as error:
            raise LogBrokenError(f"entry {entry.seq} of {BOOK} is no membership: {error}") from error
        if kind == _JOIN and (member is None or member.left):
            member = Member(pseudonym, key, entry.at)
        elif kind == _LEAVE and member and not member.left and key == member.key:
            member = Member(pseudonym, key, member.joined, entry.at)
        else:
            raise LogBrokenError(f"entry {entry.seq} of {BOOK} does not follow from those before it")
    return member


def _read(envelope: Envelope, member: Pseudonym, operator: VerifyKey) -> tuple[str, VerifyKey]:
    """Check one document: the key that it names signed it, or the operator."""
    document = parse_json(envelope.payload)
    key = VerifyKey(bytes.fromhex(document["key"]))
    envelope.expect(PAYLOAD_TYPE)
    if not envelope.by([key, operator]).signatures or document["member"] != member:
        raise MembershipError("neither the member nor the operator signed it")
    return document["kind"], key
