"""recsys vote: tally, verify, approve, audit."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from recsys.cli.common import Common, instant, public_key, table
from recsys.cli.exits import UNSOUND
from recsys.cli.values import At, Sale

if TYPE_CHECKING:
    from recsys.collective import Proposal
    from recsys.collective.ballots import Refused
    from recsys.collective.counting import Tally

_MOST_SHOWN = 20
_SHORT = 12


def tally(
    proposal: Sale,
    *,
    out: Path | None = None,
    at: At = None,
    common: Common = Common(),  # noqa: B008 - frozen
) -> None:
    """Count a vote that has closed, record the signed result, and publish the ballots for anybody to count again.

    Parameters
    ----------
    out
        Write the published ballots here, for recsys vote verify.
    """
    from recsys.canonical import write_atomically
    from recsys.collective import Votes, publish
    from recsys.collective import tally as count

    home = common.open()
    asked = Votes(home).proposals.of(Votes(home).proposals.find(proposal)).proposal
    found = count(home, asked.hash, instant(at))
    if out:
        write_atomically(out, publish(home, asked.hash))
    common.show(
        found.as_dict(),
        *counted(found, asked),
        *([f"anybody can count again: recsys vote verify {out} --key PUBLIC.pem"] if out else []),
    )


def verify(
    ballots: Path, *, key: Path | None = None, mine: Path | None = None, common: Common = Common()  # noqa: B008 - frozen
) -> int:  # fmt: skip
    """Count published ballots again, offline, from the file and the operator's public key alone.

    Parameters
    ----------
    ballots
        The file that recsys vote tally wrote.
    key
        The operator's public key (PEM); that of this home unless given.
    mine
        A voter's receipt: their ballot is looked for.
    """
    from recsys.collective import verify as recount

    public = public_key(key) or common.open().operator.public
    found = recount(ballots.read_bytes(), public, mine.read_bytes() if mine else None)
    counted = found.tally.as_dict() if found.tally else None
    common.show({**found.verdict.as_dict(), "tally": counted}, *found.verdict.words())
    return 0 if found.verdict.sound else UNSOUND


def approve(
    proposal: Sale,
    *,
    out: Path = Path("approval.json"),
    at: At = None,
    common: Common = Common(),  # noqa: B008 - frozen
) -> None:
    """Write the signed approval of a proposal that passed, which a sale must show: recsys sample pack --approval.

    Parameters
    ----------
    out
        Where to.
    """
    from recsys.canonical import write_atomically
    from recsys.collective import Votes
    from recsys.collective import approve as sign

    home = common.open()
    asked = Votes(home).proposals.of(Votes(home).proposals.find(proposal)).proposal
    envelope = sign(home, asked.hash, instant(at))
    write_atomically(out, envelope.to_json())
    common.show(
        {"path": str(out), "proposal": asked.hash, "expires": asked.expires.isoformat()},
        f"wrote {out}: {asked.buyer} may have it for {asked.purpose!r} until {asked.expires}",
    )


def audit(*, common: Common = Common()) -> int:  # noqa: B008 - frozen
    """Check everything that members decided: every book, every head that was ever signed, every count again."""
    from recsys.collective import check_decisions

    found = check_decisions(common.open())
    return common.judge(found)


def counted(one: Tally, asked: Proposal) -> list[Any]:
    """Say a count to people."""
    rows = [("yes", one.yes), ("no", one.no), ("abstain", one.abstain), ("eligible", one.eligible)]
    word = "passed" if one.passed else "did not pass"
    turnout = f"turnout {float(one.turnout):.1%} (quorum {float(asked.quorum):.1%})"
    favour = f"{float(one.in_favour):.1%} yes of yes and no (threshold {float(asked.threshold):.1%})"
    return [
        table(asked.title, ("", "votes"), rows, numbers=1),
        f"{word}: {turnout}, {favour}",
        *_refusals(one.refused),
    ]


def _refusals(refused: tuple[Refused, ...]) -> list[Any]:
    if not refused:
        return ["no ballot was refused"]
    rows = [(one.ballot[:_SHORT], one.voter[:_SHORT], one.reason) for one in refused[:_MOST_SHOWN]]
    more = [f"... and {len(refused) - _MOST_SHOWN:,} more; --json lists all"] if len(refused) > _MOST_SHOWN else []
    return [table("Ballots that do not count", ("ballot", "voter", "reason"), rows), *more]
