"""Ingest killed again and again, at its disk's every step, and two at once: in the end everything is there, once."""

from __future__ import annotations

import random
import signal
import subprocess
import sys

import pytest
from listens.made import EXTENDED_2025, extended_row, make_zip

from recsys.canonical import Pseudonyms
from recsys.listens import Contributions, ingest

KEY = b"k" * 32
TIMEOUT_S = 120
EXPORTS = 12

RUN = """
import os, signal, sys
from pathlib import Path
from recsys import canonical
from recsys.canonical import Pseudonyms
from recsys.listens import Contributions, ingest

exports, home, workers, last = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
left = [last]

def counted(step):
    def count(*arguments, **more):
        left[0] -= 1
        if left[0] == 0:
            os.killpg(0, signal.SIGKILL)
        return step(*arguments, **more)
    return count

for name in ("fsync", "replace", "link", "mkdir", "open"):
    setattr(os, name, counted(getattr(os, name)))  # as much in workers: they import this file

if __name__ == "__main__":
    os.setpgrp()
    ingest(exports, Contributions(home / "contributions"), Pseudonyms(b"k" * 32), workers=workers)
"""


@pytest.fixture
def exports(tmp_path):
    folder = tmp_path / "exports"
    folder.mkdir()
    for number in range(EXPORTS):
        make_zip(folder / f"{number}.zip", {EXTENDED_2025: [extended_row(ms_played=1_000 * number)]})
    return folder


def start(tmp_path, exports, home, *, workers=2, last=0):
    script = tmp_path / "run.py"
    script.write_text(RUN)
    command = [sys.executable, script, exports, home, str(workers), str(last)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def outcome(run):
    said, _ = run.communicate(timeout=TIMEOUT_S)  # ends only when no worker holds the pipe any more
    assert run.returncode in {0, -signal.SIGKILL}, said.decode()
    return run.returncode


def stored(home):
    store = Contributions(home / "contributions")
    tables = {member: [store._stored(path) for path in store._files(member)] for member in store.members}
    assert all(len(parts) == 1 for parts in tables.values())
    return {member: parts[0] for member, parts in tables.items()}


def leftovers(home):
    return [path for path in home.rglob("*") if path.name.endswith(".partial")]


@pytest.fixture
def expected(tmp_path, exports):
    home = tmp_path / "undisturbed"
    assert ingest(exports, Contributions(home / "contributions"), Pseudonyms(KEY)).read == EXPORTS
    return stored(home)


@pytest.mark.parametrize("workers", [1, 2])
def test_killed_at_any_step_again_and_again_ingest_ends_where_it_would_have(tmp_path, exports, expected, workers):
    home, steps, kills = tmp_path / "home", random.Random(workers), 0
    while outcome(start(tmp_path, exports, home, workers=workers, last=steps.randint(10, 60))):
        kills += 1
        assert all(table == expected[member] for member, table in stored(home).items())  # whole, or not there
    assert kills >= 2
    assert stored(home) == expected
    assert leftovers(home) == []


def test_two_at_once_of_which_one_is_killed_store_what_one_does(tmp_path, exports, expected):
    """Where the one that lives is done before the other has taken its last step, they meet again elsewhere."""
    for attempt in range(10):
        home = tmp_path / f"home {attempt}"
        killed, whole = (start(tmp_path, exports, home, last=last) for last in (25, 0))
        ended = outcome(killed)
        assert outcome(whole) == 0
        assert stored(home) == expected
        ingest(exports, Contributions(home / "contributions"), Pseudonyms(KEY))
        assert leftovers(home) == []
        if ended == -signal.SIGKILL:
            return
    pytest.fail("ten times the one that was to be killed had nothing left to do")
