"""A room with a real bundle, for all tests of the pages."""

import pytest
from bundles import make_bundle
from web.rooms import Clock, asking

from recsys.web import Room


@pytest.fixture(scope="session")
def bundle(tmp_path_factory):
    return make_bundle(tmp_path_factory.mktemp("bundle"))


@pytest.fixture(scope="session")
def real(bundle):
    return Room.open(*bundle, Clock())


@pytest.fixture(scope="session")
def pages(real):
    return asking(real)


@pytest.fixture(scope="session")
def known(real):
    """The best known artists of the bundle."""
    names = real.sample.named.artists.names
    order = (-real.sample.listeners).argsort(kind="stable")
    return [names[column] for column in order[:6]]
