"""What a model tells about the people in it: attacks that are tried, and the figures they come to.

``membership`` asks whether the model shows who was trained on, ``unicity`` what singles a person out, ``foreign``
whether something else than artists, a person's own factors for one, hides among the artists', and ``audit`` brings the
figures together and holds them against limits. Nothing here knows a person: rows are numbers, and no figure tells of
one row.

Why limits hold for the upper ends of intervals: on few held-out listeners a leak and its absence look alike. Whoever
hands a model on has to show that it does not leak; a figure that is low by chance shows nothing.
"""

from recsys.privacy.audit import Limits, PrivacyAudit, audit
from recsys.privacy.membership import Membership, rank_scores
from recsys.privacy.unicity import singled_out

__all__ = ["Limits", "Membership", "PrivacyAudit", "audit", "rank_scores", "singled_out"]
