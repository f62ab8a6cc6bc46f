"""From a folder of exports to stored contributions: in parallel, resumable, past broken ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from recsys.canonical import Pseudonym, Pseudonyms, sha256_file, sha256_hex
from recsys.errors import MemberErasedError, UnreadableExportError
from recsys.listens.contributions import Contributions
from recsys.listens.export import history_paths
from recsys.listens.reading import claims, member_name, read_export
from recsys.listens.report import ReadReport
from recsys.listens.sources import SPOTIFY
from recsys.listens.table import Route
from recsys.parallel import in_processes

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Broken:
    """An export that could not be read: where it lies, the entry at fault if one is, and why."""

    path: Path
    reason: str
    entry: str | None = None


@dataclass(frozen=True)
class IngestReport:
    """What became of a folder of exports.

    A run that was resumed reports what an undisturbed one does, but for the split between `read` and `skipped`.

    Parameters
    ----------
    members
        Members of whom at least one of these exports is in.
    read
        Exports that were read and stored now.
    skipped
        Exports that were in already.
    broken
        Exports that could not be read, and why.
    rows
        The rows of all exports that are in, read and skipped.
    erased
        Exports of members whose data were erased; they are not opened until their member agrees anew.
    """

    members: int
    read: int
    skipped: int
    broken: tuple[Broken, ...]
    rows: ReadReport
    erased: int = 0

    def words(self) -> str:
        """Say it in a few lines."""
        exports = f"{self.read:,} exports read, {self.skipped:,} were in already, {len(self.broken):,} broken"
        if self.erased:
            exports += f", {self.erased:,} left closed because their members' data were erased"
        broken = (f"broken: {UnreadableExportError(one.path, one.reason, one.entry)}" for one in self.broken)
        return "\n".join([f"{self.members:,} members; {exports}", self.rows.words(), *broken])


@dataclass(frozen=True)
class _Task:
    path: Path
    member: Pseudonym


@dataclass(frozen=True)
class _Outcome:
    member: Pseudonym
    rows: ReadReport = field(default_factory=ReadReport)
    was_in: bool = False
    broken: Broken | None = None
    erased: bool = False


def ingest(
    folder_or_file: str | Path,
    contributions: Contributions,
    pseudonyms: Pseudonyms,
    *,
    progress: Progress | None = None,
    workers: int = 0,
    route: Route = Route.GDPR_EXPORT,
) -> IngestReport:
    """Read exports and store their listens under pseudonyms.

    An export that is in already is skipped, so a run that was killed goes on where it stopped. A broken export is
    reported and does not stop the others. Worker processes are started afresh, so a script that calls this needs the
    usual ``if __name__ == "__main__"``.

    Parameters
    ----------
    folder_or_file
        One export, or a folder of exports: each zip and each sub-folder in it is one export of the member whose name
        it bears. A folder with history files directly in it is one export.
    contributions
        Where to store.
    pseudonyms
        Gives each member's pseudonym; names are not stored.
    progress
        Called with the number of exports done and the number of all exports.
    workers
        Processes; 0 means as many as this process may use cores, 1 reads in this process.
    route
        How the exports came here.

    Raises
    ------
    UnreadableExportError
        If there is no export at `folder_or_file`.
    """
    exports = _find_exports(Path(folder_or_file))
    tasks, nameless = _plan(exports, pseudonyms)
    outcomes = []
    for outcome in in_processes(partial(_take_in, contributions, route), tasks, workers=workers):
        outcomes.append(outcome)
        if progress is not None:
            progress(len(outcomes), len(tasks))
    return _summed(outcomes, nameless)


def _find_exports(path: Path) -> list[Path]:
    if not path.exists():
        raise UnreadableExportError(path, "there is no such file or folder; check the path")
    if not path.is_dir():
        return [path]
    children = sorted(child for child in path.iterdir() if not child.name.startswith((".", "__MACOSX")))
    if any(SPOTIFY.claims(child.name) for child in children):
        return [path]
    exports = [child for child in children if child.is_dir() or child.suffix.lower() == ".zip"]
    if not exports:
        raise UnreadableExportError(path, "no export in this folder; put each member's zip or folder into it")
    return exports


def _plan(exports: Iterable[Path], pseudonyms: Pseudonyms) -> tuple[list[_Task], list[Broken]]:
    tasks, nameless = [], []
    for path in exports:
        try:
            tasks.append(_Task(path, pseudonyms.of(member_name(path))))
        except ValueError:  # blank, or not Unicode
            nameless.append(Broken(path, "its name names no member; rename it to the member's name"))
    return tasks, nameless


def _take_in(contributions: Contributions, route: Route, task: _Task) -> _Outcome:
    try:
        contributions.keys.refuse_erased(task.member)
        digest = _export_digest(task.path)
        if contributions.has(task.member, digest):
            return _Outcome(task.member, contributions.report(task.member, digest), was_in=True)
        listens = read_export(task.path, member=task.member, route=route)
        contributions.add(listens, digest)
    except UnreadableExportError as fault:
        return _Outcome(task.member, broken=Broken(fault.path, fault.reason, fault.entry))
    except MemberErasedError:
        return _Outcome(task.member, erased=True)
    return _Outcome(task.member, listens.report)


def _export_digest(path: Path) -> str:
    """Name an export by its content: the bytes of the file, or of a folder's history files in any arrangement."""
    try:
        if not path.is_dir():
            return sha256_file(path)
        files = sorted(sha256_file(file) for file in history_paths(path, claims))
    except OSError as fault:
        raise UnreadableExportError(path, f"cannot be read: {fault.strerror}") from None
    return sha256_hex("".join(files).encode())


def _summed(outcomes: list[_Outcome], nameless: list[Broken]) -> IngestReport:
    good = [outcome for outcome in outcomes if outcome.broken is None and not outcome.erased]
    return IngestReport(
        members=len({outcome.member for outcome in good}),
        read=sum(not outcome.was_in for outcome in good),
        skipped=sum(outcome.was_in for outcome in good),
        broken=(*nameless, *(outcome.broken for outcome in outcomes if outcome.broken is not None)),
        rows=sum((outcome.rows for outcome in good), ReadReport()),
        erased=sum(outcome.erased for outcome in outcomes),
    )
