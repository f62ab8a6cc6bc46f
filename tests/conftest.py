"""What tests of several rooms share."""

from __future__ import annotations

import os
from pathlib import Path
from uuid import uuid4

import pytest
import servers
from hypothesis import HealthCheck, settings

settings.register_profile("patient", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")  # a busy machine is no fault of what is tested


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Find the data that is not part of the project; a test that needs it is skipped where it is absent."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("RECSYS_DATA", beside))
    if not folder.is_dir():
        pytest.skip(f"no data at {folder}; name its folder in RECSYS_DATA")
    return folder


@pytest.fixture(scope="session")
def postgres():
    """Run a PostgreSQL server for all tests of this session that ask for one."""
    with servers.postgres() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request, tmp_path):
    """Give an empty database of each kind: the path of a file, then a URL."""
    if request.param == "sqlite":
        return tmp_path / "ledger.db"
    server = request.getfixturevalue("postgres")
    schema = f"t{uuid4().hex}"
    server.ask(f"CREATE SCHEMA {schema}")
    return server.url(schema)


@pytest.fixture(scope="session")
def founded(tmp_path_factory):
    """Found a collective, build a version and train on it: once for all tests that need one; nobody may change it."""
    from collective import founded_and_trained  # noqa: PLC0415 - most tests need none of it

    return founded_and_trained(tmp_path_factory.mktemp("founded"))


@pytest.fixture
def collective(founded):
    """Give the collective to one test, which may do to it what it likes: it is put back afterwards."""
    from collective import Snapshot  # noqa: PLC0415

    snapshot = Snapshot(founded.path)
    yield founded
    snapshot.restore()
