"""What is voted on: a proposal that says everything, and whose hash is what a ballot names.

Nothing about a vote is decided outside its proposal: who may use what for which purpose until when, the price and how
it is split, when voting opens and closes, what makes it pass, whether members may delegate their vote and whether votes
have weights. Fractions are exact.

It passes if turnout reaches the quorum, more say yes than no, and yes / (yes + no) reaches the threshold. Abstentions
count for the quorum alone. A tie never passes.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recsys.canonical import canonical_json, parse_json, sha256_hex, utc_text
from recsys.collective.split import Split, fraction
from recsys.consent.terms import one_line
from recsys.errors import ProposalInvalidError

if TYPE_CHECKING:
    from recsys.bundle import Terms

FORMAT = "recsys-proposal/1"
KINDS = ("sample", "full", "aggregate")
ONE_MEMBER_ONE_VOTE = "one-member-one-vote"
STATED_WEIGHTS = "stated-weights"
WEIGHTINGS = (ONE_MEMBER_ONE_VOTE, STATED_WEIGHTS)

_LARGEST = 1 << 20
_HALF = Fraction(1, 2)
_LONGEST_TERM_DAYS = 36_525


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """A sale that members are asked about.

    Parameters
    ----------
    title
        In a line, what it is about.
    buyer, purpose
        Who may use it, and for what; as in the terms of a bundle.
    kind
        What is handed over: ``"sample"``, ``"full"`` (a model) or ``"aggregate"`` (a licensed table of sums).
    run, version
        The training run or the dataset version that it is made of; one of them at least.
    price_cents, currency
        The price in hundredths, and its ISO 4217 currency.
    split
        How the price is cut.
    term_days
        For how many days after the close the buyer may use it.
    opens, closes
        When votes are taken: from the first instant on, before the second.
    quorum
        The least turnout, of all who may vote, in [0, 1].
    threshold
        The least yes / (yes + no), from one half on.
    weighting
        ``"one-member-one-vote"``, or ``"stated-weights"``: whole numbers in a file whose SHA-256 is `weights`.
    weights
        SHA-256 of the canonical JSON of weights by pseudonym; only with stated weights.
    delegation
        Whether members may give their vote to another member, who may give it on. Who votes themselves, does.

    Raises
    ------
    ProposalInvalidError
        Names the field that is unclear.
    """

    title: str
    buyer: str
    purpose: str
    kind: str
    price_cents: int
    term_days: int
    opens: datetime
    closes: datetime
    run: str | None = None
    version: str | None = None
    currency: str = "USD"
    split: Split = field(default_factory=Split)
    quorum: Fraction = _HALF
    threshold: Fraction = _HALF
    weighting: str = ONE_MEMBER_ONE_VOTE
    weights: str | None = None
    delegation: bool = False

    def __post_init__(self) -> None:
        for name in ("title", "buyer", "purpose"):
            object.__setattr__(self, name, _line(getattr(self, name), name))
        for name in ("opens", "closes"):
            object.__setattr__(self, name, _moment(getattr(self, name)))
        for words, holds, found in _rules(self):
            if not holds:
                raise ProposalInvalidError(f"{words}; this proposal says {found!r:.100}")

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the canonical JSON: what is voted on."""
        return sha256_hex(canonical_json(self.as_dict()))

    @property
    def expires(self) -> date:
        """The first day on which the buyer may not use it any more."""
        return self.closes.astimezone(UTC).date() + timedelta(days=self.term_days)

    def terms(self, **weaker: Any) -> Terms:  # noqa: ANN401 - as in Terms
        """Give the terms of the bundle that the proposal is about; `weaker` says how a sample is weaker."""
        from recsys.bundle import Terms  # noqa: PLC0415 - that room loads MLflow, which takes seconds

        if self.kind == "aggregate":
            raise ProposalInvalidError("this proposal licenses an aggregate, of which no bundle is made")
        return Terms(
            kind="full" if self.kind == "full" else "sample",
            buyer=self.buyer,
            purpose=self.purpose,
            expires=self.expires,
            proposal=self.hash,
            price_cents=self.price_cents,
            currency=self.currency,
            **weaker,
        )

    def as_dict(self) -> dict[str, Any]:
        """Give it as plain values for JSON: fractions as text, instants in UTC."""
        told: dict[str, Any] = {one.name: getattr(self, one.name) for one in fields(self)}
        return told | {
            "format": FORMAT,
            "split": self.split.as_dict(),
            "quorum": str(self.quorum),
            "threshold": str(self.threshold),
            "opens": utc_text(self.opens),
            "closes": utc_text(self.closes),
        }

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Proposal:
        """Read what :meth:`as_dict` gives, or what a person wrote: ``"1/2"``, ``"60%"``, TOML's instants.

        Raises
        ------
        ProposalInvalidError
            If a field is missing, unknown or unclear.
        """
        values = dict(told)
        if values.pop("format", FORMAT) != FORMAT:
            raise ProposalInvalidError(f"this is of the format {told['format']!r:.60}; {FORMAT!r} was expected")
        try:
            return cls(**{name: _READERS.get(name, _same)(value) for name, value in values.items()})
        except (TypeError, ValueError, AttributeError) as error:
            raise ProposalInvalidError(
                f"this is no proposal: {str(error).replace('Proposal.__init__()', 'it')}"
            ) from error

    @classmethod
    def load(cls, path: Path) -> Proposal:
        """Read a proposal from a TOML or JSON file.

        Raises
        ------
        ProposalInvalidError
            If it cannot be read.
        """
        return cls.from_dict(cls.fields(path))

    @staticmethod
    def fields(path: Path) -> dict[str, Any]:
        """Read the fields that a file states, which need not be all.

        Raises
        ------
        ProposalInvalidError
            If it cannot be read.
        """
        try:
            data = path.read_bytes()[: _LARGEST + 1]
            told = parse_json(data) if path.suffix == ".json" else tomllib.loads(data.decode())
        except (OSError, ValueError, RecursionError) as error:
            raise ProposalInvalidError(f"{path} cannot be read as a proposal: {error}") from error
        if not isinstance(told, dict):
            raise ProposalInvalidError(f"{path.name} holds no table of fields")
        return told


