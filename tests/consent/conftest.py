"""Ledgers, in each kind of database."""

import pytest

from recsys.consent import Ledger


@pytest.fixture
def ledger(database, tmp_path):
    """Give an empty ledger, in SQLite and then in PostgreSQL; its keys lie in files."""
    return Ledger(database, folder=tmp_path)
