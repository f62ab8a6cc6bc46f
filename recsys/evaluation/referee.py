"""Who keeps validation and test apart, and counts.

A figure on test users means what it says only if nothing was chosen by it. The referee answers questions about
validation users as often as they are asked; each look at the test users is counted and stands in the report.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import scipy.sparse as sp

from recsys.evaluation.lists import Lists, Recommender, ask
from recsys.evaluation.metrics import Metric
from recsys.evaluation.protocol import evaluate, measure
from recsys.evaluation.scores import Bootstrap, Scores
from recsys.evaluation.split import Split


@dataclass(frozen=True)
class Referee:
    """Asks models about held-out users by one protocol.

    Attributes
    ----------
    split
        Who is held out.
    metrics
        What is measured, on validation and on test users alike.
    bootstrap
        How intervals are got.
    whole
        What a model that is tested was trained on, where that is more than what models are chosen by: a train file
        whose part validates. The split's training part unless given.
    """

    split: Split
    metrics: Sequence[Metric]
    bootstrap: Bootstrap = field(default_factory=Bootstrap)
    whole: sp.csr_matrix | None = None
    _touches: Counter[str] = field(default_factory=Counter, init=False, repr=False, compare=False)

    @property
    def train(self) -> sp.csr_matrix:
        """What a model that is tested is trained on."""
        return self.split.train if self.whole is None else self.whole

    def validate(self, model: Recommender) -> Scores:
        """Score a model on the validation users, by whom it may be chosen."""
        return evaluate(model, self.split.validation, self.metrics, n_bootstrap=1)

    def test(self, name: str, model: Recommender) -> tuple[Scores, Lists]:
        """Score a model on the test users, and count it; gives the lists too, so that nobody need ask again."""
        self._touches[name] += 1
        lists = ask(model, self.split.test, max(metric.k for metric in self.metrics))
        return measure(lists, self.metrics, self.bootstrap), lists

    @property
    def touches(self) -> Mapping[str, int]:
        """How often each model was scored on the test users; once is what a referee wants to see."""
        return MappingProxyType(dict(self._touches))
