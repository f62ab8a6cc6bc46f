"""recsys sample: try, evaluate, compare. What a buyer asks of a bundle; each opens it anew, every check made."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from recsys.cli.common import Common, instant, table

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.table import Table

    from recsys.bundle import SampleModel
    from recsys.bundle.trying import Compared, Figures, Paired, Tasted, Trial
    from recsys.evaluation import Score

_KEY = "** p < 0.01, * p < 0.05: by a paired bootstrap and by Wilcoxon's test, both"


@Parameter(name="*")
@dataclass(frozen=True)
class Trust:
    """What a bundle is checked with.

    Parameters
    ----------
    key
        The seal's public key (PEM), from wherever you trust it; not from whoever sent the bundle along.
    at
        The instant at which the terms must hold (UTC unless it names a zone); now unless given.
    """

    key: Path
    at: datetime | None = None

    def open(self, file: Path) -> SampleModel:
        """Open a bundle, having checked everything about it."""
        from recsys.bundle import open_sample

        return open_sample(file, self.key, at=instant(self.at))


def try_artists(
    file: Path,
    *,
    artists: Annotated[list[str], Parameter(consume_multiple=True)],
    n: Annotated[int, Parameter(name=["-n", "--number"])] = 10,
    trust: Trust,
    common: Common = Common(),  # noqa: B008 - frozen
) -> None:
    """Recommend artists to somebody who likes these, and say why.

    Parameters
    ----------
    file
        The bundle.
    artists
        Names of artists, each in quotes; slips are seen past where it is clear who is meant.
    n
        How many to recommend.
    """
    from recsys.bundle.trying import taste

    tasted = taste(trust.open(file), artists, n)
    common.show(tasted.as_dict(), *_tasted(tasted))


def evaluate(
    file: Path,
    *,
    histories: Path,
    correct_slips: Annotated[bool, Parameter(negative="")] = False,
    seed: int = 0,
    trust: Trust,
    common: Common = Common(),  # noqa: B008 - frozen
) -> None:
    """Test a bundle on your own listeners, beside lists of what is popular. Nothing of them is kept.

    Parameters
    ----------
    file
        The bundle.
    histories
        Parquet or CSV file with a column user or user_id, one of artists' names (artist or artist_name) and, if you
        have it, plays.
    correct_slips
        Take a name that is one letter away from one artist alone for that artist.
    seed
        Decides which part of each listener's artists is hidden.
    """
    from recsys.bundle.trying import read_histories, try_on

    sample = trust.open(file)
    with common.bar("testing") as bar:
        trial = try_on(sample, read_histories(histories), correct=correct_slips, seed=seed, progress=bar)
    common.show(trial.as_dict(), *_trial(trial))


def compare(
    a: Path,
    b: Path,
    *,
    key_b: Path | None = None,
    histories: Path | None = None,
    seed: int = 0,
    trust: Trust,
    common: Common = Common(),  # noqa: B008 - frozen
) -> None:
    """Lay two bundles side by side: what is in them, what is said of them, how they do on your own listeners.

    Parameters
    ----------
    a, b
        The bundles.
    key_b
        The public key of the second one's seal, if it is another.
    histories
        Your own listeners, as for recsys sample evaluate.
    seed
        Decides which part of each listener's artists is hidden.
    """
    from recsys.bundle.trying import compare_samples, read_histories

    second = Trust(key_b or trust.key, trust.at).open(b)
    listeners = read_histories(histories) if histories else None
    compared = compare_samples(trust.open(a), second, listeners, seed=seed)
    common.show(compared.as_dict(), *_compared(compared, *((a.name, b.name) if a.name != b.name else (str(a), str(b)))))


def _tasted(tasted: Tasted) -> list[str | Table]:
    taken = [f"{one.asked} -> {one.name}" for one in tasted.taken if one.column is not None and one.asked != one.name]
    liked = dict.fromkeys(one.name for one in tasted.taken if one.column is not None)
    rows = [
        (place, one.artist, f"{one.score:.3f}", ", ".join(f"{name} {part:.3f}" for name, part in one.why))
        for place, one in enumerate(tasted.recommended, 1)
    ]
    return [
        *([f"taken for: {'; '.join(taken)}"] if taken else []),
        *(
            f"not known: {name}" + (f" (like it: {', '.join(near)})" if near else "")
            for name, near in tasted.unknown.items()
        ),
        table(f"For somebody who likes {', '.join(liked)}", ("", "artist", "score", "because of"), rows),
    ]


def _trial(trial: Trial) -> list[str | Table]:
    found = trial.overlap
    told = [f"{name} -> {artist}" for name, artist in list(found.corrected.items())[:5]]
    return [
        f"listeners  {found.tested:,} of {found.listeners:,} tested: those with two artists or more",
        f"artists    {found.known_artists:,} of your {found.artists:,} are among the bundle's {found.bundle_artists:,}",
        f"hidden     {found.hidden:,} artists to be found, of which the bundle knows {found.hidden_known:,}",
        *([f"blind      {found.blind:,} listeners of whom it knows nothing: they get no list"] if found.blind else []),
        *([f"corrected  {len(found.corrected):,} names, such as {'; '.join(told)}"] if told else []),
        "",
        _figures("Everything that was hidden; what the bundle does not know is a miss", trial.everything),
        "",
        _figures("Only artists that the bundle knows", trial.known),
        "",
        f"95% intervals over listeners; less: mean difference. {_KEY}, corrected by Holm",
        f"coverage@20 {trial.catalogue['coverage_at_20']:.1%} of the bundle's artists stand in somebody's list",
        "",
        trial.verdict,
    ]


def _figures(title: str, figures: Figures) -> Table:
    from recsys.bundle.trying import TITLES

    ours = next(iter(figures.scores.values()))
    stars = {(one.other, one.metric): one.stars for one in figures.comparisons}
    others = [name for name in figures.scores if figures.scores[name] is not ours]
    rows = [
        (
            name.replace("_at_", "@"),
            *(_interval(scores[name]) for scores in figures.scores.values()),
            *(
                f"{ours.difference(figures.scores[other])[name].mean:+.3f} {stars.get((other, name), ''):<2}"
                for other in others
            ),
        )
        for name in ours
    ]
    heads = ("metric", *TITLES.values(), "less bundle's", "less yours")
    return table(f"{title}: {ours.n_users:,} listeners", heads, rows, numbers=5)


def _compared(compared: Compared, a: str, b: str) -> list[str | Table]:
    rows = [(row.name, row.a, row.b, "differs" if row.differs else "") for row in compared.rows]
    laid: list[str | Table] = [table("What is said of them", ("", a, b, ""), rows)]
    return [*laid, *_paired(compared.paired, a, b)] if compared.paired else laid


def _paired(paired: Paired, a: str, b: str) -> Iterable[str | Table]:
    rows = [
        (
            one.metric.replace("_at_", "@"),
            *(_interval(scores[one.metric]) for scores in paired.everything.values()),
            f"{_interval(one.difference, '+')} {one.stars:<2}",
        )
        for one in paired.comparisons
    ]
    yield ""
    yield table(
        "On your listeners; what a bundle does not know is a miss",
        ("metric", a, b, "difference"),
        rows,
        numbers=3,
    )
    yield f"95% intervals over listeners. {_KEY}"
    yield paired.verdict


def _interval(score: Score, sign: str = "") -> str:
    return f"{score.mean:{sign}.3f} [{score.low:{sign}.3f}, {score.high:{sign}.3f}]"
