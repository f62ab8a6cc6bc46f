"""A sample tested on a buyer's own listeners, beside two lists that cost nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from recsys.bundle.names import NameIndex
from recsys.bundle.sample import SampleModel
from recsys.bundle.trying.division import METRICS, Division, listed_by_fame, listed_by_model, scored
from recsys.bundle.trying.histories import Histories, Matched
from recsys.errors import ConfigError
from recsys.evaluation import Comparison, Lists, Scores, catalogue, compare

SAMPLE, BUNDLE, OWN = "sample", "popularity_in_bundle", "popularity_among_own"
TITLES: Mapping[str, str] = MappingProxyType(
    {SAMPLE: "the sample", BUNDLE: "popularity in the bundle", OWN: "popularity among your listeners"}
)
"""The three that are tested, in words."""

_COVERAGE_AT = 20
_FEW = 100  # listeners: below, intervals are too wide to decide by


@dataclass(frozen=True)
class Overlap:
    """How far a bundle knows what a buyer's listeners listen to.

    Attributes
    ----------
    listeners, tested
        In the file, and those with two artists or more, who are tested.
    blind
        Of these, listeners of whom nothing that the bundle knows was shown.
    artists, known_artists
        In the file, and those that the bundle knows.
    bundle_artists
        In the bundle.
    counted
        Whether the file says how often.
    pairs_known, plays_known
        Share of the (listener, artist) pairs, and of the plays, that are about artists whom the bundle knows.
    hidden, hidden_known
        Artists that were to be found, added up over the listeners, and those among them that the bundle knows.
    corrected
        Names in which a slip was seen past, each with the artist that it was taken for.
    """

    listeners: int
    tested: int
    blind: int
    artists: int
    known_artists: int
    bundle_artists: int
    counted: bool
    pairs_known: float
    plays_known: float
    hidden: int
    hidden_known: int
    corrected: Mapping[str, str]


@dataclass(frozen=True, eq=False)
class Figures:
    """What the three reached against the same targets.

    Attributes
    ----------
    scores
        By name: :data:`SAMPLE`, :data:`BUNDLE`, :data:`OWN`.
    comparisons
        The sample with each of the others, metric by metric; p-values corrected for the number of others.
    """

    scores: Mapping[str, Scores]
    comparisons: tuple[Comparison, ...]

    @classmethod
    def of(cls, scores: Mapping[str, Scores]) -> Figures:
        """Compare the sample with the others."""
        pairs = [(SAMPLE, other) for other in scores if other != SAMPLE]
        return cls(scores, tuple(one for metric in METRICS for one in compare(scores, metric.name, pairs)))

    def by(self, metric: str) -> tuple[Comparison, ...]:
        """Give the comparisons by one metric."""
        return tuple(one for one in self.comparisons if one.metric == metric)

    def as_dict(self) -> dict[str, Any]:
        """Give them as plain values for JSON."""
        return {
            **{name: scores.as_dict() for name, scores in self.scores.items()},
            "sample_less_the_others": [told(one) for one in self.comparisons],
        }


@dataclass(frozen=True, eq=False)
class Trial:
    """How a sample did on a buyer's listeners.

    Attributes
    ----------
    overlap
        What the bundle knows of them.
    everything
        Figures against all that was hidden; what the bundle does not know is a miss.
    known
        Figures against what the bundle knows, over listeners who have such targets; the others list only such, too.
    catalogue
        ``coverage_at_20`` and ``gini_at_20`` of the sample's lists over its own artists.
    seed
        Decided what was hidden.
    """

    overlap: Overlap
    everything: Figures
    known: Figures
    catalogue: Mapping[str, float]
    seed: int

    @property
    def verdict(self) -> str:
        """What it comes to, in plain sentences."""
        return " ".join([_standing(self.everything), _reach(self), *_caution(self.overlap)])

    def as_dict(self) -> dict[str, Any]:
        """Give it as plain values for JSON."""
        return {
            "verdict": self.verdict,
            "overlap": asdict(self.overlap),
            "everything": self.everything.as_dict(),
            "known": self.known.as_dict(),
            "catalogue": dict(self.catalogue),
            "seed": self.seed,
        }


def try_on(
    sample: SampleModel,
    histories: Histories,
    *,
    index: NameIndex | None = None,
    correct: bool = False,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Trial:
    """Test a sample on listeners who are strangers to it.

    A drawn 80% of each listener's artists is folded in, the rest is to be found (Liang et al., WWW 2018, section 4.1).

    Parameters
    ----------
    sample
        The sample.
    histories
        The buyer's listeners; nothing of them is kept.
    index
        The sample's names, if they were indexed already.
    correct
        Take names that are a slip away from one artist alone for that artist.
    seed
        Decides what is hidden.
    progress
        Called after each of the lists with (done, total).

    Raises
    ------
    ConfigError
        If too few listeners can be tested, or the bundle knows nothing of what was hidden.
    """
    named = sample.named
    matched = histories.matched(index or NameIndex.of(sample), correct=correct)
    division = Division.of(matched.histories, seed=seed)
    n_known = division.n_hidden_among(matched.known)
    if not n_known.any():
        raise ConfigError(
            f"the bundle knows {int(matched.known.sum()):,} of the {len(histories.artists):,} artists in the file, and "
            "none that could be tested; is the column of artists one of names? (recsys sample try looks for a name)"
        )
    steps: list[tuple[str, Callable[[], Lists]]] = [
        (SAMPLE, lambda: listed_by_model(named.recommender, division, matched, named)),
        (BUNDLE, lambda: listed_by_model(sample.popularity, division, matched, named, blindly=True)),
        (OWN, lambda: listed_by_fame(division, np.ones_like(matched.known))),
        ("own_known", lambda: listed_by_fame(division, matched.known)),
    ]
    lists = {}
    for done, (name, step) in enumerate(steps, 1):
        lists[name] = step()
        if progress:
            progress(done, len(steps))
    known = {SAMPLE: lists[SAMPLE], BUNDLE: lists[BUNDLE], OWN: lists["own_known"]}
    return Trial(
        _overlap(matched, division, lists[SAMPLE]),
        Figures.of({name: scored(lists[name]) for name in TITLES}),
        Figures.of({name: scored(one, n_known) for name, one in known.items()}),
        catalogue(lists[SAMPLE], _COVERAGE_AT),
        seed,
    )


def told(one: Comparison) -> dict[str, Any]:
    """Give a comparison as plain values for JSON."""
    return {
        "than": one.other,
        "metric": one.metric,
        **{name: getattr(one.difference, name) for name in ("mean", "low", "high")},
        "p_bootstrap": one.p_bootstrap,
        "p_wilcoxon": one.p_wilcoxon,
        "significant": one.significant(),
    }


def _overlap(matched: Matched, division: Division, lists: Lists) -> Overlap:
    plays = matched.histories.plays
    of_known = matched.known[plays.indices]
    return Overlap(
        listeners=plays.shape[0],
        tested=len(division.users),
        blind=int((np.diff(lists.fold_in.indptr) == 0).sum()),
        artists=len(matched.histories.artists),
        known_artists=int(matched.known.sum()),
        bundle_artists=lists.n_items,
        counted=matched.histories.counted,
        pairs_known=float(of_known.mean()),
        plays_known=float(plays.data[of_known].sum(dtype=np.float64) / plays.data.sum(dtype=np.float64)),
        hidden=int(division.n_hidden.sum()),
        hidden_known=int(division.n_hidden_among(matched.known).sum()),
        corrected=matched.corrected,
    )


def _standing(figures: Figures) -> str:
    name = METRICS[0].name
    found = figures.by(name)
    better = [one for one in found if one.significant() and one.difference.mean > 0]
    worse = [one for one in found if one.significant() and one.difference.mean < 0]
    seen = " and ".join(f"{figures.scores[one.other][name].mean:.3f} ({TITLES[one.other]})" for one in found)
    against = f"NDCG@100 is {figures.scores[SAMPLE][name].mean:.3f}, against {seen}."
    if len(better) == len(found):
        return f"The sample finds more of what your listeners listen to than lists of what is popular: {against}"
    if worse:
        return f"The sample is worse than {' and than '.join(TITLES[one.other] for one in worse)}: {against}"
    if better:
        others = [TITLES[one.other] for one in found if one not in better]
        return f"The sample is better than {TITLES[better[0].other]}, and no better than {others[0]}: {against}"
    return f"No difference to lists of what is popular can be told from chance: {against}"


def _reach(trial: Trial) -> str:
    found, lost = trial.overlap, 1 - trial.overlap.hidden_known / trial.overlap.hidden
    plays = f"{found.plays_known:.0%} of the plays" if found.counted else f"{found.pairs_known:.0%} of the lines"
    return (
        f"It knows {found.known_artists:,} of the {found.artists:,} artists in your file, which are {plays}; "
        f"{lost:.0%} of what was to be found it could not have found at all. {_within(trial.known)}"
    )


def _within(figures: Figures) -> str:
    name = METRICS[0].name
    ours, *others = (figures.scores[one][name].mean for one in TITLES)
    better = [one for one in figures.by(name) if one.significant() and one.difference.mean > 0]
    standing = ("no better than either list", "better than one of the lists", "better than both lists")[len(better)]
    return f"Among artists that it knows it is {standing}: {ours:.3f} against {others[0]:.3f} and {others[1]:.3f}."


def _caution(overlap: Overlap) -> list[str]:
    if overlap.tested >= _FEW:
        return []
    return [f"These are {overlap.tested} listeners: too few to decide by, take some hundred."]
