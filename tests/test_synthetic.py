"""The collective of people that do not exist: real in form, planted in taste, the same every time."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import sys
import zipfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from threading import Barrier

import numpy as np
import pytest

from recsys.canonical import Pseudonyms
from recsys.errors import ConfigError
from recsys.listens import Contributions, artist_key, counts_as_play, ingest, read_export
from recsys.synthetic import BUYER, NOW, PURPOSE, SECRETS, make_collective, make_histories, member_name
from recsys.synthetic.founding import claim
from recsys.synthetic.world import ARTISTS, draw_taste, make_world

MEMBERS = 60
TIMEOUT_S = 120


def contents(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def collective(tmp_path_factory):
    folder = tmp_path_factory.mktemp("collective")
    make_collective(folder, members=MEMBERS, seed=3, workers=1)
    return folder


@pytest.fixture(scope="module")
def ingested(collective, tmp_path_factory):
    store = Contributions(tmp_path_factory.mktemp("home") / "contributions")
    return store, ingest(collective / "exports", store, Pseudonyms(b"k" * 32), workers=1)


def test_the_same_seed_gives_the_same_bytes_on_any_number_of_processes(collective, tmp_path):
    seen = []
    make_collective(tmp_path, members=MEMBERS, seed=3, workers=2, progress=lambda *at: seen.append(at))
    assert contents(tmp_path) == contents(collective)
    assert seen == [(number, MEMBERS) for number in range(1, MEMBERS + 1)]


def test_a_member_depends_on_the_seed_and_the_number_alone(collective, tmp_path):
    make_collective(tmp_path / "fewer", members=5, seed=3)
    make_collective(tmp_path / "other", members=5, seed=4)
    name = f"{member_name(2)}.zip"
    assert (tmp_path / "fewer/exports" / name).read_bytes() == (collective / "exports" / name).read_bytes()
    assert (tmp_path / "other/exports" / name).read_bytes() != (collective / "exports" / name).read_bytes()


def test_another_collective_is_not_mixed_into_a_folder(tmp_path):
    make_collective(tmp_path, members=2, seed=3)
    before = contents(tmp_path)
    with pytest.raises(ConfigError, match="holds another collective"):
        make_collective(tmp_path, members=2, seed=4)
    assert contents(tmp_path) == before


KILL = """
import os, signal, sys
from pathlib import Path
from recsys.synthetic import make_collective

if __name__ == "__main__":
    make_collective(
        Path(sys.argv[1]), members=60, seed=3, workers=2,
        progress=lambda done, total: os.kill(os.getpid(), signal.SIGKILL) if done == 9 else None,
    )
