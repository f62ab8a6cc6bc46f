"""A small collective on disk, for tests that need everything a version is built from."""

import shutil
from dataclasses import replace
from datetime import timedelta

import pyarrow as pa
from people import NOW, PURPOSE, listens

from recsys.canonical import sha256_hex
from recsys.consent import ArtistRegistry, Ledger, admit
from recsys.dataset import DatasetStore, build_next, reproduce
from recsys.listens import Contributions
from recsys.transparency import SigningKey

MINUTE = 60_000
DAY = timedelta(days=1)
KEY = SigningKey(bytes(32))


class Members:
    """Members who hand in, agree and leave; nothing is stubbed."""

    def __init__(self, folder):
        self.folder = folder
        self.ledger = Ledger(folder / "ledger.db")
        self.contributions = Contributions(folder / "contributions")
        self.registry = ArtistRegistry(folder / "artists.db", lambda: KEY)
        self.store = DatasetStore(folder / "datasets")

    def hand_in(self, name, artists, *, export="first", route="gdpr-export"):
        found = listens(self.ledger.pseudonym(name), [(artist, MINUTE) for artist in artists])
        table = found.table.set_column(
            found.table.column_names.index("route"), "route", pa.array([route] * found.table.num_rows, pa.string())
        )
        self.contributions.add(replace(found, table=table), sha256_hex(f"{name} {export}".encode()))

    def agree(self, name, *, at=NOW - DAY, until=None):
        self.ledger.grant(name, PURPOSE, at=at, until=until)

    def join(self, name, artists):
        self.hand_in(name, artists)
        self.agree(name)

    def lose(self, name):
        shutil.rmtree(self.contributions.folder / self.ledger.pseudonym(name))

    def build(self, *, at=NOW, **options):
        admitted = admit(self.contributions, self.ledger, PURPOSE, at)
        artists = self.registry.preferences(at=at)
        version, _ = build_next(self.store, admitted, **{"min_listeners": 2, "artists": artists, **options})
        return version

    def reproduce(self, version, *, at=NOW + 99 * DAY, **options):
        parts = {"ledger": self.ledger, "contributions": self.contributions, "registry": self.registry}
        return reproduce(self.store, version.digest, **{**parts, "at": at, **options})


TASTES = {
    "ada": ["Óró", "Óró", "Nocturne", "Rare"],
    "bob": ["Óró", "Nocturne"],
    "cyd": ["Nocturne", "岡崎"],
    "dan": ["岡崎", "Óró"],
}


def collective(folder, tastes=None):
    """Let everybody join."""
    members = Members(folder)
    for name, artists in (tastes or TASTES).items():
        members.join(name, artists)
    return members
