"""Dataset versions on disk: one folder each, named by its digest.

::

    datasets/
      3f7a.../            a version, never changed after it appeared
        manifest.json          canonical JSON; its SHA-256 is the folder's name
        members.parquet        pseudonyms, in row order
        artists.parquet        names, in column order
        pairs.parquet          member, artist, plays, ms
        spellings.parquet      artist, spelling, members, plays
        contributions.parquet  labels of what it was built from
        croissant.json, ...    its cards, which are not part of it (recsys.dataset.card)
      latest/<line>       digest of the latest version of a line
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from recsys.canonical import Pseudonym, atomic_path, canonical_json, sha256_hex, write_atomically
from recsys.dataset.erased import erase_rows, erased_members
from recsys.dataset.manifest import CONSENTED, Manifest
from recsys.dataset.version import DatasetVersion, Pairs, Parts, in_memory, pairs_of
from recsys.errors import VersionBrokenError, VersionNotFoundError, VersionWithdrawnError
from recsys.listens import SpellingCount

_DIGEST_LENGTH = 64
_SHORTEST_PREFIX = 6
_LATEST = "latest"
_SPELLINGS_FILE = "spellings.parquet"
_CONTRIBUTIONS = "contribution"
_SPELLINGS = pa.schema({"artist": pa.string(), "spelling": pa.string(), "members": pa.int64(), "plays": pa.int64()})


class DatasetStore:
    """A folder of dataset versions.

    Parameters
    ----------
    folder
        Where versions lie; made when the first is saved.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)

    def save(self, version: DatasetVersion) -> Path:
        """Write a version and make it the latest of its line; one that is there already is left as it is."""
        path = self.folder / version.digest
        if not path.is_dir():
            with atomic_path(path) as partial:
                partial.mkdir()
                _write(version, partial)
        write_atomically(self.folder / _LATEST / version.manifest.line, version.digest.encode())
        return path

    def digests(self) -> list[str]:
        """List the digests of all versions, sorted."""
        if not self.folder.is_dir():
            return []
        return sorted(path.name for path in self.folder.iterdir() if _is_digest(path.name))

    def __contains__(self, digest: object) -> bool:
        return isinstance(digest, str) and _is_digest(digest) and (self.folder / digest).is_dir()

    def lines(self) -> list[str]:
        """List the lines of versions, sorted."""
        folder = self.folder / "latest"
        return sorted(path.name for path in folder.iterdir() if path.is_file()) if folder.is_dir() else []

    def latest(self, line: str) -> str | None:
        """Give the digest of the latest version of a line, or ``None``."""
        path = self.folder / _LATEST / line
        return path.read_text() if path.exists() else None

    def find(self, name: str) -> str:
        """Give the full digest for a digest, for its beginning if that fits one version only, or for ``latest``.

        ``latest`` is the latest version of the one consented line there is, or else of the one line; with several lines
        nobody can tell which is meant.

        Raises
        ------
        VersionNotFoundError
            If none or more than one version fits.
        """
        if name == _LATEST:
            return self._latest_of_all()
        known = self.digests()
        fits = [digest for digest in known if digest.startswith(name)]
        if len(fits) == 1 and (len(name) >= _SHORTEST_PREFIX or name == fits[0]):
            return fits[0]
        if len(fits) > 1:
            raise VersionNotFoundError(f"{name!r} fits {len(fits)} versions; give more of the digest")
        listed = ", ".join(digest[:12] for digest in known) or "none yet"
        raise VersionNotFoundError(
            f"there is no dataset version {name!r} (at least {_SHORTEST_PREFIX} digits); there are: {listed}"
        )

    def _latest_of_all(self) -> str:
        lines = sorted(path.name for path in (self.folder / _LATEST).glob("*"))
        lines = [line for line in lines if line.startswith(f"{CONSENTED}-")] or lines
        if len(lines) != 1:
            told = f"there are {len(lines)} lines ({', '.join(lines)})" if lines else "there is no version yet"
            raise VersionNotFoundError(f"no version is the latest of all: {told}; recsys dataset list shows digests")
        return (self.folder / _LATEST / lines[0]).read_text()

    def path(self, name: str) -> Path:
        """Give the folder of a version."""
        return self.folder / self.find(name)

    def manifest(self, name: str) -> Manifest:
        """Read a version's manifest, checked against its digest."""
        return read_manifest(self.path(name))

    def members(self, name: str) -> tuple[Pseudonym, ...]:
        """Read who is in a version, checked against its digest; erased members are still named."""
        return read_members(self.path(name))

    def load(self, name: str, *, remains: bool = False) -> DatasetVersion:
        """Read a version whole, every part checked against its digest.

        Parameters
        ----------
        name
            Digest, or its beginning.
        remains
            Whether to give what is left of a version from which members' rows were erased, instead of refusing it.

        Raises
        ------
        VersionNotFoundError
            If there is none of that name.
        VersionBrokenError
            If any part is not what the digest says.
        VersionWithdrawnError
            If members' rows were erased from it.
        """
        return load_version(self.path(name), remains=remains)

    def erased(self, name: str) -> tuple[Pseudonym, ...]:
        """Tell whose rows were taken out of a version, sorted."""
        return erased_members(self.path(name))

    def erase(self, member: Pseudonym) -> list[Path]:
        """Take a member's rows out of every version; give the files that were changed. Others' rows stay."""
        changed = []
        for digest in self.digests():
            members = self.members(digest)
            if member in members:
                changed.append(erase_rows(self.folder / digest, member, members.index(member)))
        return [path for path in changed if path]


