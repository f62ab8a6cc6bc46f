"""What an artist prefers, in the vocabulary of the IETF's AI Preferences (draft-ietf-aipref-vocab).

A statement is an RFC 9651 dictionary whose keys are categories of use and whose values are ``y`` or ``n``, as it stands
in a ``Content-Usage`` header: ``train-ai=n, search=y``. Several statements about one artist are combined by the draft's
rule (section 5.1): any that disallows, disallows; otherwise any that allows, allows; otherwise it is unknown.

The draft's ``train-ai`` speaks of generative models only: "the training of models that are used to perform exclusively
non-generative tasks are not included". A model that ranks artists therefore needs a category of its own,
:data:`RANKING`, and ``train-ai=n`` counts against such a model only where a collective decides that it shall
(:class:`ArtistPolicy`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, cast

import http_sf

RANKING = "x-recsys-ranking"
"""The category of this program: train or run a model that ranks or recommends artists."""

GENERATIVE = "train-ai"
"""The draft's category for generative models."""

_TOKENS = {"y": "allow", "n": "disallow"}


class Preference(StrEnum):
    """What is preferred about a category of use."""

    ALLOW = "allow"
    DISALLOW = "disallow"
    UNKNOWN = "unknown"


Statement = Mapping[str, Preference]
"""A statement of preference: what it says of each category that it names."""


@dataclass(frozen=True)
class ArtistPolicy:
    """What a collective decides where the vocabulary leaves it to the one who reads.

    Parameters
    ----------
    train_ai_counts
        Whether ``train-ai=n``, where nothing is said about ranking, keeps an artist out. Off unless a collective turns
        it on: whoever wrote it spoke of generative models, and being left out of recommendations may hurt an artist.
    """

    train_ai_counts: bool = False


def read_statement(text: str) -> Statement:
    """Read a statement of preference.

    Unknown categories and parameters are ignored when a decision is made, as the draft demands; a value that is neither
    ``y`` nor ``n`` says nothing of its category.

    Raises
    ------
    ValueError
        If the text is no RFC 9651 dictionary, or states no preference at all. The draft reads such text as "unknown";
        where a person is recording a statement, an opt-out must not be lost to a slip of the pen.
    """
    try:
        members = cast("dict[str, Any]", http_sf.parse(text.encode(), tltype="dictionary"))
    except ValueError as error:
        raise ValueError(f"{text!r} is no statement of preference ({error}); write {RANKING}=n, for example") from error
    found = {
        category: Preference(_TOKENS[str(member[0])])
        for category, member in members.items()
        if isinstance(member[0], http_sf.Token) and str(member[0]) in _TOKENS
    }
    if not found:
        raise ValueError(f"{text!r} allows nothing and disallows nothing; write {RANKING}=n or {RANKING}=y")
    return found


def combine(preferences: Iterable[Preference]) -> Preference:
    """Combine what several statements prefer about one category (draft-ietf-aipref-vocab, section 5.1)."""
    stated = set(preferences)
    if Preference.DISALLOW in stated:
        return Preference.DISALLOW
    return Preference.ALLOW if Preference.ALLOW in stated else Preference.UNKNOWN


def ranking_preference(statements: Iterable[Statement], policy: ArtistPolicy) -> Preference:
    """Tell what statements about one artist come to for a model that ranks.

    The ranking category is what decides. Only where it is unknown, and only if the policy says so, ``train-ai=n``
    disallows; ``train-ai=y`` never allows ranking, since it speaks of something else.
    """
    told = list(statements)
    own = combine(statement.get(RANKING, Preference.UNKNOWN) for statement in told)
    if own is not Preference.UNKNOWN or not policy.train_ai_counts:
        return own
    generative = combine(statement.get(GENERATIVE, Preference.UNKNOWN) for statement in told)
    return Preference.DISALLOW if generative is Preference.DISALLOW else Preference.UNKNOWN
