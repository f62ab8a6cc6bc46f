"""Terms to begin with."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from recsys.synthetic import BUYER

_EXAMPLE_DAYS = 90
_EXAMPLE = """\
# Terms of a sample model: for whom, for what, until when, and how much of the model.
kind = "sample"                  # "sample", which is weaker than the model on purpose, or "full", which needs a vote
buyer = "{buyer}"  # as members named it in their consent: every member must agree to this very name
purpose = "judge the model before buying it"
expires = {expires}             # the first day on which it may not be used any more (UTC)

# How the sample is weaker; give one or both.
factors = 16                     # at most so many factors
artists = 500                    # only so many of the best known artists
half_precision = true            # factors in 16 bits

# What it may tell about members. Packing refuses a model that tells more.
min_listeners = 10               # artists with fewer listeners are not in it

[limits]
max_membership_auc = 0.75        # how well an attacker may tell members from strangers; 0.5 is guessing
max_tpr_at_1pct_fpr = 0.15       # share of members that may be recognised at 1% false alarms

# For a sale, before [limits]:
# proposal = "..."               # hash of the proposal that the members passed (recsys vote)
# price_cents = 5500000
# currency = "USD"
"""


def example(at: datetime) -> str:
    """Write terms as a TOML file with a comment for each key, to be changed by hand."""
    until = at.astimezone(UTC).date() + timedelta(days=_EXAMPLE_DAYS)
    return _EXAMPLE.format(buyer=BUYER, expires=until.isoformat())
