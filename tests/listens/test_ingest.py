"""A folder of exports becomes a store, whatever is broken in it and whenever it is killed."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from listens.made import ACCOUNT_2025, EXTENDED_2025, account_row, as_bytes, extended_row, make_folder, make_zip

from recsys.canonical import Pseudonyms
from recsys.errors import UnreadableExportError
from recsys.listens import Contributions, ingest

KEY = b"k" * 32
PSEUDONYMS = Pseudonyms(KEY)
TIMEOUT_S = 120


@pytest.fixture
def store(tmp_path):
    return Contributions(tmp_path / "contributions")


def stored(store):
    """Give what is stored, decrypted: the bytes on disk differ from run to run."""
    paths = [path for path in store.folder.rglob("*.listens") if path.name[0] != "."]
    return {path.relative_to(store.folder): store._stored(path) for path in paths}


def make_exports(folder, count):
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        rows = [extended_row(ms_played=1_000 * number + row) for row in range(50)]
        make_zip(folder / f"Ångström {number}.zip", {EXTENDED_2025: rows})
    return folder


def test_every_zip_and_folder_is_a_members_export_and_broken_ones_are_named(store, tmp_path):
    exports = tmp_path / "exports"
    make_folder(exports, {"bo/MyData/StreamingHistory0.json": [account_row()], "readme.txt": b"", ".hidden/x": b""})
    make_folder(exports, {"__MACOSX/._a": b""})
    make_zip(exports / "Anna Ö.ZIP", {EXTENDED_2025: [extended_row(), extended_row(incognito_mode=True)]})
    make_zip(exports / "empty.zip", {"MyData/Userdata.json": {}})
    (exports / "page.zip").write_bytes(b"<!doctype html>")
    make_zip(exports / "wrong.zip", {"MyData/StreamingHistory0.json": b"["})
    seen = []
    report = ingest(exports, store, PSEUDONYMS, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(number, 5) for number in range(1, 6)]
    assert (report.members, report.read, report.skipped) == (2, 2, 0)
    assert [(one.path.name, one.entry) for one in report.broken] == [
        ("empty.zip", None),
        ("page.zip", None),
        ("wrong.zip", "MyData/StreamingHistory0.json"),
    ]
    assert (report.rows.rows_read, report.rows.rows_used, report.rows.left_out) == (3, 2, {"incognito": 1})
    assert set(store.members) == {PSEUDONYMS.of("Anna Ö"), PSEUDONYMS.of("bo")}
    lines = report.words().splitlines()
    assert lines[0] == "2 members; 2 exports read, 0 were in already, 3 broken"
    assert lines[3].startswith("broken: page.zip: not a zip")


def test_a_second_run_reads_nothing_and_reports_the_same_rows(store, tmp_path):
    exports = make_exports(tmp_path / "exports", 3)
    first = ingest(exports, store, PSEUDONYMS)
    before = stored(store)
    second = ingest(exports, store, PSEUDONYMS)
    assert (first.read, first.skipped, second.read, second.skipped) == (3, 0, 0, 3)
    assert (first.rows, first.members) == (second.rows, second.members)
    assert stored(store) == before


def test_a_renamed_or_rearranged_copy_of_an_export_is_in_already(store, tmp_path):
    first, second = [account_row()], [account_row(msPlayed=7)]
    files = {"MyData/StreamingHistory0.json": first, "MyData/StreamingHistory1.json": second}
    copy = {"b/streaminghistory_7.json": first, "a/StreamingHistory.json": second, "x/Userdata.json": {}}
    make_folder(tmp_path / "1" / "anna", files)
    make_folder(tmp_path / "2" / "anna", copy)
    assert ingest(tmp_path / "1", store, PSEUDONYMS).read == 1
    assert ingest(tmp_path / "2", store, PSEUDONYMS).skipped == 1


def test_a_new_export_of_a_member_is_added_to_the_old(store, tmp_path):
    for number in (1, 2):
        rows = {ACCOUNT_2025: [account_row(), account_row(msPlayed=number)]}
        (tmp_path / str(number)).mkdir()
        assert ingest(make_zip(tmp_path / str(number) / "anna.zip", rows), store, PSEUDONYMS).read == 1
    assert store.read(PSEUDONYMS.of("anna")).table.num_rows == 3


@pytest.mark.parametrize("inner", ["StreamingHistory0.json", "MyData/StreamingHistory0.json"])
def test_a_folder_with_history_in_it_is_one_export(store, tmp_path, inner):
    exports = make_folder(tmp_path / "anna", {inner: [account_row()]})
    report = ingest(exports, store, PSEUDONYMS)
    assert (report.members, report.read) == (1, 1)
    assert store.members == (PSEUDONYMS.of("anna" if "/" not in inner else "MyData"),)


@pytest.mark.parametrize("made", ["nothing", "empty", "files"])
def test_no_export_at_all_is_an_error(store, tmp_path, made):
    if made != "nothing":
        make_folder(tmp_path / "exports", {"notes.txt": b""} if made == "files" else {".keep": b""})
    with pytest.raises(UnreadableExportError, match=r"no such file|no export in this folder"):
        ingest(tmp_path / "exports", store, PSEUDONYMS)
    assert not store.folder.exists()


def test_a_file_whose_name_names_nobody_is_reported(store, tmp_path):
    exports = make_exports(tmp_path / "exports", 1)
    make_zip(exports / " .zip", {EXTENDED_2025: []})
    (exports / b"\xff.zip".decode(errors="surrogateescape")).write_bytes(b"")
    report = ingest(exports, store, PSEUDONYMS)
    assert (report.read, len(report.broken)) == (1, 2)
    assert all("names no member" in one.reason for one in report.broken)


def test_a_link_in_a_members_folder_is_reported(store, tmp_path):
    folder = make_folder(tmp_path / "exports" / "anna", {"x.txt": b""})
    (folder / "StreamingHistory0.json").symlink_to("/etc/passwd")
    assert "a link" in ingest(tmp_path / "exports", store, PSEUDONYMS).broken[0].reason


@pytest.mark.parametrize("workers", [1, 2])
def test_any_number_of_processes_stores_the_same(store, tmp_path, workers):
    exports = make_exports(tmp_path / "exports", 20)
    (exports / "page.zip").write_bytes(b"<!doctype html>")
    report = ingest(exports, store, PSEUDONYMS, workers=workers)
    assert (report.read, len(report.broken), report.rows.rows_read) == (20, 1, 1_000)
    alone = Contributions(tmp_path / "alone")
    ingest(exports, alone, PSEUDONYMS, workers=1)
    assert stored(store) == stored(alone)


RUN = """
import os, signal, sys
from pathlib import Path
from recsys.canonical import Pseudonyms
from recsys.listens import Contributions, ingest

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

