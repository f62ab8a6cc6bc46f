"""The last signed head in a file beside the database, by which a cut end is noticed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from recsys.canonical import write_atomically
from recsys.errors import LogBrokenError, SignatureInvalidError
from recsys.transparency.dsse import Envelope
from recsys.transparency.heads import TreeHead
from recsys.transparency.keys import SigningKey, VerifyKey
from recsys.transparency.latest import DEPTH, NOTHING
from recsys.transparency.merkle import EMPTY


@dataclass(frozen=True)
class HeadFile:
    """A file that holds the last signed head of a log.

    Parameters
    ----------
    path
        The file.
    log
        The log's name.
    """

    path: Path
    log: str

    def begin(self, key: SigningKey) -> None:
        """Say that the log is empty: from then on the file must be there."""
        self.write(TreeHead(self.log, 0, EMPTY.hex(), NOTHING[DEPTH].hex(), "").signed(key))

    def write(self, envelope: Envelope) -> None:
        """Keep a head."""
        write_atomically(self.path, envelope.to_json())

    def read(self, key: VerifyKey) -> TreeHead:
        """Give the head.

        Raises
        ------
        LogBrokenError
            If the file is missing or holds no head of this log that `key` signed.
        """
        try:
            head = TreeHead.verified(Envelope.from_json(self.path.read_bytes()), key)
        except FileNotFoundError:
            raise LogBrokenError(
                f"{self.path.name} is missing, so nobody can tell whether the end was cut off; restore it"
            ) from None
        except SignatureInvalidError as error:
            raise LogBrokenError(f"{self.path.name} is no signed head of this log: {error}; restore it") from error
        if head.log != self.log:
            raise LogBrokenError(f"{self.path.name} is a head of {head.log!r}; restore it")
        return head
