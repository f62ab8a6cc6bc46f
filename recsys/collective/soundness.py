"""Everything that members decided, checked from end to end: every book, every head ever signed, every count again."""

from __future__ import annotations

from collections.abc import Callable

from recsys.collective import asked, licences, members, votes
from recsys.collective.book import Book
from recsys.collective.published import publish, verify
from recsys.errors import ProofInvalidError
from recsys.home import Home
from recsys.verdict import Checks, Verdict


def check_decisions(home: Home) -> Verdict:
    """Check the books of a collective and count its votes again.

    Parameters
    ----------
    home
        Its folder of state.
    """
    checks = Checks()
    for name in (members.BOOK, asked.BOOK, votes.BOOK, licences.BOOK):
        checks.look(f"book of {name}", _whole(home, name))
    checks.look("members", lambda: _members(home), needs=[f"book of {members.BOOK}"])
    whole = checks.look("proposals", lambda: _proposals(home), needs=[f"book of {asked.BOOK}"])
    for one in asked.Proposals(home).all() if whole else ():
        if one.result:
            checks.look(f"vote {one.proposal.hash[:12]}", _recount(home, one.proposal.hash), needs=["proposals"])
    checks.look("licences", lambda: _licences(home), needs=[f"book of {licences.BOOK}"])
    return Verdict("what members decided", tuple(checks))


def _whole(home: Home, name: str) -> Callable[[], str]:
    return lambda: f"{len(Book.of(home, name).entries(heads=True)):,} entries, none changed, left out or cut off"


def _members(home: Home) -> str:
    roster = members.Members(home).roster().values()
    return f"{sum(not one.left for one in roster):,} belong, {sum(bool(one.left) for one in roster):,} left, all signed"


def _proposals(home: Home) -> str:
    found = asked.Proposals(home).all()
    return f"{len(found):,}, of which {sum(one.result is not None for one in found):,} were counted"


def _recount(home: Home, proposal: str) -> Callable[[], str]:
    def look() -> str:
        found = verify(publish(home, proposal), home.operator.public)
        if not found.verdict.sound or found.tally is None:
            raise ProofInvalidError(f"it does not count again: {', '.join(found.verdict.failed)}")
        one = found.tally
        word = "passed" if one.passed else "did not pass"
        return f"{word} with {one.yes:,} yes, {one.no:,} no, {one.abstain:,} abstain of {one.eligible:,}: counted again"

    return look


def _licences(home: Home) -> str:
    found = licences.Licences(home).all()
    return f"{len(found):,} licences and grants, {sum(bool(one.revoked) for one in found):,} revoked"
