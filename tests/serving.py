"""The sample's room as a process of its own: started by its command, ended by Ctrl-C."""

import json
import signal
import subprocess
import sys
from contextlib import contextmanager

PATIENCE_S = 120


def command(path, key, *arguments):
    """Give the command that serves a bundle."""
    return [sys.executable, "-m", "recsys", "sample", "serve", str(path), "--key", str(key), "--json", *arguments]


def started(*arguments):
    """Start it, and wait for what it says once it answers; gives the process and what it said."""
    process = subprocess.Popen(command(*arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    lines = []
    while not lines or lines[-1] != "}\n":
        lines.append(process.stdout.readline())
        if not lines[-1]:
            raise AssertionError(f"the pages did not open: {process.communicate()[1]}")
    return process, json.loads("".join(lines))


def ended(process, how=signal.SIGINT):
    """End it, and give its exit code and what it said on standard error."""
    process.send_signal(how)
    _, said = process.communicate(timeout=PATIENCE_S)
    return process.returncode, said


@contextmanager
def serving(*arguments):
    """Serve a bundle until the block ends; gives the address."""
    process, told = started(*arguments)
    try:
        yield told["address"]
    finally:
        ended(process)
