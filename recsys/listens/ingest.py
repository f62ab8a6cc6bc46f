"""From a folder of exports to stored contributions: in parallel, resumable, past broken ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain
from pathlib import Path

from recsys.canonical import Pseudonym, Pseudonyms, sha256_hex, sweep
from recsys.errors import MemberErasedError, UnreadableExportError
from recsys.listens.contributions import Contributions
from recsys.listens.inbox import Broken, Task, export_digest, find_exports, is_large, plan
from recsys.listens.pool import Listens
from recsys.listens.reading import read_export
from recsys.listens.report import ReadReport
from recsys.listens.table import Route
from recsys.listens.table_pool import read_pool
from recsys.parallel import in_processes, one_by_one_apart

_TOGETHER = 4
_FEW = 8

Progress = Callable[[int, int], None]


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
        Members' exports that were left out because their data were erased; they may come back by agreeing anew.
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
class _How:
    contributions: Contributions
    route: Route | None
    incognito: bool


@dataclass(frozen=True)
class _Outcome:
    members: frozenset[Pseudonym] = frozenset()
    rows: ReadReport = field(default_factory=ReadReport)
    was_in: bool = False
    broken: Broken | None = None
    erased: int = 0


def ingest(
    folder_or_file: str | Path,
    contributions: Contributions,
    pseudonyms: Pseudonyms,
    *,
    progress: Progress | None = None,
    workers: int = 0,
    route: Route | None = None,
    incognito: bool = False,
) -> IngestReport:
    """Read exports and store their listens under pseudonyms.

    An export that is in already is skipped, so a run that was killed goes on where it stopped. A broken export is
    reported and does not stop the others. Worker processes are started afresh, so a script that calls this needs the
    usual ``if __name__ == "__main__"``.

    Parameters
    ----------
    folder_or_file
        One export, or a folder of exports: each zip, file and sub-folder in it is one export of the member whose name
        it bears; a table of many members (:func:`recsys.listens.read_pool`) is one export of them all. A folder with
        history files of one export directly in it is that export.
    contributions
        Where to store.
    pseudonyms
        Gives each member's pseudonym; names are not stored.
    progress
        Called with the number of exports done and the number of all exports.
    workers
        Processes; 0 means as many as this process may use cores, 1 reads in this process.
    route
        How the exports came here, where that is stricter than how their services' exports usually do. It must be
        stated for plain tables.
    incognito
        The members want listens used that they kept to themselves while listening.

    Raises
    ------
    UnreadableExportError
        If there is no export at `folder_or_file`.
    """
    tasks, nameless = plan(find_exports(Path(folder_or_file)), pseudonyms)
    how = _How(contributions, route, incognito)
    of_one = [task for task in tasks if task.member is not None]
    of_many = [task for task in tasks if task.member is None]
    for folder in (contributions.folder, contributions.keys.folder):
        sweep(folder)
    outcomes = []
    for outcome in chain(
        _spread(partial(_take_in, how), of_one, workers),
        (_take_in_many(how, pseudonyms, task) for task in of_many),
    ):
        outcomes.append(outcome)
        if progress is not None:
            progress(len(outcomes), len(tasks))
    return _summed(outcomes, nameless)


def _spread(take_in: Callable[[Sequence[Task]], list[_Outcome]], tasks: list[Task], workers: int) -> Iterator[_Outcome]:
    """Spread exports over processes; then the large ones, one at a time, so that memory stays bounded."""
    if len(tasks) <= _FEW or workers == 1:
        yield from chain.from_iterable(take_in([task]) for task in tasks)
        return
    large = [task for task in tasks if is_large(task.path)]
    others = [task for task in tasks if task not in large]
    groups = [others[start : start + _TOGETHER] for start in range(0, len(others), _TOGETHER)]
    yield from chain.from_iterable(in_processes(take_in, groups, workers=workers, batch=1))
    yield from chain.from_iterable(one_by_one_apart(take_in, [[task] for task in large]))


def _take_in(how: _How, tasks: Sequence[Task]) -> list[_Outcome]:
    """Take in some exports; each is read while the one before it is being made durable."""
    outcomes: list[Future[_Outcome]] = []
    with ThreadPoolExecutor(1) as disk:
        for task in tasks:
            rest = _read(how, task)
            wait(outcomes[-1:])  # so that no third export is in memory
            outcomes.append(disk.submit(rest))
        return [outcome.result() for outcome in outcomes]


def _read(how: _How, task: Task) -> Callable[[], _Outcome]:
    """Read an export; what is left to do is to store it, if there is anything to store."""
    member = Pseudonym(task.member or "")
    try:
        how.contributions.keys.refuse_erased(member)
        digest = _digest(how, task.path)
        if how.contributions.has(member, digest):
            report = how.contributions.report(member, digest)
            return partial(_Outcome, frozenset({member}), report, was_in=True)
        listens = read_export(task.path, member=member, route=how.route, incognito=how.incognito)
    except UnreadableExportError as fault:
        return partial(_Outcome, broken=Broken(fault.path, fault.reason, fault.entry))
    except MemberErasedError:
        return partial(_Outcome, erased=1)
    return partial(_store, how, member, listens, digest)


def _store(how: _How, member: Pseudonym, listens: Listens, digest: str) -> _Outcome:
    try:
        how.contributions.add(listens, digest)
    except MemberErasedError:  # meanwhile
        return _Outcome(erased=1)
    return _Outcome(frozenset({member}), listens.report)


def _take_in_many(how: _How, pseudonyms: Pseudonyms, task: Task) -> _Outcome:
    try:
        digest = _digest(how, task.path)
        pool = read_pool(task.path, route=how.route)
    except UnreadableExportError as fault:
        return _Outcome(broken=Broken(fault.path, fault.reason, fault.entry))
    reports: dict[Pseudonym, ReadReport] = {}
    was_in = True
    for name in pool.members:
        member = pseudonyms.of(name)
        if how.contributions.keys.tombstone(member):
            continue
        if how.contributions.has(member, digest):
            reports[member] = how.contributions.report(member, digest)
            continue
        listens = replace(pool.read(name), member=member)
        how.contributions.add(listens, digest)
        reports[member], was_in = listens.report, False
    erased = len(pool.members) - len(reports)
    return _Outcome(frozenset(reports), sum(reports.values(), ReadReport()), was_in=was_in, erased=erased)


def _digest(how: _How, path: Path) -> str:
    """Name what is read of an export: a member who now wants incognito listens used hands in the same file anew."""
    digest = export_digest(path)
    return sha256_hex(f"{digest} incognito".encode()) if how.incognito else digest


def _summed(outcomes: list[_Outcome], nameless: list[Broken]) -> IngestReport:
    good = [outcome for outcome in outcomes if outcome.members]
    return IngestReport(
        members=len(frozenset[Pseudonym]().union(*(outcome.members for outcome in good))),
        read=sum(not outcome.was_in for outcome in good),
        skipped=sum(outcome.was_in for outcome in good),
        broken=(*nameless, *(outcome.broken for outcome in outcomes if outcome.broken is not None)),
        rows=sum((outcome.rows for outcome in good), ReadReport()),
        erased=sum(outcome.erased for outcome in outcomes),
    )
