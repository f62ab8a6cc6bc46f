"""Two samples side by side: what is in them, what is said of them, and how they do on the same listeners."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from recsys.bundle.names import NameIndex
from recsys.bundle.sample import SampleModel
from recsys.bundle.trying.division import METRICS, Division, listed_by_model, scored
from recsys.bundle.trying.histories import Histories, Matched
from recsys.bundle.trying.trial import told
from recsys.errors import ConfigError
from recsys.evaluation import Comparison, Scores, compare

A, B = "a", "b"


@dataclass(frozen=True)
class Row:
    """One thing that is said of both.

    Attributes
    ----------
    name
        What.
    a, b
        What is said, in words.
    """

    name: str
    a: str
    b: str

    @property
    def differs(self) -> bool:
        """Whether they differ in it."""
        return self.a != self.b


@dataclass(frozen=True, eq=False)
class Paired:
    """How two samples did on the same listeners.

    Attributes
    ----------
    everything
        Scores against all that was hidden, by sample; what a sample does not know is a miss.
    comparisons
        First less second for each metric, against everything; p-values of each stand alone.
    """

    everything: Mapping[str, Scores]
    comparisons: tuple[Comparison, ...]

    @property
    def verdict(self) -> str:
        """What it comes to, in a sentence."""
        first = self.comparisons[0]
        means = " against ".join(f"{self.everything[name][first.metric].mean:.3f}" for name in (A, B))
        n = self.everything[A].n_users
        if not first.significant():
            return f"On your {n:,} listeners no difference can be told from chance: NDCG@100 {means}."
        better = "first" if first.difference.mean > 0 else "second"
        return f"On your {n:,} listeners the {better} is better: NDCG@100 {means}, and chance does not explain it."


@dataclass(frozen=True, eq=False)
class Compared:
    """Two samples side by side.

    Attributes
    ----------
    rows
        What their documents say.
    paired
        How they did on the same listeners, if there were any.
    """

    rows: tuple[Row, ...]
    paired: Paired | None

    def as_dict(self) -> dict[str, Any]:
        """Give it as plain values for JSON."""
        said = {row.name: {"a": row.a, "b": row.b, "differs": row.differs} for row in self.rows}
        if self.paired is None:
            return {"said": said, "on_histories": None}
        found = self.paired
        return {
            "said": said,
            "on_histories": {
                "verdict": found.verdict,
                "everything": {name: scores.as_dict() for name, scores in found.everything.items()},
                "a_less_b": [told(one) for one in found.comparisons],
            },
        }


def compare_samples(a: SampleModel, b: SampleModel, histories: Histories | None = None, *, seed: int = 0) -> Compared:
    """Lay two samples side by side.

    Parameters
    ----------
    a, b
        The samples.
    histories
        A buyer's listeners; both samples are shown the same part of each and must find the same rest.
    seed
        Decides what is hidden.

    Raises
    ------
    ConfigError
        If too few listeners can be tested, or the samples know nothing of what was hidden.
    """
    return Compared(_rows(a, b), None if histories is None else _paired(a, b, histories, seed))


def _paired(a: SampleModel, b: SampleModel, histories: Histories, seed: int) -> Paired:
    indexes = (NameIndex.of(a), NameIndex.of(b))
    merged = _merged(histories, indexes)
    division = Division.of(merged, seed=seed)
    beside = {name: Matched(merged, merged.columns_in(index), {}) for name, index in zip((A, B), indexes, strict=True)}
    if not any(division.n_hidden_among(one.known).any() for one in beside.values()):
        raise ConfigError("neither sample knows an artist of what was hidden; is the column of artists one of names?")
    lists = {
        name: listed_by_model(sample.recommender, division, beside[name], sample.named)
        for name, sample in ((A, a), (B, b))
    }
    everything = {name: scored(one) for name, one in lists.items()}
    pairs = [found for metric in METRICS for found in compare(everything, metric.name, [(A, B)])]
    return Paired(everything, tuple(pairs))


def _merged(histories: Histories, indexes: Sequence[NameIndex]) -> Histories:
    """Merge artists whom either sample takes for one, until both know each of them as one artist at most."""
    merged = histories
    while True:
        before = len(merged.artists)
        for index in indexes:
            merged = merged.matched(index).histories
        if len(merged.artists) == before:
            return merged


def _rows(a: SampleModel, b: SampleModel) -> tuple[Row, ...]:
    shared = len(set(a.named.artists.names) & set(b.named.artists.names))
    both = (*_said(a).items(), ("artists that both have", f"{shared:,}"))
    other = {**_said(b), "artists that both have": f"{shared:,}"}
    return tuple(Row(name, words, other[name]) for name, words in both)


def _said(sample: SampleModel) -> dict[str, str]:
    """Give what a bundle says of itself, each thing in few words."""
    terms, shape = sample.terms, sample.documents["scores"]["shape"]
    evidence, measured = sample.documents["evidence"], sample.documents["scores"]
    figures = {
        metric.name.replace("_at_", "@"): _interval(measured["sample"]["metrics"][metric.name]) for metric in METRICS
    }
    return {
        "bundle": sample.digest[:12],
        "kind": terms.kind,
        "buyer": terms.buyer,
        "purpose": terms.purpose,
        "may be used before": str(terms.expires),
        "price": "none" if terms.price_cents is None else f"{terms.price_cents / 100:,.2f} {terms.currency}",
        "dataset version": sample.manifest.dataset_version[:12],
        "training run": sample.manifest.run[:12],
        "members": f"{evidence['dataset']['counts']['members']:,}",
        "artists": f"{len(sample.named.artists):,} of {shape['artists']['full']:,}",
        "factors": f"{sample.named.model.factors} of {shape['factors']['full']}",
        "precision": str(shape["precision"]),
        "fewest listeners of an artist": str(terms.min_listeners),
        **figures,
        **_privacy(sample.documents["privacy"]),
    }


def _privacy(privacy: Mapping[str, Any]) -> dict[str, str]:
    told = privacy.get("membership")
    if not told:
        return {"membership AUC": "not measured", "members found at 1% false alarms": "not measured"}
    return {
        "membership AUC": _interval(told["auc"]),
        "members found at 1% false alarms": _interval(told["tpr_at_1pct_fpr"]),
    }


def _interval(told: Mapping[str, float]) -> str:
    middle = told["mean"] if "mean" in told else told["value"]
    return f"{middle:.3f} [{told['low']:.3f}, {told['high']:.3f}]"
