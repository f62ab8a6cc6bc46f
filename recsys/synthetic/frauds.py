"""A pool with planted frauds, for a benchmark of what finds them.

Most members are honest, some of them twins in taste: two people who like the same artists to the same degree and play
them independently, which is as alike as honest people can be. The frauds come after them, so that a copy is later than
what it copies. All of it is handed in as zips, in every layout, as by :func:`recsys.synthetic.make_collective`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from pathlib import Path

import numpy as np

from recsys.canonical import write_atomically
from recsys.errors import ConfigError
from recsys.parallel import in_processes
from recsys.synthetic.diary import NOW, Diary, keep_diary
from recsys.synthetic.spotify import Author, Layout, export_files, zip_bytes
from recsys.synthetic.world import Taste, World, draw_taste, make_world

_TWINS = 0.1
_EACH = 0.01
_LEAST = 4
_SMALLEST = 100
_PLAYLIST = 60
_TITLES = 12
_EDIT = 1 / 30
_STRETCHED, _MADE_UP = 0.4, 0.6
_DAY = 86_400
_LAST = int(NOW.timestamp()) - _DAY


class Kind(StrEnum):
    """What a member of the pool is."""

    HONEST = "honest"
    TWIN = "honest, twin in taste"
    SECOND_ACCOUNT = "one history under two names"
    SHUFFLED = "shuffled copy"
    EDITED = "copy, 10% edited"
    SHIFTED = "time-shifted copy"
    FARM = "farm on one playlist"
    BOT = "bot with regular gaps"
    FULL_DAYS = "25-hour days"
    OVERLONG = "plays longer than the track"
    STAMPED = "synthetic stamps"
    SLEEPLESS = "never sleeps"
    PASTED = "blocks pasted again"
    SPLIT = "one listener, plays split over two accounts"

    @property
    def honest(self) -> bool:
        """Whether nothing is wrong with it."""
        return self in {Kind.HONEST, Kind.TWIN}


_COPIES = {Kind.SECOND_ACCOUNT, Kind.SHUFFLED, Kind.EDITED, Kind.SHIFTED, Kind.SPLIT}


@dataclass(frozen=True)
class Planted:
    """A member of the pool.

    Attributes
    ----------
    index
        The member's number.
    kind
        What it is.
    source
        The member whose history is copied, or with whom a taste or a playlist is shared; its own number if none.
    """

    index: int
    kind: Kind
    source: int

    @property
    def name(self) -> str:
        """The member's name; the zip bears it."""
        return f"member-{self.index:05d}"


