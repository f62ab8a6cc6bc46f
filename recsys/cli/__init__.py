"""The commands: one file per noun, no logic.

Each command lives in its own module, loaded when it is called, so that help appears at once. What went wrong is said in
one line on standard error, and the exit code says what kind of thing it was (:mod:`recsys.cli.exits`).
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from cyclopts import App, Group

from recsys import __version__

_RIVER = Group.create_ordered("From exports to a model")
_USE = Group.create_ordered("Using a model")
_TOGETHER = Group.create_ordered("Deciding together")

app = App(
    name="recsys",
    version=__version__,
    help="A music-preference recommendation model trained on consented data.",
    help_epilogue="All state lies in one folder: --home DIR, or RECSYS_HOME, or ./.recsys. Start with: recsys demo",
    default_parameter=None,
)
for _place, (_name, _group, _help) in enumerate(
    (
        ("demo", _RIVER, "Make a synthetic collective and take it through everything, from exports to a tested model."),
        ("ingest", _RIVER, "Read members' exports."),
        ("consent", _RIVER, "Record, end and show what members agree to."),
        ("artists", _RIVER, "Record what artists say about being recommended, and tell them how often they are."),
        ("proof", _RIVER, "Measure what contributions are worth and whether they can be believed."),
        ("dataset", _RIVER, "Build, list, check and compare dataset versions."),
        ("train", _RIVER, "Train on a dataset version, test on held-out listeners, track the run."),
        ("tune", _RIVER, "Find the settings of a training run on its validation listeners."),
        ("evaluate", _USE, "Test a run's model again on its held-out listeners."),
        ("retrain", _USE, "Repeat a run without members who have left, and check the receipt."),
        ("audit", _USE, "Walk from a model back to every consent behind it, and say of each step whether it holds."),
        ("compare", _USE, "Tune models alike on a file of interactions, and tell which recommends best."),
        ("recommend", _USE, "Recommend artists to somebody who likes these."),
        ("explain", _USE, "Say which of a listener's artists speak for a recommendation."),
        ("sample", _USE, "Pack a sample of a model for a buyer; open, check and try one."),
        ("member", _TOGETHER, "Join and leave the collective; see who belongs, and what would be taken."),
        ("vote", _TOGETHER, "Propose a sale, vote on it, count, and check a count."),
        ("licence", _TOGETHER, "Issue, check and revoke licences for what members agreed to hand over."),
        ("payout", _TOGETHER, "Divide the price of a sale to the cent, pay it once, and let members check it."),
        ("worth", _TOGETHER, "Tell what members' listening is worth to others, measured on listeners who test."),
        ("replay", _TOGETHER, "Tell the story of a sale again, from exports to cents, with members who do not exist."),
        ("job", _USE, "Train as a compute job of Vana, near the data: the answer to a query in, a model out."),
        ("bench", _USE, "Measure speed and memory beside the peers."),
    )
):
    app.command(f"recsys.cli.{_name}:{_name}", name=_name, group=_group, help=_help, sort_key=_place)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its code."""
    from recsys.cli.exits import explained

    sys.exit(explained(app, sys.argv[1:] if arguments is None else arguments))
