"""The keys that a ledger needs, given or in the folder beside it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from recsys.canonical import Pseudonyms
from recsys.consent.controller import Controller
from recsys.consent.members import MemberKeys
from recsys.errors import ConfigError, LedgerBrokenError
from recsys.transparency import SigningKey, VerifyKey


@dataclass(frozen=True)
class Keyring:
    """Keys, each as it was given or else from its place in `folder`, where it is made when first needed.

    Parameters
    ----------
    folder
        Holds ``keys/``.
    given_pseudonyms, given_members, given_operator
        As in :class:`recsys.consent.Ledger`.
    """

    folder: Path | None
    given_pseudonyms: Pseudonyms | None
    given_members: MemberKeys | None
    given_operator: SigningKey | VerifyKey | None

    @cached_property
    def pseudonyms(self) -> Pseudonyms:
        """What names members."""
        return self.given_pseudonyms or Pseudonyms.at(self._place("member.key"))

    @cached_property
    def members(self) -> MemberKeys:
        """Members' signing keys."""
        return self.given_members or MemberKeys(self._place("members"))

    @property
    def operator_public(self) -> VerifyKey:
        """The key that tree heads are checked with."""
        if self.given_operator is not None:
            return self.given_operator.public if isinstance(self.given_operator, SigningKey) else self.given_operator
        path = self._place("operator.key")
        if not path.exists():
            raise LedgerBrokenError(f"{path} is missing, so nobody can tell who signed the ledger; put it back")
        return SigningKey.read(path).public

    def operator(self, *, new: bool) -> SigningKey:
        """Give the key that signs tree heads; one is made only for a `new` ledger."""
        if isinstance(self.given_operator, VerifyKey):
            raise ConfigError("this ledger was opened with the operator's public key alone, so it can only be read")
        if self.given_operator is None and not new:
            return SigningKey.read(self._place("operator.key"))
        return self.given_operator or SigningKey.at(self._place("operator.key"))

    @property
    def controller(self) -> Controller:
        """The collective, as consent records name it."""
        key = self.operator_public
        return Controller.at(self.folder, key) if self.folder else Controller(key)

    def _place(self, name: str) -> Path:
        if self.folder is None:
            raise ConfigError("a ledger by URL is given its keys, or the folder that holds them")
        return self.folder / "keys" / name
