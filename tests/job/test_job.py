"""recsys job: what Vana's compute engine tells it, asks for it, and gets from it."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from answers import answer

from recsys.canonical import sha256_file, sha256_hex
from recsys.cli import main
from recsys.errors import ConfigError, DatasetTooSmallError, StorageError, UnreadableExportError
from recsys.experiment import Experiment
from recsys.job import Order, fetch_results, work
from recsys.named import NamedModel

PRODUCTION = {
    "QUERY": "SELECT user_id_hash, artist_id, artist_name, play_count FROM user_top_artists",
    "QUERY_SIGNATURE": "0xsigned",
    "QUERY_PARAMS": '["medium_term"]',
    "COMPUTE_JOB_ID": "21",
    "DATA_REFINER_ID": "12",
}
QUICK = Experiment(held_out=0.2, als={"factors": 4, "iterations": 3, "warm_up": 0})


def local(folder):
    return Order.read({"INPUT_PATH": str(folder / "in"), "OUTPUT_PATH": str(folder / "out"), "DEV_MODE": "1"})


def test_rows_go_in_and_a_model_comes_out_without_them(tmp_path):
    order = local(tmp_path)
    answer(order.database)
    done = work(order, QUICK, min_listeners=10)
    written = {path.relative_to(order.output).as_posix() for path in order.output.rglob("*") if path.is_file()}
    assert written == {*done.results["files"], "results.json"}
    assert {"report.html", "model/model.safetensors", "model/artists.json"} <= written
    results = json.loads((order.output / "results.json").read_bytes())
    assert results["files"] == {name: sha256_file(order.output / name) for name in results["files"]}
    assert results["dataset"]["counts"]["members"] == 100
    assert results["scores"].keys() == results["popularity"].keys()
    assert results["privacy"]["fewest_listeners"] >= 5  # of those who were not held out
    assert 0.3 < results["privacy"]["membership"]["auc"]["value"] <= 1
    everything = b"".join(path.read_bytes() for path in order.output.rglob("*") if path.is_file())
    for member in range(100):
        assert sha256_hex(b"%d" % member).encode() not in everything
    assert b"Cellar Band" not in everything
    model = NamedModel.load(order.output / "model")
    assert len(model.model.user_factors) == 0
    assert len(model.artists) == 24
    assert len(model.recommend(["Artist 3"]).artists) == 10


def test_the_same_answer_gives_the_same_bytes_again_and_over_an_older_job(tmp_path):
    one, other = local(tmp_path / "one"), local(tmp_path / "other")
    for order in (one, other):
        answer(order.database)
    (other.output / "model").mkdir(parents=True)
    (other.output / "model" / "of a job before").write_text("")
    (other.output / "results.json").write_text("{}")
    for order in (one, other):
        work(order, QUICK)
    names = sorted(path.relative_to(one.output) for path in one.output.rglob("*") if path.is_file())
    assert names == sorted(path.relative_to(other.output) for path in other.output.rglob("*") if path.is_file())
    for name in names:
        assert (one.output / name).read_bytes() == (other.output / name).read_bytes()


def test_the_command(tmp_path, monkeypatch, capsys):
    answer(tmp_path / "in" / "query_results.db")
    for name, value in {"INPUT_PATH": tmp_path / "in", "OUTPUT_PATH": tmp_path / "out", "DEV_MODE": "true"}.items():
        monkeypatch.setenv(name, str(value))
    (tmp_path / "quick.toml").write_text("held_out = 0.2\nfactors = 4\niterations = 3\n")
    with pytest.raises(SystemExit) as ended:
        main(["job", str(tmp_path / "quick.toml")])
    assert ended.value.code == 0
    said = capsys.readouterr().out
    assert "100 members and 24 artists" in said
    assert "no row of the answer is among them" in said


@pytest.mark.parametrize("missing", ["QUERY", "QUERY_SIGNATURE", "COMPUTE_JOB_ID", "DATA_REFINER_ID"])
def test_an_order_that_lacks_something_names_it(missing):
    with pytest.raises(ConfigError, match=missing):
        Order.read({name: value for name, value in PRODUCTION.items() if name != missing})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DEV_MODE", "perhaps"),
        ("COMPUTE_JOB_ID", "twelve"),
        ("COMPUTE_JOB_ID", "-1"),
        ("DATA_REFINER_ID", "²"),
        ("QUERY_PARAMS", "[1"),
        ("QUERY_PARAMS", '{"a": 1}'),
        ("QUERY_PARAMS", "[" * 100_000),
    ],
)
def test_an_order_that_is_unclear_names_what_is(name, value):
    with pytest.raises(ConfigError, match=name):
        Order.read({**PRODUCTION, name: value})


def test_an_order_as_the_template_reads_it():
    order = Order.read(PRODUCTION)
    assert (str(order.input), str(order.output), order.engine) == (
        "/mnt/input",
        "/mnt/output",
        "https://query.vana.org",
    )
    assert (order.job, order.refiner, order.params, order.local) == (21, 12, ("medium_term",), False)
    assert "0xsigned" not in repr(order)
    assert "0xsigned" not in json.dumps(order.facts())


class Engine:
    """A query engine as Vana's client knows it: POST /query, GET /query/ID, and the results."""

    def __init__(self, results, statuses=("pending", "success"), code=200):
        self.results, self.statuses, self.code = results, list(statuses), code
        self.asked, self.signatures = [], []

    def respond(self, handler, body):
        self.signatures.append(handler.headers["X-Query-Signature"])
        if self.code != 200:
            return self.code, b'{"detail": "no permission for this column"}'
        if handler.command == "POST":
            self.asked.append(json.loads(body))
            return 200, b'{"query_id": "q/1"}'
        if handler.path == "/query/q%2F1":
            status = self.statuses.pop(0)
            where = f"http://127.0.0.1:{handler.server.server_port}/results"
            return 200, json.dumps({"query_status": status, "query_results": where}).encode()
        return 200, self.results