def _is_digest(name: str) -> bool:
    return len(name) == _DIGEST_LENGTH and set(name) <= set("0123456789abcdef")


def _write(version: DatasetVersion, folder: Path) -> None:
    pairs = pairs_of(version)
    columns = {"member": pairs.member, "artist": pairs.artist, "plays": pairs.plays, "ms": pairs.ms}
    pq.write_table(pa.table(columns), folder / "pairs.parquet", compression="zstd")
    pq.write_table(pa.table({"member": [str(m) for m in version.members]}), folder / "members.parquet")
    pq.write_table(pa.table({"artist": list(version.artists.names)}), folder / "artists.parquet")
    spellings = zip(*version.spellings, strict=True) if version.spellings else ((), (), (), ())
    pq.write_table(pa.table(dict(zip(_SPELLINGS.names, spellings, strict=True)), _SPELLINGS), folder / _SPELLINGS_FILE)
    labels = pa.array(version.contributions, pa.string())
    pq.write_table(pa.table({_CONTRIBUTIONS: labels}), folder / "contributions.parquet")
    (folder / "manifest.json").write_bytes(version.manifest.to_bytes())


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest in a version's folder and check that the folder bears its digest."""
    try:
        data = (folder / "manifest.json").read_bytes()
    except OSError as error:
        raise VersionBrokenError(f"version {folder.name[:12]} has no readable manifest.json: {error}") from error
    if sha256_hex(data) != folder.name:
        raise VersionBrokenError(
            f"manifest.json of version {folder.name[:12]} was changed: its SHA-256 is {sha256_hex(data)[:12]}; "
            "restore the folder from a backup or build the version again"
        )
    return Manifest.from_bytes(data)


def read_members(folder: Path) -> tuple[Pseudonym, ...]:
    """Read who is in the version in a folder that bears its digest, checked against it."""
    try:
        names = pq.read_table(folder / "members.parquet")["member"].to_pylist()
        digest = sha256_hex(canonical_json(names))
    except (OSError, pa.ArrowException, KeyError, ValueError, TypeError) as error:
        raise VersionBrokenError(f"members.parquet of version {folder.name[:12]} cannot be read: {error}") from error
    if digest != read_manifest(folder).content["members"]:
        raise VersionBrokenError(
            f"members.parquet of version {folder.name[:12]} was changed after it was built; restore it from a backup"
        )
    return tuple(Pseudonym(name) for name in names)


def load_version(folder: Path, *, remains: bool = False) -> DatasetVersion:
    """Read the version in a folder that bears its digest, and check every part."""
    manifest = read_manifest(folder)
    erased = erased_members(folder)
    if erased and not remains:
        raise VersionWithdrawnError(
            f"members' rows ({len(erased)}) were erased from version {folder.name[:12]}; it cannot be used any "
            "more: build the next one (recsys dataset build)"
        )
    try:
        parts = _read_parts(folder)
    except (OSError, pa.ArrowException, KeyError, ValueError, TypeError) as error:
        raise VersionBrokenError(f"version {folder.name[:12]} cannot be read: {error}") from error
    found = parts.digests()
    changed = [part for part, digest in manifest.content.items() if found.get(part) != digest]
    if erased and changed == ["pairs"]:
        return in_memory(manifest, parts)
    if changed or any(manifest.counts.get(name) != count for name, count in parts.counts().items()):
        raise VersionBrokenError(
            f"version {folder.name[:12]} was changed after it was built ({', '.join(changed) or 'counts'}); "
            "restore the folder from a backup or build the version again"
        )
    return in_memory(manifest, parts)


def _read_parts(folder: Path) -> Parts:
    members = [Pseudonym(name) for name in pq.read_table(folder / "members.parquet")["member"].to_pylist()]
    artists = pq.read_table(folder / "artists.parquet")["artist"].to_pylist()
    table = pq.read_table(folder / "pairs.parquet", columns=["member", "artist", "plays", "ms"])
    pairs = Pairs(*(np.asarray(column.to_numpy(), dtype=np.int64) for column in table.columns))
    contributions = pq.read_table(folder / "contributions.parquet")[_CONTRIBUTIONS].to_pylist()
    return Parts(members, artists, pairs, _read_spellings(folder), contributions)


def _read_spellings(folder: Path) -> list[SpellingCount]:
    rows = pq.read_table(folder / _SPELLINGS_FILE, columns=_SPELLINGS.names).to_pylist()
    return [SpellingCount(**row) for row in rows]