def _rules(one: Proposal) -> list[tuple[str, bool, object]]:
    """Give what must hold of each field, whether it does, and what the field is."""
    whole = type(one.price_cents) is int and type(one.term_days) is int
    return [
        (f"kind is one of {', '.join(KINDS)}", one.kind in KINDS, one.kind),
        ("a price is a whole number of cents, 0 or more", whole and one.price_cents >= 0, one.price_cents),
        ("a term has 1 to 36,525 days", whole and 1 <= one.term_days <= _LONGEST_TERM_DAYS, one.term_days),
        ("a currency is a code of three letters such as USD", _is_currency(one.currency), one.currency),
        ("run is text or left out", one.run is None or _is_text(one.run), one.run),
        ("version is text or left out", one.version is None or _is_text(one.version), one.version),
        ("it names the run or the version that is handed over", bool(one.run or one.version), None),
        ("voting closes after it opens", one.opens < one.closes, utc_text(one.closes)),
        ("a quorum lies between 0 and 1", 0 <= one.quorum <= 1, str(one.quorum)),
        ("a threshold lies between 1/2 and 1", _HALF <= one.threshold <= 1, str(one.threshold)),
        (f"weighting is one of {', '.join(WEIGHTINGS)}", one.weighting in WEIGHTINGS, one.weighting),
        (
            "weights are the SHA-256 of a file where weighting is stated-weights, and else left out",
            _is_hash(one.weights) if one.weighting == STATED_WEIGHTS else one.weights is None,
            one.weights,
        ),
        ("delegation is true or false", type(one.delegation) is bool, one.delegation),
    ]


def _line(told: Any, name: str) -> str:  # noqa: ANN401 - any JSON value
    try:
        return one_line(told, f"the {name} of a proposal")
    except (ValueError, TypeError) as error:
        raise ProposalInvalidError(f"the {name} of a proposal is a line of text; this one says {told!r:.80}") from error


def _moment(told: Any) -> datetime:  # noqa: ANN401 - any JSON or TOML value
    moment = told if isinstance(told, datetime) else datetime.fromisoformat(told)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _same(told: Any) -> Any:  # noqa: ANN401 - any JSON value
    return told


_READERS: dict[str, Callable[[Any], Any]] = {
    "split": Split.from_dict,
    "quorum": fraction,
    "threshold": fraction,
}


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value)


def _is_currency(text: object) -> bool:
    return isinstance(text, str) and len(text) == 3 and text.isascii() and text.isupper()  # noqa: PLR2004 - ISO 4217


def _is_hash(text: object) -> bool:
    return isinstance(text, str) and len(text) == 64 and set(text) <= set("0123456789abcdef")  # noqa: PLR2004 - SHA-256