@contextmanager
def serving(engine):
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            code, body = engine.respond(self, self.rfile.read(int(self.headers.get("Content-Length") or 0)))
            self.send_response(code)
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # noqa: N815 - the library's name

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def production(folder, address):
    return Order.read(
        {
            **PRODUCTION,
            "INPUT_PATH": str(folder / "in"),
            "OUTPUT_PATH": str(folder / "out"),
            "QUERY_ENGINE_URL": address,
        }
    )


def test_the_query_engine_is_asked_as_vanas_own_client_asks(tmp_path):
    engine = Engine(answer(tmp_path / "made.db").read_bytes(), statuses=("pending", "pending", "success"))
    waits = []
    with serving(engine) as address:
        order = production(tmp_path, address)
        fetch_results(order, wait=waits.append)
    assert engine.asked == [{"query": PRODUCTION["QUERY"], "params": ["medium_term"], "refiner_id": 12, "job_id": "21"}]
    assert set(engine.signatures) == {"0xsigned"}
    assert len(waits) == 2
    results = work(order, QUICK).results
    assert results["source"]["query_sha256"] == sha256_hex(PRODUCTION["QUERY"].encode())
    assert "0xsigned" not in (order.output / "results.json").read_text()


@pytest.mark.parametrize(
    ("engine", "said"),
    [
        (Engine(b"", code=403), "403 .*no permission for this column"),
        (Engine(b"", statuses=["failed"]), "the query failed"),
        (Engine(b"", statuses=["pending"] * 1000), "did not answer in 600 s"),
    ],
    ids=["refused", "failed", "for ever"],
)
def test_an_engine_that_does_not_answer(tmp_path, engine, said):
    with serving(engine) as address, pytest.raises(StorageError, match=said):
        fetch_results(production(tmp_path, address), wait=lambda _: None)
    assert not (tmp_path / "in").exists() or not list((tmp_path / "in").iterdir())


def test_an_engine_that_is_not_there(tmp_path):
    with serving(Engine(b"")) as address:
        pass
    with pytest.raises(StorageError, match="cannot be reached"):
        fetch_results(production(tmp_path, address), wait=lambda _: None)


def test_rows_do_not_travel_in_the_open(tmp_path):
    with pytest.raises(ConfigError, match="not an https address"):
        fetch_results(production(tmp_path, "http://query.example.org"), wait=lambda _: None)


@pytest.mark.parametrize("content", [None, b"", b"no database", b"SQLite format 3\x00 and then nothing"])
def test_an_answer_that_is_none(tmp_path, content):
    order = local(tmp_path)
    order.database.parent.mkdir()
    if content is not None:
        order.database.write_bytes(content)
    with pytest.raises(UnreadableExportError, match=r"query_results\.db"):
        work(order, QUICK)
    assert not (order.output / "results.json").exists()


def test_an_answer_of_too_few(tmp_path):
    order = local(tmp_path)
    answer(order.database, members=3)
    with pytest.raises(DatasetTooSmallError, match="at least 10 listeners"):
        work(order, QUICK)
