"""How the facts of a bundle are put into words; every sentence is filled from the facts alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from recsys.bundle.facts import BundleFacts
from recsys.dataset.card import people

NAMES = {
    "ndcg_at_100": "NDCG@100",
    "recall_at_20": "Recall@20",
    "recall_at_50": "Recall@50",
    "map_at_20": "MAP@20",
    "mrr_at_20": "MRR@20",
    "hit_rate_at_20": "Hit rate@20",
}
COLUMNS = {"sample": "this bundle", "full": "full model", "popularity": "popularity"}
_SPECIAL = str.maketrans({char: f"\\{char}" for char in "\\`*_[]<>|#"})


def plain(text: str) -> str:
    """Write somebody's own words so that Markdown reads nothing else in them."""
    return " ".join(text.split()).translate(_SPECIAL)


def code(text: object) -> str:
    """Write a setting so that Markdown reads nothing in it."""
    told = " ".join(str(text).split()).replace("`", "'").replace("|", "\\|")
    return f"`{told}`" if told else ""


def kind(facts: BundleFacts) -> str:
    """Say what is in the bundle: a sample, or the full model."""
    return "sample model" if facts.kind == "sample" else "full model"


def title(facts: BundleFacts) -> str:
    """Say what the bundle is called."""
    whose = facts.dataset.collective
    return f"{kind(facts).capitalize()} of {plain(whose.name) if whose.stated('name') else 'a collective of listeners'}"


def summary(facts: BundleFacts) -> list[str]:
    """Say in a few sentences what this is."""
    made_up = (
        ["The members do not exist: this is a bundle for trying things."] if facts.dataset.collective.made_up else []
    )
    return [
        *made_up,
        "It recommends artists to people who name some that they like, as members of a collective listen to them.",
        (
            f"It is implicit-feedback matrix factorization: {facts.factors} numbers ({facts.dtype}) for each of "
            f"{facts.n_artists:,} artists. No row in it is a member's."
        ),
        (
            f"Made for {plain(facts.buyer)} from training run `{facts.run}` and dataset version "
            f"`{facts.dataset.digest}`, packed {facts.packed_at[:10]}."
        ),
    ]


def figure(found: Mapping[str, float]) -> str:
    """Write a mean or value with its interval."""
    mean = found["mean"] if "mean" in found else found["value"]
    return f"{mean:.3f} [{found['low']:.3f}, {found['high']:.3f}]"


def metric(name: str) -> str:
    """Say what a metric is called in papers."""
    return NAMES.get(name, name)


def scored(facts: BundleFacts) -> dict[str, Mapping[str, Any]]:
    """Give what was scored that is known, by its name in a table."""
    return {COLUMNS[who]: facts.scores[who] for who in COLUMNS if who in facts.scores}


def weaker(facts: BundleFacts) -> list[str]:
    """Say by how much a sample is weaker than the full model."""
    if facts.kind != "sample":
        return []
    lost = [f"{metric(name)} {figure(found)}" for name, found in facts.scores.get("weaker", {}).items()]
    told = f"What it lost against the full model, on the same listeners: {', '.join(lost)}." if lost else ""
    return ["A sample is weaker than the full model on purpose.", *([told] if told else [])]


def how_measured(facts: BundleFacts) -> str:
    """Say on whom the figures were measured."""
    found = facts.scores["sample"]
    return (
        f"Measured on {people(found['n_users'])} listeners whom the model was not trained on: a part of each history "
        f"is shown, the rest is to be found among all other artists. In brackets {found['confidence']:.0%} intervals "
        f"({found['n_bootstrap']:,} resamples of listeners)."
    )


