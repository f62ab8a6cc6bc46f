"""recsys ingest as a person types it, on a folder in which everything lies about."""

import json

import pytest
from listens.made import EXTENDED_2025, account_row, extended_row, make_folder, make_zip
from listens.told import REFINED, database, lastfm_track, lines, listen, recent

from recsys.cli import app
from recsys.cli.exits import explained

BROKEN = ("page.zip", "cut.zip", "notes.json", "table.csv", "wrong.zip")


@pytest.fixture
def recsys(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")

    def call(*arguments, code=0):
        found = explained(app, ["ingest", *arguments, "--home", str(tmp_path / "home")])
        captured = capsys.readouterr()
        assert found == code, captured.err + captured.out
        return captured.out

    return call


@pytest.fixture
def exports(tmp_path):
    folder = tmp_path / "in"
    files = {
        "bo/MyData/StreamingHistory0.json": [account_row()],
        "cyd.json": recent(lastfm_track()),
        "notes.json": {"shopping": ["milk"]},
        "table.csv": b"user,artist,plays\neve,A,3\n",
        "page.zip": b"<!doctype html>",
        "readme.txt": b"not looked at",
        "Userdata.json": {"email": "not looked at"},
    }
    make_folder(folder, files)
    rows = [extended_row(), extended_row(incognito_mode=True, ts="2025-03-01T09:34:12Z")]
    whole = make_zip(folder / "anna.zip", {EXTENDED_2025: rows}).read_bytes()
    (folder / "cut.zip").write_bytes(whole[:200])
    make_zip(folder / "wrong.zip", {EXTENDED_2025: b"[{"})
    make_zip(folder / "dan.zip", {"user.json": {}, "listens/2025/3.jsonl": lines(listen())})
    database(folder / "refined.db", *REFINED)
    return folder


def test_a_folder_in_which_everything_lies_about_reads_well(recsys, exports):
    text = recsys(str(exports))
    for line in (
        "members 4",  # anna and bo are there by an export of their own and by the table of many
        "exports read 5",
        "exports that could not be read 5",
        "used as listens 7",
        "by the route api 4",
        "by the route gdpr-export 2",
        "without a time 3",
        "left out: listened to incognito 1",
    ):
        assert line in " ".join(text.split()), line
    said = text.split("Could not be read\n")[1].splitlines()
    assert sorted(line.split(":")[0] for line in said) == sorted(BROKEN)
    assert f"wrong.zip: {EXTENDED_2025}: " in text
    assert "state its route (--route)" in text
    assert "not looked at" not in text


def test_scripts_are_told_the_same(recsys, exports):
    recsys(str(exports))
    document = json.loads(recsys(str(exports), "--json"))
    assert document["exports"] == {"read": 0, "skipped": 5, "broken": 5, "erased": 0}
    assert document["rows"]["routes"] == {"api": 4, "gdpr-export": 2, "service-export": 1}
    assert document["rows"]["clocks"] == {"minute": 1, "none": 3, "second": 3}
    assert document["rows"]["left_out"] == {"incognito": 1}
    assert document["plays"] == 15
    assert {one["path"].rpartition("/")[2] for one in document["broken"]} == set(BROKEN)


def test_a_route_and_incognito_are_stated_by_flags(recsys, exports):
    text = recsys(str(exports / "table.csv"), "--route", "survey")
    assert "by the route survey" in text
    document = json.loads(recsys(str(exports / "anna.zip"), "--incognito", "--json"))
    assert (document["rows"]["used"], document["rows"]["left_out"]) == (2, {})
    laxer = recsys(str(exports / "cyd.json"), "--route", "survey", code=3)
    assert "came by the route 'api', not 'survey'" in laxer
    recsys(str(exports), "--route", "hearsay", code=2)
