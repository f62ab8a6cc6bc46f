"""The facts that every card is filled from, and how they are put into words.

Cards are public, so a number of people that is small is not told: :func:`people` says "fewer than 5". Numbers of
artists are told as they are: an artist below the threshold of listeners is in no version.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recsys.canonical import sha256_file
from recsys.consent import PURPOSES
from recsys.dataset.card.collective import Collective
from recsys.dataset.manifest import CONSENTED, Manifest

FEWEST = 5
"""The smallest number of people that a card tells."""

_MONTHS = "January February March April May June July August September October November December".split()  # noqa: SIM905 - one line of months
_ROUTES = {
    "gdpr-export": "copies of their own data that members asked a service for (GDPR Art. 15 and 20)",
    "service-export": "export files that a service gives its users of its own accord",
    "survey": "answers that members gave themselves",
    "api": "a service's programming interface, with the member's authorization",
    "scraped": "scraping",
}


def people(count: int) -> str:
    """Tell a number of people, or only that they are few."""
    if count == 0:
        return "none"
    return f"{count:,}" if count >= FEWEST else f"fewer than {FEWEST}"


@dataclass(frozen=True)
class StoredFile:
    """A file of a version: its name, size in bytes and SHA-256."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Facts:
    """What a card may say.

    Attributes
    ----------
    manifest
        The version's own facts.
    collective
        What the collective states of itself.
    files
        The version's data files, as they lie on disk.
    previous
        Manifest of the version before, if there was one and it is still there.
    """

    manifest: Manifest
    collective: Collective
    files: tuple[StoredFile, ...] = ()
    previous: Manifest | None = None

    @property
    def digest(self) -> str:
        """The version's name."""
        return self.manifest.digest

    @property
    def consented(self) -> bool:
        """Whether members gave the data; the other kind is a public benchmark."""
        return self.manifest.provenance == CONSENTED

    @property
    def title(self) -> str:
        """What a card calls the version."""
        of = f" of {self.collective.name}" if self.collective.stated("name") else ""
        histories = "Made-up listening histories" if self.collective.made_up else "Listening histories"
        what = f"{histories}{of}" if self.consented else f"Public benchmark {self.source_name}"
        return f"{what}, version {self.manifest.version}"

    @property
    def source_name(self) -> str:
        """What a public benchmark is called."""
        return str((self.manifest.source or {}).get("name", ""))

    @property
    def date(self) -> str | None:
        """The day for which consent was asked, ``YYYY-MM-DD``; a benchmark has none."""
        return self.manifest.at[:10] if self.manifest.at else None

    @property
    def purpose(self) -> str:
        """What members agreed to, in their own words' terms."""
        known = self.manifest.purpose
        if known is None:
            return "none: nobody's consent is recorded"
        buyer = self.manifest.recipient
        return f"{PURPOSES[known]} (the buyer: {buyer})" if buyer else PURPOSES[known]

    def count(self, name: str) -> int:
        """Give one of the manifest's counts; one that is not there is 0."""
        return int(self.manifest.counts.get(name, 0))

    def group(self, name: str) -> Mapping[str, int]:
        """Give a group of the manifest's counts, for example who was refused, by reason."""
        return dict(self.manifest.counts.get(name, {}))

    @property
    def sources(self) -> Sequence[Mapping[str, Any]]:
        """By source and route: how many members and plays."""
        return list(self.manifest.counts.get("sources", []))

    @property
    def period(self) -> tuple[str, str] | None:
        """First and last month in which enough members listened, ``YYYY-MM``."""
        found = self.manifest.period
        return (found["first"], found["last"]) if found else None

    def period_words(self) -> str:
        """Say when the plays were."""
        if self.period is None:
            return "not known: no month has enough members whose files tell the time"
        first, last = (f"{_MONTHS[int(month[5:]) - 1]} {month[:4]}" for month in self.period)
        return f"from {first} to {last} (months in which at least {FEWEST} members listened)"

    def size_words(self) -> str:
        """Say how much there is."""
        return (
            f"{people(self.count('members'))} members, {self.count('artists'):,} artists, "
            f"{self.count('pairs'):,} pairs of a member and an artist, {self.count('plays'):,} plays"
        )

    def route_words(self) -> list[str]:
        """Say how the data came here, one line for each source and route; those of very few members in one."""
        told = [
            f"{one['source']}: {_ROUTES.get(one['route'], one['route'])}. {one['members']:,} members, "
            f"{one['plays']:,} plays"
            for one in self.sources
            if one["members"] >= FEWEST
        ]
        rare = sorted({one["source"] for one in self.sources if one["members"] < FEWEST})
        return [*told, f"{', '.join(rare)}: {people(1)} members each"] if rare else told

    def refused_words(self) -> str:
        """Say how many members were not let in, by reason."""
        told = [f"{reason}: {people(count)}" for reason, count in sorted(self.group("refused").items())]
        return "; ".join(told) or "nobody"

    def artists_words(self) -> str:
        """Say what the artists' registry came to."""
        registry = self.manifest.artists
        if registry is None:
            return "No registry of artists' preferences was asked when this version was built."
        left_out = self.group("left_out").get("artists_opted_out", 0)
        counted = {0: "No artist was", 1: "1 artist was"}.get(left_out, f"{left_out:,} artists were")
        held = {0: "no declaration", 1: "1 declaration"}.get(registry["count"], f"{registry['count']:,} declarations")
        seal = f" (sealed by `{registry['hash']}`)" if registry["count"] else ""
        return f"{counted} left out for having opted out. The artists' registry held {held}{seal}. {self._train_ai()}"

    def _train_ai(self) -> str:
        policy = (self.manifest.artists or {}).get("policy", {})
        if policy.get("train_ai_counts"):
            return "A general `train-ai=n` is read as an opt-out too, by the collective's decision."
        return (
            "A general `train-ai=n` is not read as an opt-out, since in the IETF's vocabulary it speaks of generative "
            "models, and these data serve to rank artists."
        )


def stored_files(folder: Path) -> tuple[StoredFile, ...]:
    """Name the data files in a version's folder."""
    files = sorted(folder.glob("*.parquet"))
    return tuple(StoredFile(path.name, path.stat().st_size, sha256_file(path)) for path in files)
