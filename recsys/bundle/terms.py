"""What a bundle may be used for, by whom and until when; and what must hold before it is packed.

Terms are written by the operator as a TOML file, or follow from a proposal that the members passed. In the bundle they
stand as an ODRL policy (W3C, "ODRL Information Model 2.2", 2018) that other tools read, beside our own fields.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Literal, get_args, get_type_hints

from recsys.canonical import canonical_json, parse_json, sha256_hex
from recsys.consent.terms import one_line
from recsys.errors import TermsInvalidError

Kind = Literal["sample", "full"]
FORMAT = "recsys-terms/1"

_LARGEST = 1 << 20
_LEAST = {"min_listeners": 2, "factors": 1, "artists": 1, "price_cents": 0}  # an artist with one listener is that one
_MAY_BE_LEFT_OUT = {"factors", "artists", "price_cents"}
_CURRENCY = re.compile(r"[A-Z]{3}")
_HEX = 64


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a model may tell about its members at most; ``None`` sets no limit, and the figure is on the card anyway.

    Parameters
    ----------
    max_membership_auc
        How well an attacker may tell members from strangers: 0.5 is guessing, 1 is certainty.
    max_tpr_at_1pct_fpr
        Share of the members whom an attacker may find while taking 1% of strangers for members.
    max_unicity
        Share of the pairs of artists that neighbours tell of behind which a single member may stand.
    """

    max_membership_auc: float | None = 0.75
    max_tpr_at_1pct_fpr: float | None = 0.15
    max_unicity: float | None = None

    def __post_init__(self) -> None:
        for name, limit in asdict(self).items():
            if limit is not None and not (_is_number(limit) and 0 <= limit <= 1):
                raise TermsInvalidError(f"limits.{name} is {limit!r}; it must lie between 0 and 1, or be left out")


@dataclass(frozen=True, kw_only=True)
class Terms:
    """Terms of one bundle for one buyer.

    Parameters
    ----------
    kind
        ``"sample"``, which is weaker than the model on purpose, or ``"full"``.
    buyer
        Whom it is for, as members named them in their consent; brought into one form.
    purpose
        What the buyer may do with it, in a sentence.
    expires
        The first day on which it may not be used any more (UTC).
    proposal
        Hash of the proposal that the members passed; a full bundle always needs one.
    min_listeners
        Artists with fewer listeners are not in it.
    factors, artists
        A sample has at most so many factors, and only so many of the best known artists.
    half_precision
        Factors are stored in 16 bits.
    limits
        What the model may tell about its members.
    price_cents, currency
        The price, and its ISO 4217 currency.
    uid
        Names these terms; derived from everything else unless given.

    Raises
    ------
    TermsInvalidError
        If a value is unclear, or a sample is not weaker in anything.
    """

    kind: Kind
    buyer: str
    purpose: str
    expires: date
    proposal: str | None = None
    min_listeners: int = 10
    factors: int | None = None
    artists: int | None = None
    half_precision: bool = True
    limits: Limits = field(default_factory=Limits)
    price_cents: int | None = None
    currency: str = "USD"
    uid: str = ""

    def __post_init__(self) -> None:
        for name in ("buyer", "purpose"):
            object.__setattr__(self, name, _line(getattr(self, name), name))
        _check(self)
        if not self.uid:
            told = {name: value for name, value in self.as_dict().items() if name != "uid"}
            object.__setattr__(self, "uid", f"urn:recsys:terms:{sha256_hex(canonical_json(told))}")

    @classmethod
    def load(cls, path: Path) -> Terms:
        """Read terms from a TOML file, or from a JSON file of the same fields.

        Raises
        ------
        TermsInvalidError
            If the file cannot be read or its terms are unclear; names the key.
        """
        try:
            if path.stat().st_size > _LARGEST:
                raise TermsInvalidError(f"{path.name} is too large for terms")
            data = path.read_bytes()
            told = parse_json(data) if path.suffix == ".json" else tomllib.loads(data.decode())
        except FileNotFoundError as error:
            raise TermsInvalidError(f"there is no file {path}; recsys sample terms writes an example") from error
        except (OSError, ValueError, RecursionError) as error:
            raise TermsInvalidError(f"{path.name} cannot be read as terms: {error}") from error
        return cls.from_dict(told)

    @classmethod
    def from_dict(cls, told: Any) -> Terms:  # noqa: ANN401 - any JSON or TOML value
        """Read terms back from what :meth:`as_dict` gives.

        Raises
        ------
        TermsInvalidError
            If a key is missing or unknown, or a value is unclear.
        """
        values = _known(cls, told, "the terms")
        if "limits" in values:
            values["limits"] = Limits(**_known(Limits, values["limits"], "limits"))
        for name in ("kind", "buyer", "purpose", "expires"):
            if name not in values:
                raise TermsInvalidError(f"the terms do not say {name!r}; recsys sample terms writes an example")
        values["expires"] = _day(values["expires"])
        return cls(**values)

    def as_dict(self) -> dict[str, Any]:
        """Give the terms as plain values for JSON."""
        return asdict(self) | {"expires": self.expires.isoformat()}

    def refuse_expired(self, at: datetime) -> None:
        """Refuse terms that have run out.

        Raises
        ------
        TermsInvalidError
            If `at` is on the day of expiry or later.
        """
        if at.astimezone(UTC).date() >= self.expires:
            raise TermsInvalidError(
                f"these terms ran out: {self.buyer} may use the bundle before {self.expires}, "
                f"and this is {at.astimezone(UTC):%Y-%m-%d}; ask the collective for a new one"
            )

    def odrl(self, assigner: str | None = None) -> dict[str, Any]:
        """Say the terms as an ODRL policy: an agreement where the assigner is known, or else a set of rules.

        Parameters
        ----------
        assigner
            IRI of the collective, for example the ``did:key`` of its public key.
        """
        parties = {"assigner": assigner, "assignee": _iri("buyer", self.buyer)} if assigner else {}
        rule = {"target": _iri("bundle", self.uid), **parties}
        until = _constraint("dateTime", "lt", {"@value": self.expires.isoformat(), "@type": "xsd:date"})
        permission: dict[str, Any] = {
            **rule,
            "action": "use",
            "constraint": [until, _constraint("purpose", "eq", self.purpose)],
        }
        if self.price_cents:
            amount = {"@value": f"{self.price_cents // 100}.{self.price_cents % 100:02}", "@type": "xsd:decimal"}
            paid = {**_constraint("payAmount", "eq", amount), "unit": f"urn:iso:std:iso:4217:{self.currency}"}
            permission["duty"] = [{"action": "compensate", "constraint": [paid]}]
        return {
            "@context": "http://www.w3.org/ns/odrl.jsonld",
            "@type": "Agreement" if assigner else "Set",
            "uid": self.uid,
            "permission": [permission],
            "prohibition": [{**rule, "action": action} for action in ("distribute", "sell", "derive")],
            "recsys": {"format": FORMAT, **self.as_dict()},
        }

    @classmethod
    def from_odrl(cls, policy: Any) -> Terms:  # noqa: ANN401 - any JSON value
        """Read terms back from :meth:`odrl`; a policy that says anything else than its own fields is refused.

        Raises
        ------
        TermsInvalidError
            If it is no such policy.
        """
        told = policy.get("recsys") if isinstance(policy, dict) else None
        if not isinstance(told, dict) or told.get("format") != FORMAT:
            raise TermsInvalidError(f"terms.json holds no terms of the format {FORMAT}")
        terms = cls.from_dict({name: value for name, value in told.items() if name != "format"})
        permission = policy.get("permission")
        assigner = permission[0].get("assigner") if isinstance(permission, list) and permission else None
        if policy != terms.odrl(assigner if isinstance(assigner, str) else None):
            raise TermsInvalidError("terms.json contradicts itself: its ODRL rules are not those of its own fields")
        return terms


