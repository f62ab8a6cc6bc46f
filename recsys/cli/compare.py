"""recsys compare."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from recsys.cli.common import Common, mlflow_ui, notes, settings, table
from recsys.cli.values import Names, Seconds

if TYPE_CHECKING:
    from rich.table import Table

    from recsys.comparison import Entry
    from recsys.evaluation import Comparison
    from recsys.experiment.contest import Outcome
    from recsys.experiment.stated import Stated

_KEY = (
    "behind: mean difference to the first by the first metric; ** p < 0.01, * p < 0.05, by a paired bootstrap and by "
    "Wilcoxon's test, both corrected by Holm"
)
_DEFAULT = (
    *("als", "als+items", "implicit-als", *(("irspack-ials",) if find_spec("irspack") else ()), "ease"),
    *("itemknn-cosine", "itemknn-tfidf", "itemknn-bm25", "popularity", "random"),
)


def compare(
    *,
    data: Path,
    models: Names = _DEFAULT,
    budget: Seconds = 600.0,
    protocol: Literal["users", "time", "items"] = "users",
    held_out: float = 0.1,
    test: Path | None = None,
    negatives: Path | None = None,
    top_items: int | None = None,
    min_listeners: int = 1,
    seed: int = 0,
    workers: int = 1,
    beside: Path | None = None,
    save: Path | None = None,
    common: Common = Common(),  # noqa: B008 - frozen
) -> None:
    """Tune models alike on one file of interactions, test each once on held-out listeners, tell which is better.

    Parameters
    ----------
    data
        Parquet or CSV file with columns user or user_id; artist, artist_id, item, item_id or track; optionally plays.
    models
        Of als, als+items, implicit-als, irspack-ials (where irspack is installed), implicit-bpr, implicit-lmf, ease,
        itemknn-cosine, itemknn-tfidf, itemknn-bm25, popularity and random, with commas.
    budget
        Time for finding settings, shared alike: 90s, 20m, 1h30m. Loading, the last training and testing come on top,
        and each model's first settings are tried to their end, however long that takes.
    protocol
        users: whole listeners are held out. time: trained on the past, tested on the future (needs a column time).
        items: one item of each listener is left out, which flatters every model.
    held_out
        Share of the listeners (by time: of the listens) to test on, and as many again to choose settings by; 1 or more
        is their number.
    test
        File of the pairs to find, with the same columns: train and test as somebody else divided them, for comparison
        with their figures. Settings are chosen within the other file.
    negatives
        File of what is ranked beside each listener's pairs of the test file (columns user, and item or a list
        negatives); without one all items are.
    top_items
        Keep so many artists, those that most listeners have.
    min_listeners
        Keep artists that so many listeners have.
    seed
        Decides the split, the search and the start of each model.
    workers
        Processes that search at once, each with its part of the processors.
    beside
        TOML file of figures that others stated for this protocol, printed below ours: tables [[stated]] with model,
        source and, for example, ndcg_at_100.
    save
        Write the table into this folder, as Markdown and JSON, with the command and the machine.
    """
    from recsys.experiment.contest import Plan, contest
    from recsys.experiment.protocols import Division
    from recsys.experiment.stated import read_stated

    division = Division(protocol=protocol, held_out=held_out, test=test, negatives=negatives, seed=seed)
    plan = Plan(
        models=models,
        seconds=budget,
        division=division,
        top_items=top_items,
        min_listeners=min_listeners,
        workers=workers,
    )
    stated = read_stated(beside) if beside else ()
    with notes(), common.steps() as step:
        bars = {name: step(name) for name in models}
        best: dict[str, float] = {}

        def tried(name: str, number: int, value: float, _params: object) -> None:
            best[name] = max(value, best.get(name, value))
            bars[name](number + 1, number + 2, f"{best[name]:.4f}")

        outcome = contest(data, plan, common.open(), step=tried)
    if save:
        from recsys.bench.contests import report_of

        command, today = shlex.join(["recsys", *_typed()]), datetime.now(UTC).date().isoformat()
        report_of(outcome, command=command, date=today, stated=stated).save(save, data.stem)
    common.show(
        {**outcome.as_dict(), "stated": [asdict(one) for one in stated]},
        *_lines(outcome, stated),
        *([f"written to       {save / data.stem}.md and .json"] if save else ()),
    )


def _lines(outcome: Outcome, stated: Sequence[Stated]) -> list[str | Table]:
    entries, versus = outcome.contest.entries, {one.other: one for one in outcome.contest.comparisons}
    first, *others = list(entries[0].scores)[:3]
    rows = [
        (
            entry.contender.title,
            "{0.mean:.3f} [{0.low:.3f}, {0.high:.3f}]".format(entry.scores[first]),
            *(f"{entry.scores[name].mean:.3f}" for name in others),
            _behind(versus.get(entry.contender.name)),
            entry.tuned.trials,
        )
        for entry in entries
    ]
    rows += [(one.model, *(_stated(one, name) for name in (first, *others)), "stated", "") for one in stated]
    told = outcome.protocol
    title = f"{told['protocol']}\n{told['test_users']:,} listeners, {told['items']:,} items, 95% intervals"
    heads = ("model", *(name.replace("_at_", "@") for name in (first, *others)), "behind", "trials")
    return [
        table(title, heads, rows, numbers=5),
        _KEY,
        *(f"{one.model}: stated by {one.source}" for one in stated),
        *(f"{entry.contender.name}: {_words(entry)}" for entry in entries if entry.tuned.params),
        *(f"{name} is left out: {why}" for name, why in outcome.contest.left_out.items()),
        f"dataset version  {outcome.version.digest}",
        f"MLflow run       {outcome.run_id}",
        mlflow_ui(outcome.tracking_uri),
    ]


def _typed() -> list[str]:
    """Give what was typed, without where the table was to be written: that is no part of what was measured."""
    typed = sys.argv[1:]
    return [word for place, word in enumerate(typed) if "--save" not in typed[max(place - 1, 0) : place + 1]]


def _stated(one: Stated, name: str) -> str:
    return f"{one.figures[name]:.3f}" if name in one.figures else ""


def _behind(versus: Comparison | None) -> str:
    if versus is None:
        return ""
    return f"{-versus.difference.mean:+.3f} {versus.stars:<2}"


def _words(entry: Entry) -> str:
    return ", ".join(f"{name} {value}" for name, value in settings(entry.tuned.params))
