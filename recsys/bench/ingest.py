"""Speed of taking in exports, beside ``unzip -p`` and beside a loop of ``json`` and ``pandas``."""

from __future__ import annotations

import json
import shutil
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from recsys.bench.machine import circumstances
from recsys.bench.processes import Timed, timed
from recsys.bench.report import Column, Progress, Report, Row, seconds_text, silent, times_text
from recsys.errors import ConfigError
from recsys.synthetic import make_exports

_INFLATE = """
import sys, pathlib, zipfile
for path in sorted(pathlib.Path(sys.argv[1]).glob("*.zip")):
    try:
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                archive.read(name)
    except zipfile.BadZipFile:
        pass
"""
_UNZIP_CODES = (0, 1, 2, 3, 9, 11, 51)  # a folder of exports has broken zips in it
_COLUMNS = (
    Column("contestant", "contestant"),
    Column("seconds", "time", seconds_text),
    Column("seconds_best", "best", seconds_text),
    Column("processor_seconds", "processor", seconds_text),
    Column("to_inflating", "time / inflating", times_text),
    Column("faster", "faster than json + pandas", times_text),
    Column("megabytes_per_second", "of JSON a second", "{:,.0f} MB".format),
    Column("peak_bytes", "peak memory", lambda size: f"{size / 1e6:,.0f} MB"),
    Column("plays", "plays kept", "{:,}".format),
)

Contestant = Callable[[Path, Path], Timed]


def run(
    exports: int = 60,
    plays_a_year: int = 6_000,
    *,
    repeats: int = 3,
    threads: int = 2,
    seed: int = 0,
    date: str = "",
    out: Path | None = None,
    progress: Progress = silent,
) -> Report:
    """Take in made-up exports, each way in turn, each run a process of its own with an empty home.

    Parameters
    ----------
    exports
        How many zips, of all layouts; one in a hundred is broken.
    plays_a_year
        How much the median member listens; exports span 1 to 7 years.
    threads
        Worker processes of ``recsys ingest``; the others know one.
    repeats, seed, date, out, progress
        As in :func:`recsys.bench.als.run`.

    Returns
    -------
    Report
        ``to_inflating`` is the time relative to inflating all files and throwing them away.

    Raises
    ------
    ConfigError
        If a number is out of range, or a run fails.
    """
    if min(exports, plays_a_year, repeats, threads) < 1:
        raise ConfigError(
            f"{exports} exports, {plays_a_year} plays, {repeats} repeats, {threads} threads: give 1 or more"
        )
    with TemporaryDirectory() as folder:
        zips = Path(folder, "exports")
        progress(f"making {exports} exports")
        make_exports(zips, exports=exports, plays_a_year=plays_a_year, seed=seed, workers=threads)
        inflated, packed = _sizes(zips)
        runs = _in_turn(zips, _contestants(threads), repeats, progress)
    table = _table(runs, inflated)
    about = circumstances([], threads, date) | {"exports": exports, "repeats": repeats}
    notes = [
        f"{exports} exports, {packed / 1e6:,.0f} MB of zips that hold {inflated / 1e6:,.0f} MB, in the page cache.",
        "The loop by hand checks nothing, keeps plays that two packages tell, and starts again when it is killed.",
        "Times are those of whole processes, from start to end; memory is that of all processes of a run together.",
    ]
    return Report(f"Taking in {exports} exports", about, _COLUMNS, table, notes).saved(out, "ingest")


def _sizes(folder: Path) -> tuple[int, int]:
    inflated = packed = 0
    for path in folder.iterdir():
        packed += path.stat().st_size
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                inflated += sum(info.file_size for info in archive.infolist())
    return inflated, packed


def _contestants(threads: int) -> dict[str, Contestant]:
    def ours(zips: Path, home: Path) -> Timed:
        command = [sys.executable, "-m", "recsys", "ingest", str(zips), "--home", str(home), "--json"]
        return timed([*command, "--workers", str(threads)])

    def by_hand(zips: Path, home: Path) -> Timed:
        return timed([sys.executable, "-m", "recsys.bench.by_hand", str(zips), str(home)])

    inflating = ("unzip -p", _unzip) if shutil.which("unzip") else ("zlib, inflating only", _inflate)
    return dict([inflating, ("recsys ingest", ours), ("json + pandas loop", by_hand)])


def _unzip(zips: Path, _home: Path) -> Timed:
    return timed([str(shutil.which("unzip")), "-p", f"{zips}/*.zip"], keep=False, allowed=_UNZIP_CODES)


def _inflate(zips: Path, _home: Path) -> Timed:
    return timed([sys.executable, "-c", _INFLATE, str(zips)], keep=False)


def _in_turn(
    zips: Path, contestants: dict[str, Contestant], repeats: int, progress: Progress
) -> dict[str, list[Timed]]:
    runs: dict[str, list[Timed]] = {name: [] for name in contestants}
    for turn in range(repeats):
        for name, play in contestants.items():
            progress(f"turn {turn + 1} of {repeats}: {name}")
            with TemporaryDirectory() as folder:
                runs[name].append(play(zips, Path(folder, "home")))
    return runs


def _table(runs: dict[str, list[Timed]], inflated: int) -> list[Row]:
    seconds = {name: median(run.seconds for run in timings) for name, timings in runs.items()}
    inflating, _, by_hand = seconds.values()
    return [
        {
            "contestant": name,
            "seconds": seconds[name],
            "seconds_best": min(run.seconds for run in timings),
            "processor_seconds": median(run.processor_seconds for run in timings),
            "to_inflating": seconds[name] / inflating,
            "faster": by_hand / seconds[name],
            "megabytes_per_second": inflated / seconds[name] / 1e6,
            "peak_bytes": max(run.peak_bytes or 0 for run in timings) or None,
            "plays": _plays(timings[0].output),
        }
        for name, timings in runs.items()
    ]


def _plays(output: str) -> int | None:
    if not output:
        return None
    said = json.loads(output)
    return int(said["plays"] if "plays" in said else said["rows"]["used"])
