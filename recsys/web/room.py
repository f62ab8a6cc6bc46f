"""What the pages stand on: a sample that was verified when it was opened, and is looked at again when somebody asks."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path

from recsys import bundle
from recsys.bundle.names import NameIndex
from recsys.errors import RecsysError, TermsInvalidError
from recsys.verdict import Check, Verdict

Clock = Callable[[], datetime]


@dataclass(frozen=True)
class Looked:
    """One look at the file.

    Attributes
    ----------
    at
        When.
    verdict
        What was found.
    """

    at: datetime
    verdict: Verdict


@dataclass(frozen=True)
class Shut:
    """Why nothing of the sample is shown any more.

    Attributes
    ----------
    status
        HTTP status of the answer.
    words
        The reason and what to do, in plain words.
    """

    status: int
    words: str


class Room:
    """A verified sample and everything that pages need beside it.

    Parameters
    ----------
    sample
        The sample, as :func:`recsys.bundle.open_sample` gave it.
    path, key
        Its file and the collective's public key: what a new look is at.
    clock
        Tells the instant of each decision.
    """

    def __init__(self, sample: bundle.SampleModel, path: Path, key: Path, clock: Clock) -> None:
        self.sample = sample
        self.path = path
        self.key = key
        self.clock = clock
        self.looked = Looked(clock(), sample.verdict)
        self._looking = threading.Lock()

    @classmethod
    def open(cls, path: Path, key: Path, clock: Clock) -> Room:
        """Verify a bundle and open it.

        Raises
        ------
        SignatureInvalidError, BundleInvalidError, TermsInvalidError
            If it does not hold; there is no room then.
        """
        return cls(bundle.open_sample(path, key, at=clock()), path, key, clock)

    @cached_property
    def index(self) -> NameIndex:
        """The artists' names, ready to be searched."""
        return NameIndex.of(self.sample)

    def warm(self) -> None:
        """Lay out what the first question would have to wait for."""
        name = self.sample.named.artists.names[0]
        self.index.search(name[:-1] or name)
        self.sample.named.artists.column(name.swapcase())
        self.sample.recommend([name], 1)
        self.sample.similar(name, 1)

    @property
    def shut(self) -> Shut | None:
        """Say why nothing may be shown, if nothing may: the last look failed, or the terms have run out since."""
        if not self.looked.verdict.sound:
            return Shut(
                503,
                "The file on the disk no longer holds what was verified when these pages were opened, so nothing of "
                "it is shown. Look at the checks, get the file again from the collective, and start again.",
            )
        try:
            self.sample.terms.refuse_expired(self.clock())
        except TermsInvalidError:
            expires = self.sample.terms.expires
            return Shut(
                410, f"The terms ended on {expires}: it may not be used any more. Ask the collective for new ones."
            )
        return None

    def look(self) -> Looked:
        """Check the file on the disk again, as when it was opened, and that it is still the one that is shown."""
        with self._looking:
            at = self.clock()
            self.looked = Looked(at, self._checked(at))
        return self.looked

    def _checked(self, at: datetime) -> Verdict:
        try:
            verdict = bundle.check(self.path, self.key, at=at)
            if not verdict.sound:
                return verdict
            digest = bundle.open_sample(self.path, self.key, at=at).digest
        except (RecsysError, OSError) as error:
            return Verdict(f"bundle {self.path.name}", (Check("file and key", False, str(error)),))
        same = digest == self.sample.digest
        words = "what they show is what the file holds" if same else "the file is another bundle now than they show"
        return Verdict(verdict.subject, (*verdict.checks, Check("these pages", same, f"{words} ({digest[:12]})")))
