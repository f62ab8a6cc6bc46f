"""A vote that anybody can count again: ``ballots.json``, checked with the operator's public key alone.

::

    format     recsys-ballots/1
    proposal   all fields of the proposal, whose hash every ballot names
    roll       voter id -> weight, and why others who handed ballots in may not vote
    result     the count in the operator's signed word, with the hash of the roll and the signed head of the ballots
    entries    the book of ballots from its first entry to that head: entries of this vote whole, with the opening of
               each ballot; of others the hash of the leaf

The leaves come to the root in the signed head, so not one ballot is missing, moved or edited; each opening fits the
commitment that its voter signed before the close; and the count is made again by the same rules. What nobody can see
from the file is that the roll holds members and nobody else: for that the operator stands.

The file is canonical JSON (RFC 8785), so there is one spelling of it, and any byte that is changed is noticed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from recsys.canonical import canonical_json, parse_json, sha256_hex
from recsys.collective.asked import RESULT_TYPE
from recsys.collective.ballots import BALLOT_TYPE, Ballot, Opening, Refused
from recsys.collective.counting import Roll, Tally, tallied
from recsys.collective.entries import LEAF, Entry, Inclusion
from recsys.collective.proposals import Proposal
from recsys.collective.results import opened
from recsys.collective.votes import BOOK, RECEIPT, Votes
from recsys.errors import BallotRefusedError, ProofInvalidError, ProposalInvalidError
from recsys.home import Home
from recsys.transparency import Envelope, VerifyKey
from recsys.transparency.heads import TreeHead
from recsys.transparency.merkle import Frontier, leaf_hash, read_hash
from recsys.verdict import Checks, Verdict

FORMAT = "recsys-ballots/1"
_TOLD = ("owner", "at", "sealed", "previous")


def publish(home: Home, proposal: str) -> bytes:
    """Give ``ballots.json`` of a vote that was counted.

    Raises
    ------
    ProposalInvalidError
        If there is no such proposal, or it was not counted yet.
    """
    votes = Votes(home)
    asked = votes.proposals.of(proposal)
    if asked.result is None or asked.signed is None:
        raise ProposalInvalidError(
            "this vote was not counted yet, and choices stay secret until it is: recsys vote tally"
        )
    head = _head(asked.result.head, home.operator.public)
    entries = votes.book.entries()[: head.size if head else 0]
    return canonical_json(
        {
            "format": FORMAT,
            "proposal": asked.proposal.as_dict(),
            "roll": asked.result.roll.as_dict(),
            "result": asked.signed.to_json().decode(),
            "entries": [_shown(entry, one, proposal) for entry, one in opened(votes, proposal, entries)],
        }
    )


def _shown(entry: Entry, opening: Opening | None, proposal: str) -> Any:  # noqa: ANN401 - a JSON value
    if parse_json(entry.envelope.payload)["proposal"] != proposal:
        return leaf_hash(entry.leaf).hex()
    told = {name: getattr(entry, name) for name in _TOLD}
    return {**told, "document": entry.text, "opening": asdict(opening) if opening else None}


@dataclass(frozen=True)
class Recount:
    """What checking ``ballots.json`` came to.

    Parameters
    ----------
    verdict
        The checks.
    tally
        The count made again; ``None`` where it could not be.
    """

    verdict: Verdict
    tally: Tally | None


def verify(data: bytes, key: VerifyKey, receipt: bytes | None = None) -> Recount:
    """Check ``ballots.json`` and count again, offline.

    Parameters
    ----------
    data
        The file's bytes.
    key
        The operator's public key.
    receipt
        A voter's receipt: their ballot is looked for.
    """
    found = _File(data, key)
    checks = Checks()
    checks.look("file", found.read)
    checks.look("result", found.result, needs=["file"])
    checks.look("proposal", found.proposed, needs=["result"])
    checks.look("roll", found.rolled, needs=["result"])
    checks.look("log", found.logged, needs=["result"])
    checks.look("openings", found.openings, needs=["proposal", "log"])
    checks.look("count", found.count, needs=["proposal", "roll", "log", "openings"])
    if receipt is not None:
        checks.look("your ballot", lambda: found.mine(receipt), needs=["count"])
    return Recount(Verdict("this vote", tuple(checks)), found.tally)


class _File:
    """A published vote, read and checked a step at a time; each step says what it found."""

    tally: Tally | None = None

    def __init__(self, data: bytes, key: VerifyKey) -> None:
        self._data, self._key = data, key

    def read(self) -> str:
        try:
            told = parse_json(self._data)
            if told["format"] != FORMAT or canonical_json(told) != self._data:
                raise ProofInvalidError(
                    f"it is not in the one spelling of {FORMAT}: it was changed after it was published"
                )
            self._told = told
            self._roll = Roll(dict(**told["roll"]["voters"]), dict(**told["roll"]["excluded"]))
            self._signed = Envelope.from_json(told["result"].encode())
            self._entries = list(_entries(told["entries"]))
            self._leaves = [one if isinstance(one, bytes) else leaf_hash(one[0].leaf) for one in self._entries]
            fields = set(told)
        except (ValueError, TypeError, LookupError, AttributeError) as error:
            raise ProofInvalidError(f"this is no published vote: {error!r:.200}") from error
        if fields != {"format", "proposal", "roll", "result", "entries"} or self._roll.as_dict() != told["roll"]:
            raise ProofInvalidError("this is no published vote: it holds something else, too")
        return f"{len(self._mine)} entries of this vote among {len(self._entries)}"

    @property
    def _mine(self) -> list[tuple[Entry, Opening | None]]:
        return [one for one in self._entries if not isinstance(one, bytes)]

    def result(self) -> str:
        self._result = parse_json(self._signed.verify(self._key, RESULT_TYPE))
        return f"signed by the operator, counted {self._result['at'][:16]}Z"

    def proposed(self) -> str:
        self._proposal = Proposal.from_dict(self._told["proposal"])
        if self._proposal.hash != self._result["proposal"] or self._proposal.as_dict() != self._told["proposal"]:
            raise ProofInvalidError("the result is of another proposal")
        return f"{self._proposal.title!r}, {self._proposal.hash}"

    def rolled(self) -> str:
        if self._roll.hash != self._result["roll"]:
            raise ProofInvalidError("the roll is not the one that the result was counted by")
        return f"{len(self._roll.voters):,} voters, as the operator vouches"

    def logged(self) -> str:
        head = _head(self._result["head"], self._key)
        size = head.size if head else 0
        if size != len(self._leaves) or (head and self._root(size) != head.root):
            raise ProofInvalidError("the entries are not those of the signed head: one was edited, moved or left out")
        return f"all {size:,} entries lead to the root that was signed"

    def _root(self, size: int) -> str:
        return Frontier().grown(self._leaves[:size])[1].root.hex()

    def openings(self) -> str:
        count = 0
        for entry, opening in self._mine:
            if entry.envelope.payload_type != BALLOT_TYPE:
                if opening is not None:
                    raise ProofInvalidError(f"entry {entry.seq} is no ballot and has an opening")
                continue
            ballot = _ballot(entry)
            if opening is None or opening.commitment(ballot.proposal, ballot.voter) != ballot.commitment:
                raise ProofInvalidError(f"the opening of ballot {entry.record[:12]} is not what its voter committed to")
            count += 1
        return f"{count:,} ballots opened as their voters committed to"

    def count(self) -> str:
        self.tally = tallied(self._proposal, self._roll, self._mine, self._key)
        told = self.tally.as_dict()
        told["refused"] = sha256_hex(canonical_json(told["refused"]))
        differing = [name for name, value in told.items() if self._result[name] != value]
        if differing:
            raise ProofInvalidError(
                f"counted again, {differing[0]} is {told[differing[0]]}, not {self._result[differing[0]]}"
            )
        one = self.tally
        return f"{one.yes:,} yes, {one.no:,} no, {one.abstain:,} abstain of {one.eligible:,}: the same, counted again"

    def mine(self, receipt: bytes) -> str:
        proof, opening = read_receipt(receipt)
        head = proof.check(self._key, BOOK)
        entry, ballot = proof.entry, _ballot(proof.entry)
        if (
            ballot.proposal != self._proposal.hash
            or opening.commitment(ballot.proposal, ballot.voter) != ballot.commitment
        ):
            raise ProofInvalidError("the receipt is of another vote, or its opening is not of its ballot")
        if head.size > len(self._leaves) or self._root(head.size) != head.root:
            raise ProofInvalidError("the log is not the one in which your ballot was recorded: history was rewritten")
        own = [one for one, _ in self._mine if one.owner == ballot.voter and one.envelope.payload_type == BALLOT_TYPE]
        if entry.record not in {one.record for one in own}:
            raise ProofInvalidError("your ballot is not in the file")
        back = {
            Refused.read(one.envelope, self._key)[1]
            for one, _ in self._mine
            if one.envelope.payload_type != BALLOT_TYPE
        }
        refused = {one.ballot: one.reason for one in self.tally.refused if one not in back} if self.tally else {}
        if entry.record in refused:
            return f"it is entry {entry.seq:,}, and does not count: {refused[entry.record]}"
        if own[-1].record != entry.record:
            return f"it is entry {entry.seq:,}; you changed it later, by entry {own[-1].seq:,}"
        return f"it is entry {entry.seq:,}, and counts: {opening.choice}"


def read_receipt(data: bytes) -> tuple[Inclusion, Opening]:
    """Read a voter's receipt.

    Raises
    ------
    ProofInvalidError
        If it is none.
    """
    try:
        told = parse_json(data)
        proof, opening = Inclusion.from_dict(told["inclusion"]), Opening(**told["opening"])
        if told["format"] != RECEIPT:
            raise ProofInvalidError(f"this is of the format {told['format']!r:.60}; expected {RECEIPT}")
    except (ValueError, TypeError, LookupError) as error:
        raise ProofInvalidError(f"this is no receipt of a ballot: {error!r:.200}") from error
    return proof, opening


def _entries(told: Sequence[Any]) -> Iterable[bytes | tuple[Entry, Opening | None]]:
    """Read entries: of this vote whole, of others the hashes of their leaves."""
    for seq, one in enumerate(told):
        if isinstance(one, str):
            yield read_hash(one)
        else:
            yield _entry(seq, one)


def _entry(seq: int, told: Mapping[str, Any]) -> tuple[Entry, Opening | None]:
    if set(told) != {*_TOLD, "document", "opening"}:
        raise ValueError(f"entry {seq} has other fields than an entry")
    text = told["document"]
    leaf = {"seq": seq, "record": sha256_hex(text.encode()), **{name: told[name] for name in _TOLD}}
    entry = Entry(**{name: leaf[name] for name in LEAF}, text=text)
    return entry, Opening(**told["opening"]) if told["opening"] is not None else None


def _ballot(entry: Entry) -> Ballot:
    try:
        return Ballot.read(entry.envelope)
    except BallotRefusedError as error:
        raise ProofInvalidError(f"entry {entry.seq}: {error}") from error


def _head(text: str, key: VerifyKey) -> TreeHead | None:
    """Read the signed head of the book of ballots; an empty text is that of an empty book."""
    if not text:
        return None
    head = TreeHead.verified(Envelope.from_json(text.encode()), key)
    if head.log != BOOK:
        raise ProofInvalidError(f"the signed head is of the book of {head.log}; one of {BOOK} was expected")
    return head
