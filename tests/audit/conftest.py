"""One audited collective for all tests of the room; each test gets it as it was."""

from types import SimpleNamespace

import pytest
from collective import Snapshot, found_collective, members_of, next_version, trained

from recsys.home import Home
from recsys.synthetic import NOW


@pytest.fixture(scope="session")
def audited(tmp_path_factory):
    """Found a collective, build a version and train on it."""
    home = found_collective(tmp_path_factory.mktemp("audited"))
    home.artists.opt_out("An Artist Whom Nobody Hears", by="their label", at=NOW)
    version = next_version(home)
    outcome = trained(home)
    return SimpleNamespace(
        path=home.path, version=version, run=outcome.run_id, names=members_of(home, version), key=home.operator.public
    )


@pytest.fixture
def collective(audited):
    """Give the collective, and put it back afterwards."""
    snapshot = Snapshot(audited.path)
    yield audited
    snapshot.restore()


@pytest.fixture
def home(collective):
    return Home(collective.path)