def _check(terms: Terms) -> None:
    """Refuse what is unclear, field by field."""
    if terms.kind not in get_args(Kind):
        raise TermsInvalidError(f"kind is {terms.kind!r}; it must be one of {', '.join(get_args(Kind))}")
    for name, smallest in _LEAST.items():
        number = getattr(terms, name)
        if not (number is None and name in _MAY_BE_LEFT_OUT) and (type(number) is not int or number < smallest):
            raise TermsInvalidError(f"{name} is {number!r}; it must be a whole number, {smallest} or more")
    if type(terms.half_precision) is not bool or type(terms.expires) is not date:
        raise TermsInvalidError("half_precision is true or false and expires a day such as 2027-01-31; these are not")
    if terms.proposal is not None and not _is_hash(terms.proposal):
        raise TermsInvalidError(f"proposal is {terms.proposal!r}; a proposal's hash has {_HEX} hex digits")
    if not isinstance(terms.uid, str) or not isinstance(terms.currency, str) or not _CURRENCY.fullmatch(terms.currency):
        raise TermsInvalidError("uid is a name and currency a code of three letters such as USD; these are not")
    _check_kind(terms)


def _check_kind(terms: Terms) -> None:
    """Refuse a sale without a vote, and a sample that is not weaker."""
    reduced = terms.factors is not None or terms.artists is not None
    if terms.kind == "full" and terms.proposal is None:
        raise TermsInvalidError("a full bundle needs the members' vote: name its proposal")
    if terms.kind == "full" and reduced:
        raise TermsInvalidError("a full bundle holds the whole model: leave factors and artists out, or sell a sample")
    if terms.kind == "sample" and not reduced:
        raise TermsInvalidError("a sample is weaker than the model on purpose: give factors, artists or both")


def _known(cls: type, told: Any, what: str) -> dict[str, Any]:  # noqa: ANN401 - any JSON value
    names = get_type_hints(cls)
    if not isinstance(told, Mapping):
        raise TermsInvalidError(f"{what} are a table of keys and values; this is a {type(told).__name__}")
    unknown = sorted(set(told) - {f.name for f in fields(cls)})
    if unknown:
        raise TermsInvalidError(f"{what} have no key {unknown[0]!r}; there are {', '.join(names)}")
    return dict(told)


def _day(told: Any) -> date:  # noqa: ANN401 - any JSON value
    if type(told) is date:
        return told
    try:
        return date.fromisoformat(told)
    except (ValueError, TypeError) as error:
        raise TermsInvalidError(f"expires is {told!r}; it must be a day such as 2027-01-31") from error


def _line(told: Any, name: str) -> str:  # noqa: ANN401 - any JSON value
    try:
        return one_line(told, f"the {name} in the terms")
    except (ValueError, TypeError) as error:
        raise TermsInvalidError(str(error)) from error


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_hash(text: object) -> bool:
    return isinstance(text, str) and len(text) == _HEX and set(text) <= set("0123456789abcdef")


def _iri(what: str, name: str) -> str:
    return name if name.startswith("urn:") else f"urn:recsys:{what}:{sha256_hex(name.encode())[:32]}"


def _constraint(left: str, operator: str, right: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON value
    return {"leftOperand": left, "operator": operator, "rightOperand": right}
