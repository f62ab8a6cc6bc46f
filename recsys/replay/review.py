"""What is left when the story is over, looked at as a stranger would: by the papers and the books alone."""

from __future__ import annotations

import csv
from collections.abc import Callable
from datetime import datetime

from recsys.audit import audit
from recsys.bundle import SealPublic, check
from recsys.canonical import Pseudonym
from recsys.collective import Book, Licences, Members, check_decisions, licences, verify
from recsys.erasure import refuse_withdrawn
from recsys.errors import PayoutError, RecsysError, VersionWithdrawnError
from recsys.payouts import book, check_payouts, money, sale_of
from recsys.replay.cast import DAYS, PRICE_CENTS
from recsys.replay.stage import Facts, Stage
from recsys.transparency.heads import TreeHead
from recsys.verdict import Checks, Verdict

BOOKS = ("members", "proposals", "ballots", "licences", "payouts")


def review(stage: Stage, facts: Facts) -> Verdict:
    """Check the whole story, from the consents to the cents.

    Parameters
    ----------
    stage
        Where it was played.
    facts
        What was noted.
    """
    checks = Checks()
    looks: tuple[tuple[str, Callable[[Stage, Facts], str]], ...] = (
        ("consents", _consents),
        *((f"book of {name}", lambda stage, _, name=name: _book(stage, name)) for name in BOOKS),
        ("decisions", lambda stage, _: _sound(check_decisions(stage.home))),
        ("votes", _votes),
        ("sample", lambda stage, _: _bundle(stage, "sample", DAYS.trained)),
        ("model", lambda stage, _: _bundle(stage, "model", DAYS.packed)),
        ("licence", _licence),
        ("payouts", _payouts),
        ("paid once", _paid_once),
        ("who left", _left),
        ("version that held them", _withdrawn),
        ("model without them", _again),
    )
    for name, look in looks:
        checks.look(name, lambda look=look: look(stage, facts))  # type: ignore[misc] # bound at once
    return Verdict("the story", tuple(checks))


def _sound(verdict: Verdict) -> str:
    """Say that every check of a verdict holds, or which does not."""
    if not verdict.sound:
        raise RecsysError("; ".join(f"{one.name}: {one.words}" for one in verdict.checks if not one.holds))
    return f"{len(verdict.checks)} checks hold: {', '.join(one.name for one in verdict.checks)}"


def _consents(stage: Stage, _: Facts) -> str:
    head = stage.home.ledger.verify()
    return f"{head.count:,} entries, every member's signature and every signed head"


def _book(stage: Stage, name: str) -> str:
    envelope = Book.of(stage.home, name).scan(lambda _: None, heads=True)
    if envelope is None:
        raise RecsysError("nothing was ever written in it")
    head = TreeHead.verified(envelope, stage.home.operator.public)
    return f"{head.size:,} entries under the root {head.root[:12]}"


def _votes(stage: Stage, facts: Facts) -> str:
    recount = verify((stage.out / "ballots.json").read_bytes(), stage.home.operator.public)
    _sound(recount.verdict)
    if recount.tally is None or (recount.tally.yes, recount.tally.no) != (facts["yes"], facts["no"]):
        raise RecsysError("the count of ballots.json is not what was told")
    share = float(recount.tally.in_favour)
    return f"counted again from ballots.json: {facts['yes']:,} yes, {facts['no']:,} no, {share:.1%} in favour"


def _bundle(stage: Stage, name: str, at: datetime) -> str:
    key = SealPublic.load(stage.out / "seal.pub")
    return _sound(check(stage.out / f"{name}.recsys", key, at=at, operator=stage.home.operator.public))


def _licence(stage: Stage, _: Facts) -> str:
    verdict = licences.check(
        (stage.out / "licence.json").read_bytes(),
        stage.home.operator.public,
        at=DAYS.audited,
        status=Licences(stage.home).status(at=DAYS.audited).to_json(),
        handed_over=stage.out / "model.recsys",
    )
    return _sound(verdict)


def _payouts(stage: Stage, facts: Facts) -> str:
    _sound(check_payouts(stage.home))
    with (stage.out / "payouts.csv").open(newline="", encoding="utf-8") as file:
        written = {row["payee"]: int(row["cents"]) for row in csv.DictReader(file)}
    division = sale_of(stage.home, facts["proposal"]).division
    if written != {one.payee: one.cents for one in division.payments} or sum(written.values()) != PRICE_CENTS:
        raise RecsysError(f"payouts.csv comes to {sum(written.values()):,} cents and is not what the book says")
    return f"{money(PRICE_CENTS, division.currency)} to {len(written):,} members, to the cent, as the book says"


def _paid_once(stage: Stage, facts: Facts) -> str:
    sale = sale_of(stage.home, facts["proposal"])
    try:
        book(stage.home, sale.division, at=DAYS.audited)
    except PayoutError as refusal:
        return f"paying again is refused: {refusal}"
    raise RecsysError("the sale could be paid twice")


def _left(stage: Stage, facts: Facts) -> str:
    home, name = stage.home, Pseudonym(facts["leaver"])
    member = Members(home).of(name)
    if member is None or not member.left or name in home.contributions.members:
        raise RecsysError("who left is a member still, or what they handed in is there still")
    if name in home.datasets.members(facts["version_after"]):
        raise RecsysError("who left is in the next version")
    return f"no member since {member.left[:10]}; what they handed in is gone, and the next version is without them"


def _withdrawn(stage: Stage, facts: Facts) -> str:
    try:
        refuse_withdrawn(stage.home, facts["version"])
    except VersionWithdrawnError as refusal:
        return f"refused from now on: {refusal}"
    raise RecsysError("the version that held who left can still be used")


def _again(stage: Stage, facts: Facts) -> str:
    return _sound(audit(stage.home, facts["run_after"]))
