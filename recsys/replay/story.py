"""The whole story: the acts in their order, each once; then the papers are looked at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from recsys.canonical import canonical_json, write_atomically
from recsys.payouts import money
from recsys.replay import acts
from recsys.replay.cast import BUYER, PRICE_CENTS
from recsys.replay.review import review
from recsys.replay.stage import Facts, Stage
from recsys.verdict import Verdict

ACTS: tuple[Callable[[Stage, Facts], Facts], ...] = (
    acts.contribute,
    acts.join,
    acts.train,
    acts.sample,
    acts.propose,
    acts.vote,
    acts.sell,
    acts.settle,
    acts.leave,
)
_DONE = "acts"


@dataclass(frozen=True)
class Told:
    """The story as it was told.

    Attributes
    ----------
    facts
        What the acts found.
    verdict
        What a stranger finds when it is over.
    """

    facts: Facts
    verdict: Verdict

    def words(self) -> list[str]:
        """Tell it, a sentence a line."""
        return words(self.facts)


def tell(stage: Stage) -> Told:
    """Play what was not played yet, review everything, and write ``audit.json`` and ``audit.md``.

    Raises
    ------
    ConfigError
        If the folder holds something else.
    """
    facts = stage.open()
    for act in ACTS:
        done = facts.get(_DONE, [])
        if act.__name__ not in done:
            facts = {**facts, **act(stage, facts), _DONE: [*done, act.__name__]}
            stage.note(facts)
    verdict = review(stage, facts)
    write_atomically(stage.out / "audit.json", canonical_json(verdict.as_dict()))
    write_atomically(stage.out / "audit.md", _paper(facts, verdict).encode())
    return Told(facts, verdict)


def words(facts: Facts) -> list[str]:
    """Tell the story, a sentence a line."""
    counts, price = facts["counts"], money(PRICE_CENTS, "USD")
    cast = facts["yes"] + facts["no"] + facts["abstain"]
    return [
        (
            f"{facts['contributed']:,} people handed in their listening ({facts['rows']:,} rows); "
            f"{facts['broken']:,} exports were broken."
        ),
        (
            f"{facts['joined']:,} joined, each with a key. All let the collective train on their listening; "
            f"{facts['sharing']:,} let {BUYER} use a model made with it."
        ),
        (
            f"A model was trained on just these: {counts['artists']:,} artists, {counts['pairs']:,} preferences. On "
            f"listeners it never saw NDCG@100 is {facts['ndcg']:.3f}; popularity has {facts['popularity_ndcg']:.3f}."
        ),
        (
            f"The buyer was given a sample, {facts['sample_artists']:,} artists in {facts['sample_factors']} factors, "
            f"and offered {price}."
        ),
        (
            f"{cast:,} of {facts['eligible']:,} voted: {facts['yes']:,} yes, {facts['no']:,} no "
            f"({facts['yes'] / max(cast, 1):.1%} yes). It passed."
        ),
        f"The model was packed ({facts['model'][:12]}), sealed, licensed for a year, and bought.",
        (
            f"{price} went to {facts['payees']:,} members: {facts['smallest']} to {facts['largest']}, "
            f"{facts['median']} in the middle, {facts['cents']:,} cents in all."
        ),
        (
            "One of them left. What they handed in was erased, and the model was made again as if they had never come "
            f"(NDCG@100 {facts['ndcg_after']:.3f})."
        ),
    ]


def _paper(facts: Facts, verdict: Verdict) -> str:
    lines = "\n".join(f"{place}. {line}" for place, line in enumerate(words(facts), start=1))
    rows = "\n".join(f"| {one.name} | {'holds' if one.holds else 'FAILS'} | {one.words} |" for one in verdict.checks)
    whole = "Every check holds." if verdict.sound else f"Not everything holds: {', '.join(verdict.failed)}."
    return (
        "# The story of a sale\n\nNobody in it exists; every signature, ballot, file and cent is real.\n\n"
        f"{lines}\n\n# What a stranger finds\n\n{whole}\n\n| what | | found |\n|---|---|---|\n{rows}\n"
    )
