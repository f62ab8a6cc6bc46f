"""The acts of the story, in their order: each gives what it found."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from fractions import Fraction

from recsys import synthetic
from recsys.bundle import SealKey, Terms, open_sample, pack
from recsys.canonical import write_atomically
from recsys.collective import (
    Licence,
    Licences,
    Members,
    Proposal,
    Split,
    Vote,
    Votes,
    approve,
    publish,
    same_listeners,
    tally,
)
from recsys.consent import Decision, Kind, admit, default_until
from recsys.dataset import build_next
from recsys.experiment import retrain, run
from recsys.listens import ingest
from recsys.payouts import money, paid, pay, payments_csv, plan
from recsys.replay.cast import BUYER, DAYS, PRICE_CENTS
from recsys.replay.stage import Facts, Stage
from recsys.transparency import Envelope

_PURPOSE, _SHARING = "train-recommender", "share-with-buyer"


def contribute(stage: Stage, _: Facts) -> Facts:
    """Hand in exports."""
    world = stage.home.path / "world"
    synthetic.make_collective(world, members=stage.members, seed=stage.seed, progress=stage.step("making exports"))
    told = ingest(
        world / "exports", stage.home.contributions, stage.home.pseudonyms, progress=stage.step("reading exports")
    )
    return {"contributed": told.members, "broken": len(told.broken), "rows": told.rows.rows_read}


def join(stage: Stage, _: Facts) -> Facts:
    """Let those join whose export could be read, and answer two questions, each on its own."""
    home, cast = stage.home, stage.cast
    stage.keys.make_missing({home.pseudonyms.of(name) for name in cast.members})
    known = Members(home).roster()
    Members(home).join_many([name for name in cast.members if home.pseudonyms.of(name) not in known], at=DAYS.joined)
    until = default_until(DAYS.agreed)
    training = [Decision(name, Kind.GRANT, _PURPOSE, DAYS.agreed, until) for name in cast.members]
    sharing = [Decision(name, Kind.GRANT, _SHARING, DAYS.agreed, until, BUYER) for name in cast.sharing]
    head = home.ledger.record([*training, *sharing])
    return {"joined": len(cast.members), "sharing": len(sharing), "consents": head.count}


def train(stage: Stage, _: Facts) -> Facts:
    """Train a model on the listening of those who let the buyer use one, and test it on some of them, held out."""
    home = stage.home
    admitted = admit(home.contributions, home.ledger, _SHARING, DAYS.trained, recipient=BUYER)
    artists = home.artists.preferences(at=DAYS.trained, policy=home.collective.artist_policy)
    building = stage.step("building the version")
    version, _new = build_next(home.datasets, admitted, artists=artists, collective=home.collective, progress=building)
    training = stage.step("training")
    experiment = replace(stage.experiment, version=version.digest)
    outcome = run(experiment, home, progress=lambda done, total, loss: training(done, total, f"loss {loss:.6g}"))
    return {
        "version": version.digest,
        "counts": dict(version.manifest.counts),
        "run": outcome.run_id,
        "ndcg": outcome.scores["ndcg_at_100"].mean,
        "popularity_ndcg": outcome.popularity["ndcg_at_100"].mean,
    }


def sample(stage: Stage, facts: Facts) -> Facts:
    """Pack a sample, which the buyer looks at before anything is paid."""
    factors = stage.experiment.estimator().factors // 2
    terms = Terms(
        kind="sample",
        buyer=BUYER,
        purpose="judge the model before buying it",
        expires=DAYS.closes.date(),
        factors=factors,
        artists=1_000,
        limits=stage.limits,
    )
    return {**_packed(stage, facts, terms, "sample", at=DAYS.trained), "sample_factors": factors}


def propose(stage: Stage, facts: Facts) -> Facts:
    """Put the sale to the vote."""
    home = stage.home
    proposal = Proposal(
        title="Sell our model of artist preferences",
        buyer=BUYER,
        purpose="recommend music",
        kind="full",
        run=facts["run"],
        price_cents=PRICE_CENTS,
        split=Split(rules={"equal": Fraction(1, 2), "points": Fraction(1, 2)}),
        term_days=365,
        opens=DAYS.opens,
        closes=DAYS.closes,
        quorum=Fraction(1, 2),
        threshold=Fraction(2, 3),
    )
    proposals = Votes(home).proposals
    if proposal.hash not in {asked.proposal.hash for asked in proposals.all()}:
        proposals.propose(proposal, at=DAYS.opens)
    return {"proposal": proposal.hash, "title": proposal.title}


def vote(stage: Stage, facts: Facts) -> Facts:
    """Let every member vote who wants to, count, and publish the ballots."""
    home, name = stage.home, facts["proposal"]
    same = same_listeners(home.proofs, progress=stage.step("comparing accounts"))
    votes = [Vote(member, choice) for member, choice in stage.cast.choices.items()]
    Votes(home).cast_many(name, votes, at=DAYS.voted, same=same)
    count = tally(home, name, DAYS.closes, same=same)
    write_atomically(stage.out / "ballots.json", publish(home, name))
    counts = {name: getattr(count, name) for name in ("yes", "no", "abstain", "eligible")}
    return {**counts, "passed": count.passed, "ballots_refused": len(count.refused)}


def sell(stage: Stage, facts: Facts) -> Facts:
    """Pack what was voted on, license it, and open it as the buyer does."""
    home, name = stage.home, facts["proposal"]
    terms = Votes(home).proposals.of(name).proposal.terms(limits=stage.limits)
    found = _packed(stage, facts, terms, "model", at=DAYS.packed, approval=approve(home, name, DAYS.packed))
    licences = Licences(home)
    standing = {one.what.bundle: one.envelope for one in licences.all() if isinstance(one.what, Licence)}
    licence = standing.get(found["model"]) or licences.issue(name, stage.out / "model.recsys", at=DAYS.packed)
    write_atomically(stage.out / "licence.json", licence.to_json())
    return found


def _packed(
    stage: Stage, facts: Facts, terms: Terms, name: str, *, at: datetime, approval: Envelope | None = None
) -> Facts:
    home, out = stage.home, stage.out / f"{name}.recsys"
    packing = stage.step(f"packing the {name}")
    packed = pack(home, facts["run"], terms, out, at=at, approval=approval, progress=packing)
    key = SealKey.at(home.seal_key).public
    write_atomically(stage.out / "seal.pub", key.pem)
    write_atomically(stage.out / "collective.pub", home.operator.public.pem.encode())
    bought = open_sample(out, key, at=at)
    auc = packed.privacy["membership"]["auc"]
    return {name: bought.digest, f"{name}_auc": auc, f"{name}_artists": len(bought.named.artists)}


def settle(stage: Stage, facts: Facts) -> Facts:
    """Divide the price among those whose listening is in the model, to the cent, and record it once."""
    home, name = stage.home, facts["proposal"]
    sale = paid(home, name)
    if sale is None:
        division = plan(home, name, at=DAYS.paid, progress=stage.step("weighing members"))
        sale = pay(home, name, division, at=DAYS.paid)
    payments, currency = sale.division.payments, sale.division.currency
    write_atomically(stage.out / "payouts.csv", payments_csv(payments, currency))
    cents = sorted(one.cents for one in payments)
    return {
        "payees": len(cents),
        "cents": sum(cents),
        "smallest": money(cents[0], currency),
        "median": money(cents[len(cents) // 2], currency),
        "largest": money(cents[-1], currency),
    }


def leave(stage: Stage, facts: Facts) -> Facts:
    """Let one member leave: their data are erased, and the model is made again as if they had never come."""
    home, leaver = stage.home, stage.cast.leaver
    member = Members(home).of(leaver)
    if member and not member.left:
        Members(home).leave(leaver, at=DAYS.left)
    training = stage.step("training without them")
    again = retrain(
        home,
        facts["run"],
        [leaver],
        at=DAYS.left,
        building=stage.step("building the next version"),
        training=lambda done, total, loss: training(done, total, f"loss {loss:.6g}"),
    )
    write_atomically(stage.out / "erasure-receipt.json", again.files[0].read_bytes())
    return {
        "leaver": home.pseudonyms.of(leaver),
        "run_after": again.outcome.run_id,
        "version_after": again.outcome.version,
        "ndcg_after": again.outcome.scores["ndcg_at_100"].mean,
    }