def consent(facts: BundleFacts) -> list[str]:
    """Say what stands behind the claim that members agreed."""
    evidence, dataset = facts.evidence, facts.dataset
    agreement = evidence.get("agreement") or {}
    told = [f"Every history behind this model was given by a member who agreed to this purpose: {dataset.purpose}."]
    if agreement:
        told.append(
            f"Of {people(agreement['members'])} members in the version, {people(agreement['agree'])} had agreed on "
            f"{agreement['asked_at'][:10]} that a model made with their data is shared with "
            f"{plain(agreement['recipient'])}. A bundle is packed only if all have."
        )
    ledger = (evidence.get("ledger") or {}).get("at_build") or dataset.manifest.ledger
    if ledger:
        told.append(
            f"Their answers stand in an append-only log of {ledger['count']:,} signed entries; its head was "
            f"`{ledger['hash']}` when the version was built. `evidence.json` holds the head that the collective signed."
        )
    return [*told, "No name and no pseudonym of a member is in this bundle."]


def privacy(facts: BundleFacts) -> list[str]:
    """Say what the model was found to tell about its members."""
    found = facts.privacy
    pairs = found["shared_pairs"]
    told = [
        *_membership(found["membership"], facts.terms.get("limits") or {}),
        f"Every artist in it has {found['fewest_listeners']:,} or more listeners among the members it was trained on.",
        (
            f"Behind every pair of artists whose likeness is shared stand {pairs['fewest']:,} members or more; "
            f"{pairs['unique']:.1%} of the pairs have one alone."
            if facts.neighbours
            else "No pairs of artists are shared, and no row of anybody."
        ),
    ]
    known = [
        f"{share:.0%} of the members by {number} artists"
        for number, share in found["members_singled_out_in_the_data"].items()
        if share is not None
    ]
    if known:
        told.append(
            "Why rows stay with the collective: artists drawn at random from a member's history tell the member from "
            f"all others there, {', '.join(known)}. This is about those data, not about the model."
        )
    return told


def _membership(found: Mapping[str, Any] | None, limits: Mapping[str, float | None]) -> list[str]:
    if not found:
        return ["Nobody was held out, so it is not known how well members are told from strangers."]
    return [
        (
            "Who knows a person's whole history can try to tell whether the person was a member, by asking for each "
            f"artist in turn as if it were missing. Tried on {people(found['members'])} members and "
            f"{people(found['held_out'])} others, this tells a member from another with an AUC of "
            f"{figure(found['auc'])} (0.5 is chance, 1 is certainty), and recognises a share of "
            f"{figure(found['tpr_at_1pct_fpr'])} of the members where 1% of others are taken for members."
        ),
        *_limits(limits),
        (
            f"By these figures the model leaks at least epsilon = {found['epsilon_at_least']:.2f} in the sense of "
            "differential privacy; it was not trained with a guarantee, and other attacks may show more."
        ),
    ]


def _limits(limits: Mapping[str, float | None]) -> list[str]:
    names = {"max_membership_auc": "AUC", "max_tpr_at_1pct_fpr": "share recognised"}
    told = [f"{name} {limits[key]}" for key, name in names.items() if limits.get(key) is not None]
    if not told:
        return ["The terms set no limit to that."]
    return [
        f"Beyond these limits, which the intervals must not reach, it would not have been packed: {', '.join(told)}."
    ]


def use(facts: BundleFacts) -> list[str]:
    """Say what the terms allow."""
    terms = facts.terms
    price = terms.get("price_cents")
    cost = f"Price: {price // 100:,}.{price % 100:02d} {terms.get('currency', '')}." if price is not None else ""
    return [
        f"Who may use it: {plain(facts.buyer)}, and nobody else.",
        f"What for: {plain(str(terms['purpose']))}.",
        f"Until: {terms['expires']}; from that day on it may not be used.",
        *([cost.replace(" .", ".")] if cost else []),
        "In full in `terms.json` (ODRL).",
    ]


def not_for() -> list[str]:
    """Say what it must not be used for."""
    return [
        "To find out who somebody is, or whether somebody was a member.",
        "To judge people: for credit, insurance, work or the like.",
        "To hand it on. Each copy bears a mark of its buyer that changes no recommendation.",
    ]


def bullets(lines: Iterable[str]) -> str:
    """Write a Markdown list."""
    return "\n".join(f"- {line}" for line in lines)
