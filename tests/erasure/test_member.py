"""Everything of one member goes, nothing of anybody else, and who comes back is let in."""

from collections import Counter
from datetime import timedelta

import pyarrow.parquet as pq
import pytest
from collective import next_version

from recsys.consent import admit
from recsys.erasure import erase, keeps_nothing, welcome_back
from recsys.errors import VersionWithdrawnError
from recsys.home import Home
from recsys.listens import ingest
from recsys.synthetic import NOW, PURPOSE

LATER = NOW + timedelta(hours=1)


@pytest.fixture
def home(collective):
    return Home(collective.path)


def plays_of(home, digest):
    folder = home.datasets.path(digest)
    members = home.datasets.members(digest)
    return Counter(members[row] for row in pq.read_table(folder / "pairs.parquet")["member"].to_pylist())


def test_all_that_is_known_of_a_member_goes_and_nothing_of_the_others(home, collective):
    name, digest = collective.names[7], collective.version.digest
    member = home.pseudonyms.of(name)
    sketch = home.path / "proof" / f"{member}.sketch"
    sketch.parent.mkdir()
    sketch.write_bytes(b"a sketch")
    before = plays_of(home, digest)
    rest = {path: path.read_bytes() for path in (home.path / "contributions").rglob("*.listens")}
    home.ledger.withdraw(name, at=LATER)
    erased = erase(home, name, at=LATER)

    assert Counter(path.split("/")[0] for path in erased.removed) == {
        "keys": 1, "contributions": 1, "proof": 1, "datasets": 1
    }  # fmt: skip
    assert not [path for path in erased.removed if (home.path / path).exists() and not path.startswith("datasets")]
    assert not sketch.exists()
    kept = {path.relative_to(home.path).as_posix() for path in home.path.rglob(f"*{member}*")}
    assert kept == {f"keys/data/{member}.destroyed"} | {path for path in kept if path.startswith("keys/members/")}
    assert plays_of(home, digest) == Counter({one: n for one, n in before.items() if one != member})
    assert {path: path.read_bytes() for path in rest if member not in str(path)} == {
        path: content for path, content in rest.items() if member not in str(path)
    }
    assert any("data key destroyed" in line for line in erased.words())
    with pytest.raises(VersionWithdrawnError, match="erased"):
        home.datasets.load(digest)
    assert home.datasets.load(digest, remains=True).members == collective.version.members


def test_erasing_again_finds_nothing_left(home, collective):
    name = collective.names[0]
    home.ledger.withdraw(name, at=LATER)
    first = erase(home, name, at=LATER)
    again = erase(home, name, at=LATER + timedelta(days=1))
    assert (len(first.removed), again.removed) == (3, ())
    assert "nothing left" in again.words()[0]


def test_the_next_version_is_major_and_holds_nothing_of_them(home, collective):
    name = collective.names[3]
    member = home.pseudonyms.of(name)
    home.ledger.withdraw(name, at=LATER)
    erase(home, name, at=LATER)
    version = next_version(home, LATER)
    assert member not in version.members
    assert version.manifest.version == "2.0.0"
    assert version.manifest.change["members_left"] == 1
    assert version.manifest.parent == collective.version.digest


def test_who_agrees_to_something_keeps_their_data(home, collective):
    name = collective.names[0]
    assert not keeps_nothing(home, name, NOW)
    home.ledger.grant(name, "research", at=NOW)
    home.ledger.grant(name, "share-with-buyer", at=NOW, recipient="A Buyer")
    home.ledger.withdraw(name, PURPOSE, at=LATER)
    home.ledger.withdraw(name, "research", at=LATER)
    assert not keeps_nothing(home, name, LATER)
    home.ledger.withdraw(name, "share-with-buyer", at=LATER)
    assert keeps_nothing(home, name, LATER)
    assert keeps_nothing(home, "nobody has ever heard of them", LATER)


def test_an_old_zip_is_taken_in_again_only_after_a_new_grant(home, collective):
    name = collective.names[0]
    member = home.pseudonyms.of(name)
    zips = home.path.parent / "world" / "exports"
    home.ledger.withdraw(name, at=LATER)
    erase(home, name, at=LATER)

    def take_in():
        welcome_back(home)
        return ingest(zips / f"{name}.zip", home.contributions, home.pseudonyms, workers=1)

    report = take_in()
    assert (report.read, report.erased, report.members) == (0, 1, 0)
    assert "erased" in report.words()
    home.ledger.withdraw(name, at=LATER + timedelta(hours=1))  # another withdrawal is no return
    assert take_in().read == 0
    assert member not in home.contributions.members
    home.ledger.grant(name, PURPOSE, at=LATER + timedelta(hours=2))
    assert take_in().read == 1
    assert home.contributions.read(member).table.num_rows > 0
    admitted = admit(home.contributions, home.ledger, PURPOSE, LATER + timedelta(hours=3))
    assert member in admitted.members