"""


def test_a_killed_run_goes_on(collective, tmp_path):
    script = tmp_path / "run.py"
    script.write_text(KILL)
    folder = tmp_path / "collective"
    killed = subprocess.run([sys.executable, script, folder], stdout=subprocess.PIPE, timeout=TIMEOUT_S, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert not (folder / "consents.jsonl").exists()
    make_collective(folder, members=MEMBERS, seed=3)
    whole = {name: data for name, data in contents(folder).items() if not name.endswith(".partial")}
    assert whole == contents(collective)


def test_exports_come_in_every_layout_with_the_personal_files_of_real_ones(collective):
    names = Counter()
    for path in (collective / "exports").iterdir():
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                assert archive.testzip() is None
                names.update(name.split("/")[-1].rstrip("0123456789-_.json") for name in archive.namelist())
    wanted = {
        "StreamingHistory",
        "StreamingHistory_music",
        "StreamingHistory_podcast",
        "endsong",
        "Userdata",
        "Identity",
    }
    assert wanted | {"Streaming_History_Audi", "Streaming_History_Vide", "UserAddre"} <= set(names)


def test_most_exports_are_read_and_hold_what_real_ones_hold(ingested):
    _, report = ingested
    assert (report.read, len(report.broken)) == (MEMBERS - 1, 1)
    reasons = {"podcast", "no-track", "incognito", "repeated", "in-extended", "unknown-artist"}
    assert set(report.rows.left_out) == reasons
    assert report.rows.rows_used > 0.9 * report.rows.rows_read


def test_what_is_personal_stands_in_the_exports_and_nowhere_in_what_is_stored(collective, ingested):
    store, _ = ingested
    exported = b""
    for path in (collective / "exports").iterdir():
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                exported += b"".join(map(archive.read, archive.namelist()))
    kept = "".join(str(store.read(member).table.to_pydict()) for member in store.members).encode()
    kept += b"".join(contents(store.folder).values())
    for secret in SECRETS:
        assert secret in exported
        assert secret not in kept


def test_histories_are_of_human_size_and_lie_before_now(ingested):
    store, _ = ingested
    for member in store.members:
        table = store.read(member).table
        plays = table.filter(counts_as_play(table))
        assert 150 <= table.num_rows <= 1_700
        assert 15 <= len(plays["artist"].unique()) <= 160
        assert table["played_at"][-1].as_py() <= NOW


def test_a_broken_export_is_broken_in_each_of_four_ways(tmp_path):
    from recsys import synthetic  # noqa: PLC0415 - its parts, for this test only

    faults = []
    for index in (50, 150, 250, 350):
        path = tmp_path / f"{index}.zip"
        path.write_bytes(synthetic._export(0, index))
        with pytest.raises(Exception) as caught:  # noqa: PT011 - looked at below
            read_export(path)
        faults.append(caught.value.reason.split(";")[0])
    assert faults[0].startswith("not a zip")
    assert faults[1].startswith("not a zip")
    assert "truncated" in faults[2]
    assert faults[3].startswith("no listening history")


def test_consents_are_granted_refused_expired_and_withdrawn():
    from recsys import synthetic  # noqa: PLC0415 - its parts, for this test only

    kinds = Counter()
    for index in range(2_000):
        events = synthetic._consents(0, index)
        expired = bool(events) and datetime.fromisoformat(events[0]["until"]) <= NOW
        kinds[(*(event["kind"] for event in events), expired)] += 1
        times = [event["at"] for event in events]
        assert times == sorted(times)
        assert all(datetime.fromisoformat(at) < NOW for at in times)
    assert 1_580 <= kinds["grant", "grant", False] <= 1_700
    assert all(80 <= kinds[kind] <= 160 for kind in [(False,), ("grant", True), ("grant", "withdraw", False)])


def test_whoever_lets_a_model_be_trained_lets_the_made_up_buyer_use_it(collective):
    events = [json.loads(line) for line in (collective / "consents.jsonl").read_text().splitlines()]
    shared = {event["member"] for event in events if event["purpose"] == "share-with-buyer"}
    ended = {event["member"] for event in events if event["kind"] == "withdraw"}
    assert {event.get("recipient") for event in events} == {None, BUYER}
    assert shared
    assert not shared & ended


def test_consents_are_written_one_a_line_in_the_order_of_time(collective):
    events = [json.loads(line) for line in (collective / "consents.jsonl").read_text().splitlines()]
    assert [event["at"] for event in events] == sorted(event["at"] for event in events)
    fields = {"member", "kind", "purpose", "at", "until"}
    assert {frozenset(event) for event in events} == {frozenset(fields), frozenset(fields | {"recipient"})}
    assert {event["kind"] for event in events} <= {"grant", "withdraw"}
    assert {event["purpose"] for event in events} == {PURPOSE, "share-with-buyer"}


def test_artists_are_made_up_with_names_of_many_scripts():
    world = make_world(0)
    assert len(set(world.artists)) == ARTISTS
    assert sum(not name.isascii() for name in world.artists) > ARTISTS / 10


def test_a_model_that_learns_tastes_beats_popularity_by_far():
    """Item-kNN by cosine on four fifths of each of 200 held-out members, the last fifth being the target."""
    world, rng = make_world(0), np.random.default_rng(0)
    seen, target = np.zeros((2, 800, ARTISTS), np.float32)
    for member in range(800):
        artists = rng.permutation(draw_taste(world, np.random.default_rng([5, member]), 60).artists)
        seen[member, artists[:48]] = 1
        target[member, artists[48:]] = 1
    train = (seen + target)[:600]
    together = train.T @ train
    norm = np.sqrt(together.diagonal()) + 1e-9
    similar = together / norm[:, None] / norm
    np.fill_diagonal(similar, 0)
    held, hidden = seen[600:], target[600:]

    def recall_at_20(scores):
        best = np.argsort(-np.where(held > 0, -np.inf, scores), axis=1)[:, :20]
        return np.take_along_axis(hidden, best, axis=1).sum() / hidden.sum()

    popular = recall_at_20(np.tile(train.sum(axis=0), (200, 1)))
    personal = recall_at_20(held @ similar)
    assert personal > 1.8 * popular > 0


def test_somebody_elses_listeners_live_in_the_same_world_and_write_names_as_people_do(tmp_path):
    for name in ("one.csv", "two.csv"):
        make_histories(tmp_path / name, listeners=40)
    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "two.csv").read_bytes()
    make_histories(tmp_path / "more.csv", listeners=41)
    heading, *lines = (tmp_path / "one.csv").read_text(encoding="utf-8").splitlines()
    assert heading == "user,artist,plays"
    assert (tmp_path / "more.csv").read_text(encoding="utf-8").startswith((tmp_path / "one.csv").read_text())
    told = list(csv.DictReader([heading, *lines]))
    assert len({line["user"] for line in told}) == 40
    assert all(int(line["plays"]) > 0 for line in told)
    names = set(make_world(0).artists)
    keys = {artist_key(name) for name in names}
    as_written = sum(line["artist"] in names for line in told) / len(told)
    by_key = sum(artist_key(line["artist"]) in keys for line in told) / len(told)
    assert 0.8 < as_written < 0.95 < by_key < 1


def claimed_at_once(note, *told):
    """What comes of several who claim a folder at the same moment: a note, or why not."""
    together = Barrier(len(told))

    def attempt(one):
        together.wait()
        try:
            return claim(note, one, tale="tale", option="--out")
        except ConfigError as error:
            return str(error)

    with ThreadPoolExecutor(len(told)) as pool:
        return list(pool.map(attempt, told))


def test_a_folder_is_claimed_at_once_by_all_who_tell_the_same(tmp_path):
    told = {"members": 60, "seed": 1}
    for turn in range(100):
        assert claimed_at_once(tmp_path / str(turn) / "tale.json", *[told] * 4) == [told] * 4


def test_a_folder_is_claimed_for_one_of_those_who_tell_different_tales(tmp_path):
    tales = [{"members": members, "seed": 0} for members in (10, 20, 30)]
    for turn in range(100):
        found = claimed_at_once(tmp_path / str(turn) / "tale.json", *tales)
        kept = json.loads((tmp_path / str(turn) / "tale.json").read_bytes())
        assert [one for one in found if isinstance(one, dict)] == [kept]
        assert sum("holds the tale of" in one for one in found if isinstance(one, str)) == 2


def test_a_claim_that_broke_off_leaves_nothing_in_the_way(tmp_path):
    note = tmp_path / "tale.json"
    (tmp_path / ".tale.json.12-ab.partial").write_bytes(b"{")
    assert claim(note, {"members": 5}, tale="tale", option="--out") == {"members": 5}
    note.unlink()
    (tmp_path / "somebody's.txt").write_bytes(b"")
    with pytest.raises(ConfigError, match="something that is not a tale"):
        claim(note, {"members": 5}, tale="tale", option="--out")
