"""Homes whose books lie in each kind of database."""

import pytest

from recsys.home import Home


@pytest.fixture
def home(tmp_path):
    """Give an empty home, its books in SQLite."""
    return Home(tmp_path / "home")


@pytest.fixture
def stored_home(database, tmp_path, monkeypatch):
    """Give an empty home, its books in SQLite and then in PostgreSQL."""
    if "://" in str(database):
        monkeypatch.setenv("RECSYS_DATABASE", database)
    return Home(tmp_path / "home")