def half_written(path, data):
    path.open("wb").write(data[:20])
    die()

if __name__ == "__main__":
    exports, folder, how = sys.argv[1:]
    if how == "while writing":
        Path.write_bytes = half_written
    ingest(
        exports, Contributions(Path(folder)), Pseudonyms(b"k" * 32), workers=1 if how == "while writing" else 2,
        progress=lambda done, total: die() if how == "while running" and done == 9 else None,
    )
"""


def start(tmp_path, exports, folder, how):
    script = tmp_path / "run.py"
    script.write_text(RUN)
    return subprocess.Popen([sys.executable, script, exports, folder, how], stdout=subprocess.PIPE)


MANY = 240  # so many that workers cannot be through them all before the tenth is reported


@pytest.mark.parametrize("how", ["while running", "while writing"])
def test_a_killed_run_goes_on_where_it_stopped(store, tmp_path, how):
    exports = make_exports(tmp_path / "exports", MANY)
    killed = start(tmp_path, exports, store.folder, how)
    killed.communicate(timeout=TIMEOUT_S)  # ends only when no worker holds the pipe any more
    assert killed.returncode == -signal.SIGKILL
    partly = len(stored(store))
    assert partly == len(store.members) < MANY
    report = ingest(exports, store, PSEUDONYMS)
    assert (report.skipped, report.read) == (partly, MANY - partly)
    undisturbed = Contributions(tmp_path / "undisturbed")
    expected = ingest(exports, undisturbed, PSEUDONYMS)
    assert stored(store) == stored(undisturbed)
    assert (report.rows, report.members) == (expected.rows, expected.members)


def test_two_runs_at_once_store_the_same_as_one(store, tmp_path):
    exports = make_exports(tmp_path / "exports", 24)
    runs = [start(tmp_path, exports, store.folder, "whole") for _ in range(2)]
    for run in runs:
        run.communicate(timeout=TIMEOUT_S)
    assert [run.returncode for run in runs] == [0, 0]
    alone = Contributions(tmp_path / "alone")
    ingest(exports, alone, PSEUDONYMS)
    assert stored(store) == stored(alone)
    assert not [path for path in store.folder.rglob("*") if path.name.endswith(".partial")]


SECRETS = {
    "stem": "Greta Geheim",
    "folder": "gretas_ordner",
    "user": "greta.secret.user",
    "ip": "203.0.113.77",
    "ip6": "2001:db8::5ec:2e7",
    "agent": "SecretBrowser/9.9",
    "device": "Partner greta_phone XZ-77",
    "country": "QZ",
    "mail": "greta@example.invalid",
    "street": "Geheimweg 12",
    "album": "Secretly Played Album",
    "uri": "0000000000000000SECRET",
    "search": "something nobody may know",
    "show": "A Show Nobody May Know",
    "hidden": "Listened To In Secret",
}


def secret_export(path: Path) -> Path:
    secret = SECRETS
    row = extended_row(
        username=secret["user"],
        ip_addr=secret["ip"],
        ip_addr_decrypted=secret["ip6"],
        user_agent_decrypted=secret["agent"],
        platform=secret["device"],
        conn_country=secret["country"],
        city=secret["street"],
        master_metadata_album_album_name=secret["album"],
        spotify_track_uri=f"spotify:track:{secret['uri']}",
        episode_show_name=secret["show"],
    )
    hidden = row | {"incognito_mode": True, "master_metadata_track_name": secret["hidden"]}
    files = {
        f"{secret['folder']}/Streaming_History_Audio_2025_0.json": [row, hidden],
        f"{secret['folder']}/Userdata.json": {"email": secret["mail"]},
        f"{secret['folder']}/UserAddress.json": f"List(Map(street -> {secret['street']}))".encode(),
        f"{secret['folder']}/SearchQueries.json": [{"searchQuery": secret["search"]}],
    }
    return make_zip(path / f"{secret['stem']}.zip", files)


def test_no_byte_that_is_stored_holds_anything_personal(store, tmp_path):
    (tmp_path / "exports").mkdir()
    export = secret_export(tmp_path / "exports")
    assert ingest(export.parent, store, PSEUDONYMS).read == 1
    written = [path for path in tmp_path.rglob("*") if path.is_file() and path != export]
    (file,) = store.folder.rglob("*.listens")
    with store._opened(file) as plain:
        unpacked = (
            str(plain.read().to_pydict()) + str(plain.schema_arrow) + str(plain.schema_arrow.metadata) + str(file)
        )
    assert "Ünder Glaß" in unpacked
    for secret in (*SECRETS.values(), "Ünder Glaß", "Slow Tide"):
        assert not [path for path in written if as_bytes(secret.encode()) in path.read_bytes()]
    for secret in SECRETS.values():
        assert secret not in unpacked


def test_only_the_fields_that_the_table_needs_are_ever_decoded():
    from recsys.listens.sources import spotify  # noqa: PLC0415 - a look behind the door, for this test only

    fields = {*spotify._AccountRow.__struct_fields__, *spotify._ExtendedRow.__struct_fields__}
    assert fields == {
        "end_time", "ts", "ms_played", "artist_name", "track_name", "podcast_name", "audiobook_name",
        "master_metadata_album_artist_name", "master_metadata_track_name", "spotify_track_uri", "spotify_episode_uri",
        "audiobook_uri", "reason_end", "offline_timestamp", "incognito_mode",
    }  # fmt: skip