def plan(members: int, seed: int) -> list[Planted]:
    """Say who is what: honest members first, then twins, then the frauds, a hundredth of the pool of each kind.

    Raises
    ------
    ConfigError
        If the pool is too small to hide anything in.
    """
    if members < _SMALLEST:
        raise ConfigError(f"a pool of {members} is too small to hide frauds in; take {_SMALLEST} or more")
    frauds = [kind for kind in Kind if not kind.honest]
    each, twins = max(_LEAST, round(_EACH * members)), round(_TWINS * members / 2) * 2
    honest = members - twins - each * len(frauds)
    people = [Planted(index, Kind.HONEST, index) for index in range(honest)]
    people += [Planted(honest + place, Kind.TWIN, honest + place // 2 * 2) for place in range(twins)]
    copied = np.random.default_rng([seed, 4]).permutation(honest).tolist()
    for kind in frauds:
        first = len(people)
        for place in range(each):
            index = first + place
            source = first if kind is Kind.FARM else copied[index % honest] if kind in _COPIES else index
            people.append(Planted(index, kind, source))
    return people


def make_pool(
    folder: Path,
    people: list[Planted],
    *,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
    workers: int = 0,
) -> None:
    """Write ``early/<member>.zip`` of the honest and ``late/<member>.zip`` of the others."""
    write = partial(_write, folder, seed)
    for done, _ in enumerate(in_processes(write, people, workers=workers), start=1):
        if progress is not None:
            progress(done, len(people))


def _write(folder: Path, seed: int, member: Planted) -> None:
    rng = np.random.default_rng([seed, 5, member.index])
    layout = list(Layout)[rng.integers(len(Layout))]
    author = Author(member.index, make_world(seed), rng)
    made = _diary(seed, member, rng)
    diary = _where(made, np.argsort(made.ended, kind="stable"))
    room = folder / ("early" if member.kind.honest else "late")
    write_atomically(room / f"{member.name}.zip", zip_bytes(export_files(author, diary, layout)))


def _diary(seed: int, member: Planted, rng: np.random.Generator) -> Diary:
    world = make_world(seed)
    match member.kind:
        case Kind.HONEST:
            return _honest(world, seed, member.index)
        case Kind.TWIN | Kind.SPLIT:
            return _of_taste(world, rng, _taste(world, seed, member.source))
        case Kind.FARM:
            return _farm(world, np.random.default_rng([seed, 7, member.source]), rng)
        case _:
            return _FRAUDS[member.kind](_honest(world, seed, member.source), rng)


def _honest(world: World, seed: int, index: int) -> Diary:
    """Give the diary of an honest member; whoever copies it gets the same one."""
    return _of_taste(world, np.random.default_rng([seed, 8, index]), _taste(world, seed, index))


def _taste(world: World, seed: int, index: int) -> Taste:
    rng = np.random.default_rng([seed, 9, index])
    return draw_taste(world, rng, int(np.clip(rng.lognormal(np.log(65), 0.4), 30, 150)))


def _of_taste(world: World, rng: np.random.Generator, taste: Taste) -> Diary:
    plays = int(np.clip(rng.lognormal(np.log(700), 0.5), 300, 2_500))
    return keep_diary(world, rng, rng.uniform(0.5, 3.0), plays, taste)


def _unchanged(diary: Diary, _rng: np.random.Generator) -> Diary:
    return diary


def _shuffled(diary: Diary, rng: np.random.Generator) -> Diary:
    return replace(diary, ended=rng.permutation(diary.ended))


def _shifted(diary: Diary, rng: np.random.Generator) -> Diary:
    return replace(diary, ended=diary.ended - int(rng.integers(3_600, 30 * _DAY)))


def _edited(diary: Diary, rng: np.random.Generator) -> Diary:
    """Drop, rename and add a thirtieth of the plays each."""
    plays = len(diary.ms)
    chance = rng.random(plays)
    kept = _where(diary, chance > _EDIT)
    renamed = (chance[chance > _EDIT] < 2 * _EDIT).astype(np.int64)
    added = _where(diary, rng.random(plays) < _EDIT)
    new = replace(added, ended=added.ended - _DAY, ms=(added.ms * rng.random(len(added.ms))).astype(np.int64))
    return _together(replace(kept, titles=(kept.titles + renamed) % _TITLES), new)


def _bot(diary: Diary, rng: np.random.Generator) -> Diary:
    """Play every track for 31 seconds and a little, a few hundred plays at a stretch."""
    plays = len(diary.ms)
    apart = 33 + rng.integers(0, 3, size=plays)
    apart[::300] += rng.integers(_DAY, 10 * _DAY, size=len(apart[::300]))
    ended = _LAST - np.cumsum(apart)[::-1]
    return replace(diary, ended=ended, ms=31_000 + rng.integers(0, 3, size=plays), finished=np.zeros(plays, bool))


def _full_days(diary: Diary, rng: np.random.Generator) -> Diary:
    """Add five days of 27 hours each."""
    days = _LAST - _DAY * rng.choice(300, size=5, replace=False)
    return _together(diary, *(_filler(diary, rng, int(day), 27) for day in days))


def _filler(diary: Diary, rng: np.random.Generator, day: int, hours: int) -> Diary:
    whole = np.flatnonzero(diary.finished)
    plays = hours * 3_600_000 // int(diary.ms[whole].mean()) + 1
    chosen = _where(diary, rng.choice(whole, size=plays))
    noon = day // _DAY * _DAY
    return replace(chosen, ended=np.sort(noon + rng.integers(0, _DAY, size=plays)))


def _overlong(diary: Diary, rng: np.random.Generator) -> Diary:
    """Claim two and a half times the length of the track for four plays of ten."""
    stretched = diary.finished & (rng.random(len(diary.ms)) < _STRETCHED)
    return replace(diary, ms=np.where(stretched, diary.ms * 5 // 2, diary.ms))


def _stamped(diary: Diary, rng: np.random.Generator) -> Diary:
    """Give three plays of five the instant 90 days ago, as Unwrapped's collector does with top tracks."""
    made_up = rng.random(len(diary.ms)) < _MADE_UP
    return replace(diary, ended=np.where(made_up, int(NOW.timestamp()) - 90 * _DAY, diary.ended))


def _sleepless(diary: Diary, rng: np.random.Generator) -> Diary:
    """Play around the clock, with pauses of an hour on average and three at most."""
    apart = np.minimum(rng.exponential(3_000, size=len(diary.ms)), 10_800).astype(np.int64) + 240
    return replace(diary, ended=_LAST - np.cumsum(apart)[::-1])


def _pasted(diary: Diary, rng: np.random.Generator) -> Diary:
    """Paste a third of the history in again, twice, at other times."""
    third = _where(diary, np.arange(len(diary.ms)) < len(diary.ms) // 3)
    again = [replace(third, ended=third.ended - int(rng.integers(_DAY, 60 * _DAY)) - 97 * step) for step in (1, 2)]
    return _together(diary, *again)


def _farm(world: World, list_rng: np.random.Generator, rng: np.random.Generator) -> Diary:
    """Play a list of 60 tracks at random, as every account of the farm does."""
    taste = draw_taste(world, list_rng, _PLAYLIST)
    titles = list_rng.integers(0, _TITLES, size=_PLAYLIST)
    diary = _of_taste(world, rng, taste)
    track = rng.integers(0, _PLAYLIST, size=len(diary.ms))
    return replace(diary, artists=taste.artists[track], titles=titles[track])


def _where(diary: Diary, chosen: np.ndarray) -> Diary:
    return Diary(**{name: values[chosen] for name, values in vars(diary).items()})


def _together(*diaries: Diary) -> Diary:
    parts = [vars(diary) for diary in diaries]
    return Diary(**{name: np.concatenate([part[name] for part in parts]) for name in parts[0]})


_FRAUDS = {
    Kind.SECOND_ACCOUNT: _unchanged,
    Kind.SHUFFLED: _shuffled,
    Kind.EDITED: _edited,
    Kind.SHIFTED: _shifted,
    Kind.BOT: _bot,
    Kind.FULL_DAYS: _full_days,
    Kind.OVERLONG: _overlong,
    Kind.STAMPED: _stamped,
    Kind.SLEEPLESS: _sleepless,
    Kind.PASTED: _pasted,
}
