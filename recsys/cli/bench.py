"""recsys bench: als, topk, foldin, scaling, evaluation, ablation, cold, ingest, frauds, ledger."""

from __future__ import annotations

from cyclopts import App

from recsys.cli.bench_options import Drawn, Saved, Trial
from recsys.cli.common import Common
from recsys.cli.values import Names, Numbers

bench = App(name="bench", help="Measure speed and memory beside the peers, on this machine, in one run.")
bench.command("recsys.cli.bench_worth:ablation", name="ablation", help="Tell what each addition to plain ALS is worth.")
bench.command("recsys.cli.bench_pages:pages", name="pages", help="Ask the sample's pages over real connections.")
bench.command(
    "recsys.cli.bench_worth:cold", name="cold", help="Tell what tags are worth for artists without listeners."
)
bench.command(
    "recsys.cli.bench_worth:valuation", name="valuation", help="Tell how far contribution values can be trusted."
)


@bench.command
def als(
    *,
    shape: str = "S",
    factors: Numbers = (64, 128, 256),
    against: Names = ("implicit",),
    sweeps: int = 15,
    trial: Trial = Trial(),  # noqa: B008 - frozen
    common: Common = Common(),  # noqa: B008 - frozen
) -> None:
    """Train everybody on one matrix in turn: time per sweep, time to equal loss, memory, distance to the floor.

    Parameters
    ----------
    shape
        S (10k x 20k, 1M pairs), W (7k x 34k, 0.4M), M (358k x 160k, 17.4M), L (571k x 41k, 33.6M), or a Parquet file
        with columns user, artist, plays.
    factors
        Sizes of model, with commas.
    against
        Of implicit, irspack, cmfrec, with commas; the loss to reach is the one that the first of them ends with.
    sweeps
        Full sweeps in a run.
    """
    from recsys.bench.als import run

    trial.play(common, run, shape, factors, against, sweeps=sweeps)


@bench.command
def topk(
    *,
    shape: str = "S",
    factors: Numbers = (64, 128),
    places: int = 100,
    trial: Trial = Trial(),  # noqa: B008 - frozen
    common: Common = Common(),  # noqa: B008 - frozen
) -> None:
    """Time the best artists of all users, known ones left out, beside implicit's recommend.

    Parameters
    ----------
    shape, factors
        As in recsys bench als.
    places
        Length of a list.
    """
    from recsys.bench.serving import topk as run

    trial.play(common, run, shape, factors, places=places)


@bench.command
def foldin(
    *,
    shape: str = "S",
    factors: Numbers = (64, 128),
    members: int = 10_000,
    trial: Trial = Trial(),  # noqa: B008 - frozen
    common: Common = Common(),  # noqa: B008 - frozen
) -> None:
    """Time the factors of new members, beside implicit's recalculate_user.

    Parameters
    ----------
    shape, factors
        As in recsys bench als.
    members
        How many new members.
    """
    from recsys.bench.serving import foldin as run

    trial.play(common, run, shape, factors, members=members)


@bench.command
def scaling(
    *,
    pairs: Numbers = (1_000_000, 4_000_000, 16_000_000, 33_600_000),
    factors: int = 128,
    sweeps: int = 5,
    trial: Trial = Trial(),  # noqa: B008 - frozen
    common: Common = Common(),  # noqa: B008 - frozen
) -> None:
    """Time a sweep at several sizes of one collective: the cost of a stored pair should not grow.

    Parameters
    ----------
    pairs
        Numbers of stored pairs, with commas.
    factors
        Size of model.
    sweeps
        Full sweeps in a run.
    """
    from recsys.bench.scaling import run

    trial.play(common, run, pairs, factors, sweeps=sweeps)


@bench.command
def evaluation(
    *,
    shape: str = "M",
    factors: int = 128,
    users: int = 100_000,
    trial: Trial = Trial(),  # noqa: B008 - frozen
    common: Common = Common(),  # noqa: B008 - frozen
) -> None:
    """Time the evaluation of a model on many held-out users, beside the product of factors that it needs.

    Parameters
    ----------
    shape
        As in recsys bench als.
    factors
        Size of model.
    users
        How many are held out.
    """
    from recsys.bench.evaluation import run

    trial.play(common, run, shape, factors, users=users)


@bench.command
def ingest(
    *,
    exports: int = 60,
    plays_a_year: int = 6_000,
    trial: Trial = Trial(),  # noqa: B008 - frozen
    common: Common = Common(),  # noqa: B008 - frozen
) -> None:
    """Take in made-up exports, beside inflating them and throwing them away, and beside a json + pandas loop.

    Parameters
    ----------
    exports
        How many zips, of every layout, spanning 1 to 7 years each.
    plays_a_year
        How much the median member listens.
    """
    from recsys.bench.ingest import run

    trial.play(common, run, exports, plays_a_year)


@bench.command
def frauds(
    *,
    members: int = 2_000,
    drawn: Drawn = Drawn(),  # noqa: B008 - frozen
    common: Common = Common(),  # noqa: B008 - frozen
) -> None:
    """Plant frauds in a made-up pool, and count which are found and which honest members are accused.

    Parameters
    ----------
    members
        Size of the pool; a hundredth of it is planted of each kind.
    """
    from recsys.bench.frauds import run

    drawn.play(common, run, members)


@bench.command
def ledger(
    *,
    events: int = 100_000,
    url: str | None = None,
    saved: Saved = Saved(),  # noqa: B008 - frozen
    common: Common = Common(),  # noqa: B008 - frozen
) -> None:
    """Fill a consent ledger and time it: decisions taken in, proofs, a replay to a past instant, the whole check.

    Parameters
    ----------
    events
        How many decisions.
    url
        An empty PostgreSQL database; a SQLite file in a temporary folder unless given.
    """
    from recsys.bench.ledger import run

    saved.play(common, run, events, url=url)
