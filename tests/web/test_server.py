import os
import signal
import socket
import subprocess
import urllib.error
import urllib.request
from contextlib import closing
from datetime import date
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import serving
from bundles import make_bundle

from recsys.errors import ConfigError
from recsys.web import listening

LASTING = {"expires": date(2200, 1, 1)}
"""The command looks at the clock on the wall."""


@pytest.fixture(scope="module")
def lasting(tmp_path_factory):
    return make_bundle(tmp_path_factory.mktemp("lasting"), **LASTING)


def get(address):
    with urllib.request.urlopen(address, timeout=serving.PATIENCE_S) as answer:
        return answer.status, answer.read().decode()


def test_it_opens_answers_and_ends_with_ctrl_c(lasting):
    process, told = serving.started(*lasting)
    assert get(told["address"])[0] == 200
    assert get(told["address"].replace("127.0.0.1", "localhost"))[0] == 200
    raw(told["address"], b"GET /" + b"a" * 10_000_000 + b" HTTP/1.1\r\n\r\n")
    raw(told["address"], b"\0" * 1000)
    raw(told["address"], b"GET / HTTP/1.0\r\n\r\n", expect=b"421")
    assert get(told["address"] + "figures")[0] == 200
    assert serving.ended(process) == (0, "")


def raw(address, request, expect=b"400"):
    """Send bytes as they are; a connection that is closed meanwhile is an answer, too."""
    where = urlsplit(address)
    with socket.create_connection((where.hostname, where.port), timeout=serving.PATIENCE_S) as sender:
        try:
            sender.sendall(request)
            answer = sender.recv(100)
        except OSError:
            return
    assert answer == b"" or answer.startswith(b"HTTP/1.1 " + expect)


def test_it_listens_on_the_loopback_alone(lasting):
    process, told = serving.started(*lasting)
    port = urlsplit(told["address"]).port
    sockets = [line.split() for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]]
    listening_on = [columns[1] for columns in sockets if columns[3] == "0A"]
    assert [one for one in listening_on if one.endswith(f":{port:04X}")] == [f"0100007F:{port:04X}"]
    assert serving.ended(process, signal.SIGTERM)[0] in {0, -signal.SIGTERM}


def test_nothing_is_served_of_a_bundle_that_does_not_hold(lasting, tmp_path):
    spoilt = bytearray(lasting[0].read_bytes())
    spoilt[len(spoilt) // 2] ^= 1
    (tmp_path / "spoilt.recsys").write_bytes(spoilt)
    done = run(tmp_path / "spoilt.recsys", lasting[1])
    assert done.returncode in {8, 10}
    assert "was changed" in done.stderr
    assert done.stdout == ""


def test_a_port_that_is_taken_is_said(lasting):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        done = run(*lasting, "--port", str(port))
    assert done.returncode == 2
    assert f"port {port} cannot be had (Address already in use)" in done.stderr


def run(*arguments):
    environment = {**os.environ, "PYTHONFAULTHANDLER": "1"}
    return subprocess.run(
        serving.command(*arguments),
        capture_output=True,
        text=True,
        check=False,
        timeout=serving.PATIENCE_S,
        env=environment,
    )


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org", "", "10.0.0.1"])
def test_other_hosts_than_the_loopback_are_refused(host):
    with pytest.raises(ConfigError, match="is not this machine alone"):
        listening(host, 0)


@pytest.mark.parametrize("port", [-1, 65_536])
def test_ports_that_are_none_are_refused(port):
    with pytest.raises(ConfigError, match="must lie between"):
        listening("127.0.0.1", port)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "localhost"])
def test_the_loopback_has_many_addresses(host):
    with listening(host, 0) as listener:
        assert listener.getsockname()[0].startswith("127.")


def test_what_is_answered_does_not_wait_for_the_browser_to_acknowledge_its_beginning():
    with closing(listening("127.0.0.1", 0)) as listener:
        listener.listen()
        with socket.create_connection(listener.getsockname()), closing(listener.accept()[0]) as accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
