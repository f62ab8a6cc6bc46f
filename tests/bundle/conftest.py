"""What tests of opened bundles share."""

import bundles
import pytest

from recsys.bundle import SealKey, archive, open_sample
from recsys.home import Home
from recsys.synthetic import NOW


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return bundles.make_bundle(tmp_path_factory.mktemp("bundle"))


@pytest.fixture(scope="module")
def entries(made):
    return archive.read_file(made[0])


@pytest.fixture(scope="module")
def sealer():
    return SealKey.at(Home(bundles.small_home().path).seal_key)


@pytest.fixture
def reopened(tmp_path, made):
    """Write bytes as a bundle and open them with the right key."""

    def attempt(data, **told):
        path = tmp_path / "sample.recsys"
        path.write_bytes(data)
        return open_sample(path, made[1], **{"at": NOW, **told})

    return attempt
