"""Proposals that were put to the vote, and what became of them: the book ``proposals``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from recsys.canonical import Pseudonym, canonical_json, parse_json, sha256_hex, utc_text
from recsys.collective.ballots import Refused
from recsys.collective.book import Book
from recsys.collective.counting import Roll, Tally
from recsys.collective.entries import Draft, Entry
from recsys.collective.proposals import STATED_WEIGHTS, Proposal
from recsys.collective.shown import Shown
from recsys.errors import LogBrokenError, ProposalInvalidError, RecsysError
from recsys.home import Home
from recsys.transparency import Envelope, VerifyKey, sign

BOOK = "proposals"
PROPOSAL_TYPE = "application/vnd.recsys.proposal+json"
RESULT_TYPE = "application/vnd.recsys.vote-result+json"

Weights = Mapping[Pseudonym, int]


@dataclass(frozen=True)
class Result:
    """A vote that is closed.

    Parameters
    ----------
    tally, roll
        The count, and who could vote.
    head
        Signed head of the book of ballots, up to which was counted; empty if nobody ever voted.
    at
        When it was counted (UTC text).
    """

    tally: Tally
    roll: Roll
    head: str
    at: str

    def told(self) -> dict[str, Any]:
        """Give what the operator signs: the count, and hashes of the roll and of the list of refusals."""
        told = self.tally.as_dict()
        refused = sha256_hex(canonical_json(told["refused"]))
        return {**told, "refused": refused, "roll": self.roll.hash, "head": self.head, "at": self.at}

    def kept(self) -> bytes:
        """Give what those hashes are of, for the book to keep."""
        return canonical_json({"roll": self.roll.as_dict(), "refused": self.tally.as_dict()["refused"]})

    @classmethod
    def read(cls, told: Mapping[str, Any], kept: Mapping[str, Any]) -> Result:
        """Read it back from both.

        Raises
        ------
        ProposalInvalidError
            If they do not fit together.
        """
        refused = tuple(Refused(**one) for one in kept["refused"])
        counts = {name: told[name] for name in ("proposal", "yes", "no", "abstain", "eligible", "passed")}
        result = cls(Tally(**counts, refused=refused), Roll(**kept["roll"]), told["head"], told["at"])
        if result.told() != dict(told):
            raise ProposalInvalidError("the result of a vote is not what was signed")
        return result


@dataclass(frozen=True)
class Asked:
    """A proposal that was put to the vote.

    Parameters
    ----------
    proposal
        What was proposed.
    weights
        The stated weights; none if each member has one vote.
    result
        What it came to, once it was counted.
    signed
        The result in the operator's signed word.
    """

    proposal: Proposal
    weights: Weights = field(default_factory=dict)
    result: Result | None = None
    signed: Envelope | None = None

    def state(self, at: datetime) -> str:
        """Tell it in a word: to come, open, closed (and not counted), passed or failed."""
        if self.result:
            return "passed" if self.result.tally.passed else "failed"
        if at < self.proposal.opens:
            return "to come"
        return "open" if at < self.proposal.closes else "closed"


class Proposals:
    """The proposals of a collective.

    Parameters
    ----------
    home
        Its folder of state.
    """

    def __init__(self, home: Home) -> None:
        self._home, self._book = home, Book.of(home, BOOK)

    def propose(self, proposal: Proposal, *, at: datetime, weights: Mapping[str, int] | None = None) -> Proposal:
        """Put a proposal to the vote.

        Parameters
        ----------
        proposal
            What is proposed.
        at
            When; voting opens then or later.
        weights
            The stated weights by name or pseudonym, if the proposal has them.

        Raises
        ------
        ProposalInvalidError
            If voting would have opened before, the proposal stands already, or the weights are not those it names.
        """
        if proposal.opens < at:
            raise ProposalInvalidError(
                f"voting would open {utc_text(proposal.opens)[:16]}Z, before it is proposed; let it open later"
            )
        kept = weights_bytes(self._home, weights) if weights is not None else b""
        if (sha256_hex(kept) if kept else None) != proposal.weights:
            raise ProposalInvalidError("the weights are not those whose SHA-256 the proposal names")
        envelope = sign(PROPOSAL_TYPE, canonical_json(proposal.as_dict()), self._home.operator)

        def write(shown: Shown) -> list[Draft]:
            if shown.about(proposal.hash):
                raise ProposalInvalidError(f"the proposal {proposal.hash[:12]} stands already: recsys vote show")
            return [Draft(proposal.hash, envelope, kept)]

        self._book.append(write, at=at)
        return proposal

    def conclude(self, result: Result, *, at: datetime) -> None:
        """Record the result of a vote, unless somebody else just did."""
        envelope = sign(RESULT_TYPE, canonical_json(result.told()), self._home.operator)

        def write(shown: Shown) -> list[Draft]:
            asked = _read(shown.about(result.tally.proposal), self._home.operator.public)
            return [] if asked.result else [Draft(result.tally.proposal, envelope, result.kept())]

        self._book.append(write, at=at)

    def find(self, name: str) -> str:
        """Give a proposal's hash from the beginning of it.

        Raises
        ------
        ProposalInvalidError
            If none begins so, or several do.
        """
        found = sorted({entry.owner for entry in self._book.entries() if entry.owner.startswith(name)})
        if len(found) == 1:
            return found[0]
        words = f"{len(found)} proposals begin with {name!r}" if found else f"no proposal begins with {name!r}"
        raise ProposalInvalidError(f"{words}; the proposals there are: recsys vote list")

    def of(self, proposal_hash: str) -> Asked:
        """Give a proposal that was put to the vote.

        Raises
        ------
        ProposalInvalidError
            If there is none of that hash.
        """
        return _read(self._book.about(proposal_hash), self._home.operator.public)

    def all(self) -> list[Asked]:
        """Give every proposal, the oldest first."""
        entries: dict[str, list[Entry]] = {}
        for entry in self._book.entries():
            entries.setdefault(entry.owner, []).append(entry)
        return [_read(own, self._home.operator.public) for own in entries.values()]


def read_weights(path: Path) -> dict[str, int]:
    """Read stated weights: a JSON object of whole numbers by member.

    Raises
    ------
    ProposalInvalidError
        If it is none.
    """
    try:
        told = parse_json(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ProposalInvalidError(f"{path} cannot be read as weights: {error}") from error
    if not isinstance(told, dict):
        raise ProposalInvalidError(f"{path.name} holds no object of weights by member")
    return told


def weights_bytes(home: Home, weights: Mapping[str, int]) -> bytes:
    """Write weights as they are hashed: canonical JSON of whole numbers by pseudonym.

    Raises
    ------
    ProposalInvalidError
        If one is no whole number, 0 or more.
    """
    for name, weight in weights.items():
        if type(weight) is not int or weight < 0:
            raise ProposalInvalidError(f"the weight of {name} is {weight!r}; a weight is a whole number, 0 or more")
    return canonical_json({str(home.pseudonyms.of(_pseudonym(name))): weight for name, weight in weights.items()})


def _pseudonym(name: str) -> str:
    try:
        return Pseudonym.read(name)
    except ValueError:
        return name


def _read(entries: Sequence[Entry], operator: VerifyKey) -> Asked:
    """Read what the book says of one proposal: itself, and its result if there is one."""
    if not entries:
        raise ProposalInvalidError("there is no such proposal: recsys vote list")
    try:
        proposal = Proposal.from_dict(parse_json(entries[0].envelope.verify(operator, PROPOSAL_TYPE)))
        weights = {Pseudonym(one): weight for one, weight in parse_json(entries[0].secret or b"{}").items()}
        if proposal.hash != entries[0].owner or (proposal.weighting == STATED_WEIGHTS) != bool(entries[0].secret):
            raise ProposalInvalidError("it is recorded under another hash")
        if len(entries) == 1:
            return Asked(proposal, weights)
        signed = entries[1].envelope
        result = Result.read(parse_json(signed.verify(operator, RESULT_TYPE)), parse_json(entries[1].secret))
    except (RecsysError, ValueError, TypeError, LookupError, AttributeError) as error:
        raise LogBrokenError(f"the book of {BOOK} holds what is no proposal: {error}") from error
    return Asked(proposal, weights, result, signed)
