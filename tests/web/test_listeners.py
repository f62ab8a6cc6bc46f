import csv
import io
import os
import re
import sys
import threading
import zipfile
from pathlib import Path

import numpy as np
import pytest
from web.rooms import asking, room_of

from recsys.bundle.trying import read_histories, try_on
from recsys.web import listeners
from recsys.web.uploads import LARGEST

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
heard = []


def listen(event, arguments):
    if event in {"open", "tempfile.mkstemp", "tempfile.mkdtemp", "os.rename", "os.mkdir"}:
        heard.append((event, arguments))


sys.addaudithook(listen)


def histories(names, users=60, each=12):
    """Listeners who each play some artists, the first ones more of the first."""
    rng, out = np.random.default_rng(0), io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["user", "artist", "plays"])
    for user in range(users):
        part = names[: len(names) // 2] if user % 2 else names[len(names) // 2 :]
        for name in rng.choice(part, each, replace=False):
            writer.writerow([f"u{user}", name, int(rng.integers(1, 50))])
    return out.getvalue().encode()


@pytest.fixture
def own(real):
    return histories([*real.sample.named.artists.names[:60], *(f"Nobody Else's {i}" for i in range(8))])


def send(pages, content, name="mine.csv"):
    return pages.post("/listeners", files={"histories": (name, content, "text/csv")})


def words(answer):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text))


def test_figures_are_those_of_the_trial_itself(pages, real, own, tmp_path):
    (tmp_path / "mine.csv").write_bytes(own)
    expected = try_on(real.sample, read_histories(tmp_path / "mine.csv"))
    answer = send(pages, own)
    assert answer.status_code == 200
    told = words(answer)
    assert expected.verdict in told
    for figures in (expected.everything, expected.known):
        for scores in figures.scores.values():
            ndcg = scores["ndcg_at_100"]
            assert f"{ndcg.mean:.3f} [{ndcg.low:.3f}, {ndcg.high:.3f}]" in told
    assert "68, of whom the sample knows 60" in told


def test_nothing_of_an_upload_is_written_to_the_disk(pages, own):
    """More than a megabyte: what Starlette's own parser would move into a temporary file."""
    padded = own + b"\n".join(b"u%d,Nobody %s,1" % (i, b"x" * 200) for i in range(8_000))
    assert len(padded) > 1_500_000
    send(pages, own)  # whatever is loaded when it is first used
    heard.clear()
    assert send(pages, padded).status_code == 200
    written = [(event, told) for event, told in heard if event != "open" or writes(told)]
    assert written == []


def writes(told):
    path, mode, flags = told
    wanted = bool((flags or 0) & WRITING) or any(letter in (mode or "") for letter in "wax+")
    return wanted and not isinstance(path, int)  # a number is a file that is open already


def test_nothing_of_an_upload_is_kept(pages, own):
    before = set(Path("/proc/self/fd").iterdir())
    send(pages, own)
    send(pages, b"user,artist\nu,a\n")
    assert set(Path("/proc/self/fd").iterdir()) <= before


def zipped(content):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("mine.csv", content)
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "is empty"),
        (b" \n\n", "is empty"),
        (b"user,artist,plays\n", "mine.csv"),
        (b"user,artist\nu,a\n", "an evaluation needs at least 2"),
        (b'user,artist\n"u,a\n', "mine.csv"),
        (b"a,b\n1,2\n", "one of user"),
        (b"user,artist,plays\nu,a,1\nu,b\n", "Expected 3 columns, got 2"),
        (b"user,artist,plays\nu,a,many\nu,b,1\n", "plays"),
        (b"user,artist,plays\nu,a,-1\nu,b,1\nv,a,1\nv,b,1\n", "mine.csv"),
        (b"user,artist\n\xff\xfe,\x80\n", "invalid UTF8"),
        (bytes(range(256)) * 20, "mine.csv"),
        (b"\0" * 4_000, "mine.csv"),
        (zipped(b"user,artist\nu,a\n"), "is a zip or a spreadsheet"),
        (b"user,artist\n" + b"".join(b"u%d,%s\n" % (i, b"y" * 5_000) for i in range(4)), "letters"),
        (b"PAR1" + b"\0" * 40 + b"PAR1", "mine.csv"),
    ],
)
def test_what_cannot_be_evaluated_is_said_in_words(pages, content, told):
    answer = send(pages, content)
    assert answer.status_code == 422
    alarm = re.search(r'id="wrong">(.*?)</p>', answer.text, re.DOTALL)[1]
    assert told in alarm
    assert "/proc" not in alarm
    assert "Traceback" not in alarm
    assert all(letter.isprintable() for letter in alarm)


def test_strangers_are_told_that_nothing_is_known_of_them(pages):
    answer = send(pages, histories([f"Unheard {i}" for i in range(40)]))
    assert answer.status_code == 422
    assert "the bundle knows 0 of the 40 artists" in words(answer).replace("The bundle", "the bundle")


@pytest.mark.parametrize("name", ["<b>x</b>.csv", "../../etc/passwd", "a\u202eb.csv", "x" * 500])
def test_a_files_name_is_only_a_name(pages, name):
    answer = send(pages, b"", name)
    assert answer.status_code == 422
    assert "<b>x" not in answer.text
    assert "x" * 81 not in answer.text


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"histories=1", "application/x-www-form-urlencoded"),
        (b"{}", "application/json"),
        (b"--x", "multipart/form-data"),
        (b"--x\r\nnonsense", "multipart/form-data; boundary=x"),
        (
            b'--x\r\nContent-Disposition: form-data; name="histories"\r\n\r\ntext\r\n--x--\r\n',
            "multipart/form-data; boundary=x",
        ),
        (b"", "multipart/form-data; boundary=x"),
        (b"--x\r\n\r\n\r\n--x--", "multipart/form-data; boundary=x"),
    ],
)
def test_forms_that_are_none_are_refused(pages, content, kind):
    answer = pages.post("/listeners", content=content, headers={"content-type": kind})
    assert answer.status_code == 422
    assert "was not evaluated" in answer.text


@pytest.mark.parametrize("announced", [True, False])
def test_too_large_a_file_is_refused(pages, announced):
    head = b'--x\r\nContent-Disposition: form-data; name="histories"; filename="a.csv"\r\n\r\n'
    block = b"a" * (1 << 20)
    parts = [head, *([block] * (LARGEST // len(block) + 1)), b"\r\n--x--\r\n"]
    answer = pages.post(
        "/listeners",
        content=b"".join(parts) if announced else iter(parts),
        headers={"content-type": "multipart/form-data; boundary=x"},
    )
    assert answer.status_code == 413
    assert "more than is taken here" in answer.text


def test_one_file_is_looked_at_at_a_time(monkeypatch):
    pages = asking(room_of(*"ABCDEFGH"))
    entered, leave = threading.Event(), threading.Event()

    def slowly(*_):
        entered.set()
        assert leave.wait(60)
        raise listeners.ConfigError("enough")

    monkeypatch.setattr(listeners, "tried", slowly)
    first = []
    with pages:  # one loop for both
        thread = threading.Thread(target=lambda: first.append(send(pages, b"user,artist\n")))
        thread.start()
        assert entered.wait(60)
        second = send(pages, b"user,artist\n")
        assert pages.get("/").status_code == 200  # others are answered meanwhile
        leave.set()
        thread.join()
    assert second.status_code == 503
    assert second.headers["retry-after"] == "5"
    assert first[0].status_code == 422
