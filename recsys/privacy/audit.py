"""The figures of a model that is to be handed on, and the limits they are held against."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import numpy as np
import scipy.sparse as sp

from recsys.als import ALSModel
from recsys.errors import LeakError
from recsys.models import Beside, Blend, Factors, Weighting
from recsys.models.scored import Scorer
from recsys.privacy.foreign import foreign_rows
from recsys.privacy.membership import Membership, matched, rank_scores
from recsys.privacy.unicity import SharedPairs, fewest_listeners, shared_pairs, singled_out

_KNOWN = (2, 3, 4, 5)
_LEAST_ITEMS = 2  # one to leave out, one to fold in


class Shared(Protocol):
    """A model as it is handed on; a :class:`recsys.named.NamedModel` is one."""

    @property
    def model(self) -> ALSModel:
        """The factors."""

    @property
    def weighting(self) -> Weighting:
        """How plays become weights."""

    @property
    def beside(self) -> Beside | None:
        """Neighbours that are handed on too."""


@dataclass(frozen=True)
class Limits:
    """What a model may tell at most; ``None`` sets no limit. Those of membership hold for upper ends of 95% intervals.

    Attributes
    ----------
    max_membership_auc
        Of :attr:`Membership.auc`; of the lower end, too, as far below 0.5: an attacker can turn the score around.
    max_tpr_at_1pct_fpr
        Of :attr:`Membership.tpr`.
    min_listeners
        Fewest listeners of an artist.
    max_unicity
        Largest share of shared pairs of artists that a single member stands behind.
    """

    max_membership_auc: float | None
    max_tpr_at_1pct_fpr: float | None
    min_listeners: int
    max_unicity: float | None = None


@dataclass(frozen=True)
class PrivacyAudit:
    """What was found.

    Attributes
    ----------
    membership
        How well members are told from held-out listeners; ``None`` if nobody was held out.
    fewest_listeners
        Listeners, among all members, of the shared artist that has fewest.
    foreign_rows
        Rows of the artists' factors that do not follow from the members' listening, a member's own factors among them;
        none in an honest model.
    pairs
        Who stands behind the pairs of artists whose likeness is shared. It is all of the shared that speaks of what
        artists have in common listener by listener; no row of anybody is shared.
    members_singled_out
        By number of artists known of a member: the share of members whom these tell from all others *in the data that
        stay with the collective*. It says why rows are not shared, not what the model shows.
    """

    membership: Membership | None
    fewest_listeners: int
    foreign_rows: int
    pairs: SharedPairs
    members_singled_out: Mapping[int, float]

    def as_dict(self) -> dict[str, Any]:
        """Give it as plain values for JSON."""
        known = {str(p): share for p, share in self.members_singled_out.items()}
        return {
            "membership": self.membership.as_dict() if self.membership else None,
            "fewest_listeners": self.fewest_listeners,
            "foreign_rows": self.foreign_rows,
            "shared_pairs": asdict(self.pairs),
            "rows_shared": 0,
            "members_singled_out_in_the_data": {p: None if math.isnan(s) else round(s, 6) for p, s in known.items()},
        }

    def refuse(self, limits: Limits) -> None:
        """Let nothing through that tells more than it may.

        Raises
        ------
        LeakError
            Names the first figure that is over its limit, and the limit.
        """
        if self.fewest_listeners < limits.min_listeners:
            raise LeakError(
                f"an artist has {self.fewest_listeners} listeners; expected {limits.min_listeners} or more of each: "
                "leave out artists of fewer"
            )
        if limits.max_unicity is not None and self.pairs.unique > limits.max_unicity:
            raise LeakError(
                f"a single member stands behind {self.pairs.unique:.1%} of the shared pairs of artists; the limit "
                f"(max_unicity) is {limits.max_unicity:.1%}: leave the neighbours out or raise the limit"
            )
        self._refuse_membership(limits)
        if self.foreign_rows:
            raise LeakError(
                f"{self.foreign_rows} rows of the artists' factors (foreign_rows) do not follow from the members' "
                "listening; the limit is none, since such a row may be a member's: train again"
            )

    def _refuse_membership(self, limits: Limits) -> None:
        if limits.max_membership_auc is None and limits.max_tpr_at_1pct_fpr is None:
            return
        if self.membership is None:
            raise LeakError(
                "nobody with two of the shared artists was held out, so nothing shows that the model does not tell who "
                "is in it; hold listeners out (held_out) and train again"
            )
        auc, tpr, on = self.membership.auc, self.membership.tpr, f"on {self.membership.held_out} held-out listeners"
        do = "train with fewer factors or more regularization, hold out more listeners, or raise the limit"
        if limits.max_membership_auc is not None and max(auc.high, 1 - auc.low) > limits.max_membership_auc:
            raise LeakError(
                f"members are told from held-out listeners with an AUC of {auc} {on}; the interval must not reach "
                f"beyond max_membership_auc = {limits.max_membership_auc}: {do}"
            )
        if limits.max_tpr_at_1pct_fpr is not None and tpr.high > limits.max_tpr_at_1pct_fpr:
            raise LeakError(
                f"a share of {tpr} of the members is recognised at 1% false alarms {on}; the interval must not reach "
                f"beyond max_tpr_at_1pct_fpr = {limits.max_tpr_at_1pct_fpr}: {do}"
            )


def audit(
    shared: Shared, members: sp.csr_matrix, held_out: sp.csr_matrix, *, seed: int = 0, at_most: int = 500
) -> PrivacyAudit:
    """Look what a model tells about its members, as it will be handed on.

    Parameters
    ----------
    shared
        The model, rounded and cut as it will be.
    members
        Whole histories, in plays, of those it was trained on, by the artists it has, shape (members, artists).
    held_out
        The same of listeners of the same dataset version that it was not trained on. The more there are, the narrower
        the intervals; members are chosen to match them in number and in length of history.
    seed
        Decides all draws.
    at_most
        Listeners of each kind whose membership is inferred; bounds the time.
    """
    members, held_out = (_canonical(one) for one in (members, held_out))
    weights = shared.weighting(members)
    return PrivacyAudit(
        _membership(shared, members, held_out, seed, at_most),
        fewest_listeners(members),
        foreign_rows(shared.model, weights),
        shared_pairs(members, shared.beside.neighbours.alike if shared.beside else None),
        {known: singled_out(members, known, seed=seed) for known in _KNOWN},
    )


def _membership(
    shared: Shared, members: sp.csr_matrix, held_out: sp.csr_matrix, seed: int, at_most: int
) -> Membership | None:
    ins, outs = (one[np.diff(one.indptr) >= _LEAST_ITEMS] for one in (members, held_out))
    if not ins.shape[0] or not outs.shape[0]:
        return None
    rng = np.random.default_rng(seed)
    outs = outs[np.sort(rng.permutation(outs.shape[0])[:at_most])]
    chosen, asked = matched(np.diff(ins.indptr), np.diff(outs.indptr), rng)
    scorer, weighting = scorer_of(shared), shared.weighting
    scores = (rank_scores(scorer, weighting, one, seed=seed) for one in (ins[chosen], outs[asked]))
    return Membership.measure(*scores, seed=seed)


def scorer_of(shared: Shared) -> Scorer:
    """Give what scores as the handed-on model recommends."""
    factors = Factors(shared.model)
    return Blend(factors, shared.beside.neighbours, shared.beside.weight) if shared.beside else factors


def _canonical(plays: sp.csr_matrix) -> sp.csr_matrix:
    matrix = sp.csr_matrix(plays, copy=True)
    matrix.sum_duplicates()
    matrix.eliminate_zeros()
    return matrix
