"""A small collective with a version and a run, made once for a module of tests."""

import sqlite3
from types import SimpleNamespace

from recsys.consent import admit, read_decisions
from recsys.dataset import build_next
from recsys.experiment import load_experiment, run
from recsys.home import Home
from recsys.listens import ingest
from recsys.synthetic import NOW, PURPOSE, make_collective, member_name

SETTINGS = {"factors": 8, "iterations": 3, "alpha": 2.0, "held_out": 0.15}


def found_collective(folder, *, members=150, but=frozenset()):
    """Make people up, take in their exports `but` those of these names, and record what their members decided."""
    make_collective(folder / "world", members=members, seed=0, workers=1)
    for name in but:
        (folder / "world" / "exports" / name).unlink()
    home = Home(folder / "home")
    ingest(folder / "world" / "exports", home.contributions, home.pseudonyms, workers=1)
    decisions = read_decisions(folder / "world" / "consents.jsonl")
    home.ledger.record(decision for decision in decisions if f"{decision.member}.zip" not in but)
    return home


def next_version(home, at=NOW):
    admitted = admit(home.contributions, home.ledger, PURPOSE, at)
    artists = home.artists.preferences(at=at, policy=home.collective.artist_policy)
    return build_next(home.datasets, admitted, artists=artists, collective=home.collective)[0]


def trained(home, **settings):
    return run(load_experiment(None, {**SETTINGS, **settings}), home)


def members_of(home, version):
    """Give the names of a version's members, in the order of their rows."""
    names = {home.pseudonyms.of(member_name(index)): member_name(index) for index in range(1_000)}
    return [names[member] for member in version.members]


def founded_and_trained(folder):
    home = found_collective(folder)
    home.artists.opt_out("An Artist Whom Nobody Hears", by="their label", at=NOW)
    version = next_version(home)
    run_id = trained(home).run_id
    return SimpleNamespace(
        path=home.path, version=version, run=run_id, names=members_of(home, version), key=home.operator.public
    )


class Snapshot:
    """The files of a home as they are, to be put back in place: open databases go on living in the same files."""

    def __init__(self, folder):
        self._folder = folder
        self._all = set(folder.rglob("*"))
        self._files = {path: path.read_bytes() for path in self._paths()}
        self._runs = sqlite3.connect(":memory:")
        with sqlite3.connect(folder / "mlflow.db") as runs:
            runs.backup(self._runs)

    def restore(self):
        for path in sorted(self._folder.rglob("*"), reverse=True):
            if path not in self._all and "mlflow" not in path.name:
                path.rmdir() if path.is_dir() else path.unlink()
        for path, content in self._files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            if not path.exists() or path.read_bytes() != content:
                path.write_bytes(content)
        with sqlite3.connect(self._folder / "mlflow.db") as runs:
            self._runs.backup(runs)

    def _paths(self):
        return [path for path in self._folder.rglob("*") if path.is_file() and "mlflow" not in path.name]
