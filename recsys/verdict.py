"""What checks came to: each one a name, an answer and a sentence."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from recsys.errors import RecsysError


@dataclass(frozen=True)
class Check:
    """One thing that was looked at.

    Parameters
    ----------
    name
        Names the check in every verdict, for example ``"model files"``.
    holds
        Whether it is as it should be; ``None`` where that cannot be told because an earlier check failed.
    words
        What was found, in a sentence.
    """

    name: str
    holds: bool | None
    words: str


@dataclass(frozen=True)
class Verdict:
    """All checks of one thing, in the order in which they were made.

    Parameters
    ----------
    subject
        What was checked, for example ``"run 1f0c..."``.
    checks
        The checks.
    """

    subject: str
    checks: tuple[Check, ...]

    @property
    def sound(self) -> bool:
        """Whether every check holds."""
        return all(check.holds for check in self.checks)

    @property
    def failed(self) -> tuple[str, ...]:
        """The names of the checks that do not hold."""
        return tuple(check.name for check in self.checks if check.holds is False)

    def words(self) -> list[str]:
        """Say it, a line a check and one for the whole."""
        signs = {True: "ok      ", False: "FAILED  ", None: "unknown "}
        lines = [f"{signs[check.holds]} {check.name}: {check.words}" for check in self.checks]
        whole = "every check holds" if self.sound else f"{len(self.failed)} of {len(self.checks)} checks failed"
        return [*lines, f"{self.subject}: {whole}"]

    def as_dict(self) -> dict[str, Any]:
        """Give it as plain values for JSON."""
        return {"subject": self.subject, "sound": self.sound, "checks": [asdict(check) for check in self.checks]}


@dataclass
class Checks:
    """Gathers checks; a fault that one raises is its finding and stops nothing but what leans on it."""

    made: list[Check] = field(default_factory=list)

    def __iter__(self) -> Iterator[Check]:
        return iter(self.made)

    def look(self, name: str, look: Callable[[], str], *, needs: Iterable[str] = ()) -> bool:
        """Make a check, unless one that it needs did not hold; tell whether it holds.

        Parameters
        ----------
        name
            The check's name.
        look
            Says what it found, or raises a :class:`recsys.errors.RecsysError` that says what is wrong.
        needs
            Names of checks without which this one means nothing.
        """
        missing = [check.name for check in self.made if check.name in set(needs) and not check.holds]
        if missing:
            self.made.append(Check(name, None, f"cannot be told, because this does not hold: {', '.join(missing)}"))
            return False
        try:
            self.made.append(Check(name, True, look()))
        except (RecsysError, OSError) as fault:
            self.made.append(Check(name, False, str(fault)))
        return bool(self.made[-1].holds)
