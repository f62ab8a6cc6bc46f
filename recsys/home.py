"""Where a collective keeps its state: one folder, and what lies where in it.

::

    .recsys/
      keys/member.key     the secret behind the pseudonyms; back it up, show it to nobody
      keys/operator.key   the collective's own key: signs heads, statements and receipts
      keys/seal.key       seals bundles; its public half goes to buyers
      keys/watermark.key  the secret behind the marks of buyers in bundles
      keys/members/       signing keys that are kept for members
      keys/data/          a key for each member's contributions; back them up apart from those
      keys/votes.key      the secret that seals ballots until the close; keys/buyers.key names members to buyers
      ledger.db, .head    consent; with RECSYS_DATABASE=postgresql://... only the head lies here
      members.head, ...   heads of the members' books, which lie in that database: members, proposals, ballots ...
      policy.toml         by which routes listens may come in, where that is not the default
      artists.db          what artists declared
      collective.toml     what the collective states of itself, for the cards
      contributions/      listens, one file a contribution, under pseudonyms
      proof/              sketches of members' listens and what they were awarded, under their data keys
      datasets/           versions
      bundles/            what was packed for whom, with the artists' factors as they were handed out
      receipts/           of erasures: signed, and in plain words
      mlflow.db, .lock    runs
      artifacts/          what runs keep: models, pictures, reports
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from recsys.canonical import Pseudonym, Pseudonyms
from recsys.consent import ArtistRegistry, Ledger, Policy
from recsys.consent.controller import Controller
from recsys.dataset import DatasetStore
from recsys.dataset.card import Collective
from recsys.errors import ConfigError
from recsys.listens import Contributions
from recsys.proof import ProofStore
from recsys.transparency import SigningKey

DEFAULT = "./.recsys"


@dataclass(frozen=True)
class Home:
    """A folder of state. Nothing in it is made before it is needed."""

    path: Path

    @classmethod
    def at(cls, path: Path | None = None) -> Home:
        """Take `path`, or else the environment's ``RECSYS_HOME``, or else ``./.recsys``."""
        home = cls(path or Path(os.environ.get("RECSYS_HOME") or DEFAULT))
        if home.path.exists() and not home.path.is_dir():
            raise ConfigError(f"{home.path} is a file; name a folder for the state: --home DIR")
        return home

    @property
    def pseudonyms(self) -> Pseudonyms:
        """The key holder; a new collective's key is made here."""
        return Pseudonyms.at(self.path / "keys" / "member.key")

    @property
    def operator(self) -> SigningKey:
        """The collective's own key, which signs heads, statements and receipts; a new collective's is made here."""
        return SigningKey.at(self.path / "keys" / "operator.key")

    @property
    def seal_key(self) -> Path:
        """Where the key lies that seals bundles."""
        return self.path / "keys" / "seal.key"

    @property
    def controller(self) -> Controller:
        """The collective, as consent records name it."""
        return Controller.at(self.path, self.operator.public)

    @cached_property
    def ledger(self) -> Ledger:
        """The consent ledger: in a SQLite file, or in the PostgreSQL database that ``RECSYS_DATABASE`` names."""
        return Ledger(self.database, folder=self.path, pseudonyms=self.pseudonyms)

    @property
    def database(self) -> str | Path:
        """Where logs are kept: the URL in ``RECSYS_DATABASE``, or a SQLite file."""
        return os.environ.get("RECSYS_DATABASE") or self.path / "ledger.db"

    @property
    def policy(self) -> Policy:
        """By which routes listens may come in."""
        return Policy.at(self.path / "policy.toml")

    @property
    def artists(self) -> ArtistRegistry:
        """What artists declared about being ranked."""
        return ArtistRegistry(self.path / "artists.db", lambda: self.operator)

    @property
    def collective(self) -> Collective:
        """What the collective states of itself."""
        return Collective.load(self.path / "collective.toml")

    @property
    def contributions(self) -> Contributions:
        """What members handed in."""
        return Contributions(self.path / "contributions")

    def contributor(self, name: str) -> Pseudonym:
        """Find who handed something in, by name, by pseudonym, or by a pseudonym's beginning.

        Raises
        ------
        ConfigError
            If nobody of that name did, or several pseudonyms begin so.
        """
        members = self.contributions.members
        named = self.pseudonyms.of(name)
        fits = [named] if named in members else [member for member in members if member.startswith(name)]
        if len(fits) == 1:
            return fits[0]
        said = f"{len(fits)} pseudonyms begin with {name!r}; give more of it" if fits else f"{name!r} handed nothing in"
        raise ConfigError(f"{said}; {len(members):,} members did: recsys ingest reads exports")

    @property
    def proofs(self) -> ProofStore:
        """What the proof of contribution keeps."""
        return ProofStore(self.path / "proof", self.contributions)

    @property
    def datasets(self) -> DatasetStore:
        """Dataset versions."""
        return DatasetStore(self.path / "datasets")
