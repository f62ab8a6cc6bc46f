"""recsys proof."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from recsys.cli.common import Common, instant, table
from recsys.errors import ConfigError

if TYPE_CHECKING:
    from rich.table import Table

    from recsys.canonical import Pseudonym
    from recsys.proof import Proof

_MOST_SHOWN = 40
_FIGURES = ("quality", "authenticity", "uniqueness", "ownership")
_SHORT = 12


def proof(
    member: str | None = None,
    *,
    everybody: Annotated[bool, Parameter(name="--all", negative="")] = False,
    scorer: Literal["measured", "unwrapped"] = "measured",
    award: Annotated[bool, Parameter(negative="")] = False,
    at: datetime | None = None,
    common: Common = Common(),  # noqa: B008 - frozen
) -> None:
    """Measure what a contribution is worth and whether it can be believed; every figure says how it came about.

    A low figure is a reason to ask, not a verdict.

    Parameters
    ----------
    member
        The member's name, or the pseudonym or its beginning.
    everybody
        Prove all contributions.
    scorer
        measured: quality x authenticity x uniqueness; unwrapped: the point table of Unwrapped.
    award
        Record the points as awarded: the next proof awards the difference only.
    at
        When the proof is made (UTC unless it names a zone); now unless given.
    """
    from recsys.proof import SCORERS, prove_members
    from recsys.proof import award as record

    if (member is None) is not everybody:
        raise ConfigError("name a member, or prove all: recsys proof MEMBER, or recsys proof --all")
    home = common.open()
    only = None if member is None else {home.contributor(member)}
    with common.bar("sketching") as bar:
        found = dict(prove_members(home.proofs, at=instant(at), scorer=SCORERS[scorer], only=only, progress=bar))
    for pseudonym, proved in found.items():
        if award:
            record(home.proofs, pseudonym, proved)
    awarded = [f"awarded: {sum(one.points for one in found.values()):,} points"] if award else []
    if member is None:
        common.show([one.document() for one in found.values()], *_of_all(found), *awarded)
    else:
        (one,) = found.values()
        common.show(one.document(), _of_one(member, one), *awarded)


def _of_one(member: str, proof: Proof) -> Table:
    facts = proof.attributes
    points = f"{facts['total_points']} points by {proof.metadata['scorer']}, {proof.points} of them not awarded before"
    doubts = ", ".join(proof.doubts())
    rows = [("valid", "yes" if proof.valid else "no", f"in doubt: {doubts}" if doubts else "")]
    rows.append(("score", f"{proof.score:.2f}", points))
    breakdown = facts.get("points_breakdown", {})
    rows += [
        (f"  {name}", "", f"{breakdown[f'{name}_points']} points for {breakdown[f'{name}_reason']}")
        for name in ("volume", "diversity", "history")
        if breakdown
    ]
    for name in _FIGURES:
        rows.append((name, f"{getattr(proof, name):.2f}", ""))
        rows += [(f"  {part.replace('_', ' ')}", *shown) for part, shown in _parts(facts[name])]
    return table(f"Proof of the contribution of {member}", ("figure", "value", "found"), rows)


def _parts(found: dict[str, object]) -> Iterator[tuple[str, tuple[str, str]]]:
    for name, part in found.items():
        match part:
            case {"value": None, **figures}:
                yield name, ("-", ", ".join(["cannot be measured here", *map(_words, figures.items())]))
            case {"value": float() | int() as value, **figures}:
                yield name, (f"{value:.2f}", ", ".join(map(_words, figures.items())))
            case list():
                yield from ((name, ("", _alike(other))) for other in part)
            case _:
                yield name, ("", "-" if part is None else str(part))


def _words(figure: tuple[object, object]) -> str:
    name, value = figure
    shown = f"{value:,.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else f"{value:,}"
    return f"{str(name).replace('_', ' ')} {shown}"


def _alike(other: dict[str, object]) -> str:
    return f"{other['other']} in {other['view']}: shares {other['shared']:.0%}"


def _of_all(found: dict[Pseudonym, Proof]) -> Iterator[str | Table]:
    valid = sum(proof.valid for proof in found.values())
    yield f"{len(found):,} contributions proved, {valid:,} valid"
    lowest = sorted(found.items(), key=lambda one: (one[1].valid, one[1].score, one[0]))
    rows = [
        (
            pseudonym[:_SHORT],
            "yes" if proof.valid else "no",
            *(f"{getattr(proof, name):.2f}" for name in ("score", *_FIGURES)),
            ", ".join(proof.doubts()),
        )
        for pseudonym, proof in lowest[:_MOST_SHOWN]
    ]
    columns = ("member", "valid", "score", *_FIGURES, "doubts")
    yield table("Proofs, the lowest first", columns, rows)
    if len(found) > _MOST_SHOWN:
        yield f"... and {len(found) - _MOST_SHOWN:,} more; --json lists all"
