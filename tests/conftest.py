"""What tests of several rooms share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Find the data that is not part of the project; a test that needs it is skipped where it is absent."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("RECSYS_DATA", beside))
    if not folder.is_dir():
        pytest.skip(f"no data at {folder}; name its folder in RECSYS_DATA")
    return folder
