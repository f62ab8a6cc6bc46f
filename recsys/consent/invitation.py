"""An invitation: what a member needs, beside a key of their own, to sign on a machine that we never see."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from recsys.canonical import Pseudonym, canonical_json, parse_json
from recsys.consent.controller import Controller
from recsys.consent.notice import CURRENT, Notice, notice_of
from recsys.errors import RecordInvalidError, RecsysError
from recsys.transparency import VerifyKey

FORMAT = "recsys-invitation/1"


@dataclass(frozen=True)
class Invitation:
    """Who is asked, by whom, and under which notice. It is no secret, but it is for one person.

    Parameters
    ----------
    member
        The code under which the member stands in the records.
    controller
        The collective that asks.
    notice
        What the member is to read first.
    """

    member: Pseudonym
    controller: Controller
    notice: Notice = CURRENT

    def to_json(self) -> bytes:
        """Write it down, with the whole text of the notice."""
        who = {**asdict(self.controller), "key": self.controller.key.did}
        return canonical_json(
            {
                "format": FORMAT,
                "member": str(self.member),
                "collective": who,
                "notice": {"sha256": self.notice.sha256, "text": self.notice.text},
            }
        )

    @classmethod
    def from_json(cls, data: bytes) -> Invitation:
        """Read an invitation.

        Raises
        ------
        RecordInvalidError
            If it is none, or its notice is another text than the one that is known by that SHA-256.
        """
        try:
            told = parse_json(data)
            if told["format"] != FORMAT:
                raise RecordInvalidError(f"this is {str(told['format'])[:60]!r}; expected {FORMAT}")
            who = dict(told["collective"])
            controller = Controller(VerifyKey.from_did(who.pop("key")), **who)
            invitation = cls(Pseudonym.read(told["member"]), controller, notice_of(told["notice"]["sha256"]))
            if invitation.to_json() != canonical_json(told):
                raise RecordInvalidError("it holds another notice, or more than an invitation does")
        except (ValueError, TypeError, LookupError, AttributeError, RecsysError) as error:
            raise RecordInvalidError(
                f"this is no invitation: {str(error)[:200]}; ask for a new one: recsys consent invite"
            ) from error
        return invitation
