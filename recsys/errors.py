"""Every error that recsys raises on purpose.

::

    RecsysError
    ├── UnreadableExportError     an export cannot be read: names the file and the entry in it
    ├── ConfigError               a configuration or a folder of state is not usable
    ├── SignatureInvalidError     a signed document is not what its signer signed
    ├── ProofInvalidError         a proof does not show what it says
    ├── LogBrokenError            an append-only log was edited, cut or damaged
    ├── StorageError              a database cannot be used now: full, locked, gone
    ├── ConsentError
    │   ├── RecordInvalidError    a consent record says something unclear, or to somebody else
    │   ├── ConsentMissingError   nobody here agreed to this purpose at this instant
    │   ├── LedgerBrokenError     the consent ledger was edited, cut or damaged
    │   └── MemberErasedError     what this member handed in was erased, and nothing new may be taken in unasked
    ├── DatasetError
    │   ├── DatasetTooSmallError  after the rules too little is left to build a version
    │   ├── VersionNotFoundError  no dataset version of that name
    │   ├── VersionBrokenError    a stored version is not what its digest says
    │   └── VersionWithdrawnError a version holds somebody who has withdrawn since; it may not be used
    ├── ModelError
    │   ├── SolveFailedError      a row's linear system has no finite solution: names the row
    │   └── ModelInvalidError     a model file or its factors are not usable
    ├── RunNotFoundError          no tracked run of that name
    ├── BundleError
    │   ├── TermsInvalidError     terms say something unclear, or have run out
    │   ├── NotForSaleError       what the terms say was not agreed to: by the members, or by their vote
    │   ├── LeakError             a model tells more about its members than the terms allow
    │   └── BundleInvalidError    a bundle is damaged, hostile, or not what its manifest says
    └── CollectiveError
        ├── MembershipError       somebody is no member, or is one already
        ├── ProposalInvalidError  a proposal says something unclear, or is not open now
        ├── BallotRefusedError    a ballot is late, forged, replayed, or not this member's to cast
        ├── LicenceInvalidError   a licence or grant does not hold: unapproved, ended, revoked, or about something else
        └── PayoutError           money cannot be divided or paid so

Each message says what was found, what was expected and what to do next.
"""

from __future__ import annotations

from pathlib import Path


class RecsysError(Exception):
    """Something that a person can put right; everything recsys raises on purpose is one."""


class UnreadableExportError(RecsysError):
    """An export cannot be read; names the file and, where there is one, the entry inside it.

    Parameters
    ----------
    path
        The export file or folder.
    reason
        What was found, what was expected and what to do.
    entry
        The name of the file inside the zip or folder, if the fault lies in one.
    """

    def __init__(self, path: str | Path, reason: str, entry: str | None = None) -> None:
        self.path = Path(path)
        self.entry = entry
        self.reason = reason
        where = f"{self.path.name}: {entry}" if entry else self.path.name
        super().__init__(f"{where}: {reason}")


class ConfigError(RecsysError):
    """A configuration file, an option or a folder of state is not usable."""


class SignatureInvalidError(RecsysError):
    """A signed document or a key is malformed, or was not signed by whom it should be; nothing in it is believed."""


class ProofInvalidError(RecsysError):
    """A proof does not show what it says: it was changed, or it is of another log."""


class LogBrokenError(RecsysError):
    """An append-only log, or one of its signed heads, was edited, cut short or damaged."""


class StorageError(RecsysError):
    """A database cannot be used now: its disk is full, it is locked, or nobody answers. Nothing was written."""


class ConsentError(RecsysError):
    """A question of consent was answered with no, or cannot be answered."""


class RecordInvalidError(ConsentError):
    """A consent record is malformed, unclear, made for another collective, or of the wrong person."""


class ConsentMissingError(ConsentError):
    """Nobody among these listens had agreed to this purpose at this instant."""


class LedgerBrokenError(ConsentError):
    """The consent ledger was edited, cut short or damaged; nothing may be admitted from it."""


class MemberErasedError(ConsentError):
    """What this member handed in was erased; nothing of theirs is read or taken in until they agree anew."""


class DatasetError(RecsysError):
    """A dataset version cannot be built, found or trusted."""


class DatasetTooSmallError(DatasetError):
    """After the rules were applied too little is left to make a version of."""


class VersionNotFoundError(DatasetError):
    """There is no dataset version of that name in the store."""


class VersionBrokenError(DatasetError):
    """A stored version is not what its digest says; it may not be used."""


class VersionWithdrawnError(DatasetError):
    """Somebody whose data are in the version has withdrawn since; it may not be trained on or handed on any more."""


class ModelError(RecsysError):
    """A model cannot be made, loaded or used."""


class SolveFailedError(ModelError):
    """The linear system of a row has no finite solution.

    Parameters
    ----------
    side
        ``"user"`` or ``"item"``.
    row
        Index of the row whose system failed.
    """

    def __init__(self, side: str, row: int) -> None:
        self.side = side
        self.row = row
        super().__init__(
            f"the system of {side} row {row} has no finite solution; "
            "raise `regularization` or look for extreme weights in that row"
        )


class ModelInvalidError(ModelError):
    """A model file, or the factors in it, are not usable."""


class RunNotFoundError(RecsysError):
    """There is no tracked run of that name."""


class BundleError(RecsysError):
    """A bundle cannot be packed, opened or used."""


class TermsInvalidError(BundleError):
    """Terms are malformed or unclear, or they have run out."""


class NotForSaleError(BundleError):
    """What the terms say was not agreed to: by every member in the model, or by the members' vote."""


class LeakError(BundleError):
    """A model tells more about its members than the terms allow; names the figure and the limit."""


class BundleInvalidError(BundleError):
    """A bundle is damaged or hostile, or is not what its manifest says; nothing in it is used."""


class CollectiveError(RecsysError):
    """The members' rules do not allow this."""


class MembershipError(CollectiveError):
    """Somebody is no member, or is one already."""


class ProposalInvalidError(CollectiveError):
    """A proposal says something unclear, or is not open now."""


class BallotRefusedError(CollectiveError):
    """A ballot is late, forged, replayed or doubled, of another proposal, or not this member's to cast."""


class LicenceInvalidError(CollectiveError):
    """A licence or grant does not hold: it was not approved, has ended, was revoked, or is about something else."""


class PayoutError(CollectiveError):
    """Money cannot be divided or paid so: twice, to somebody who left, or in amounts that do not add up."""
