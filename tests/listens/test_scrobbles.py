"""Last.fm, ListenBrainz and Maloja, in every form in which people get their plays out of them."""

from __future__ import annotations

import json
import unicodedata
import zipfile
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from listens.made import as_bytes, column, make_zip
from listens.told import MBID, contribution, lastfm_track, lines, listen, now_playing, recent, scrobble, top

from recsys.errors import UnreadableExportError
from recsys.listens import Route, counts_as_play, read_export

AT = datetime(2024, 3, 1, 7, 33, 32, tzinfo=UTC)
GHAN = '"uts","utc_time","artist","artist_mbid","album","album_mbid","track","track_mbid"\n'


def read(tmp_path, content, name="anna.json", **options):
    (tmp_path / name).write_bytes(content.encode() if isinstance(content, str) else as_bytes(content))
    return read_export(tmp_path / name, **options)


def refused(tmp_path, content, reason, name="anna.json", **options):
    with pytest.raises(UnreadableExportError, match=reason) as caught:
        read(tmp_path, content, name, **options)
    return caught.value


PAGES = {
    "an answer": recent(lastfm_track(), lastfm_track(uts="1709278652")),
    "pages of answers": [recent(lastfm_track()), recent(lastfm_track(uts="1709278652"))],
    "pages of ghan.nl": [
        {"track": [lastfm_track()], "@attr": {"page": "1"}},
        {"@attr": {"page": "2"}, "track": [lastfm_track(uts="1709278652")]},
    ],
    "the same page twice": [{"track": [lastfm_track(), lastfm_track(uts="1709278652")]}] * 2,
}


def test_a_byte_order_mark_is_no_hindrance(tmp_path):
    for content in (recent(lastfm_track()), [listen()], {"maloja": {}, "scrobbles": [scrobble("A")]}):
        assert read(tmp_path, b"\xef\xbb\xbf" + as_bytes(content)).table.num_rows == 1


@pytest.mark.parametrize("pages", PAGES.values(), ids=PAGES.keys())
def test_pages_of_lastfm_are_read(tmp_path, pages):
    listens = read(tmp_path, pages)
    assert column(listens, "artist") == ["Ünder Glaß"] * 2
    assert column(listens, "played_at")[0] == AT
    assert set(zip(*(column(listens, name) for name in ("source", "route", "clock", "plays")), strict=True)) == {
        ("lastfm", "api", "second", 1)
    }
    assert column(listens, "ms_played") == [None, None]
    assert counts_as_play(listens.table).to_pylist() == [True, True]


def test_a_single_track_and_one_that_plays_now(tmp_path):
    assert read(tmp_path, recent(lastfm_track())).table.num_rows == 1
    listens = read(tmp_path, [recent(now_playing(), lastfm_track())] * 2)
    assert (listens.table.num_rows, listens.report.left_out) == (1, {"now-playing": 2, "repeated": 1})


def test_an_artist_of_the_extended_form_and_an_id(tmp_path):
    track = lastfm_track(artist={"name": unicodedata.normalize("NFD", " Ünder Glaß"), "mbid": MBID.upper(), "url": ""})
    track["artist"] = track["artist"]["#text"]
    listens = read(tmp_path, recent(track))
    assert (column(listens, "artist"), column(listens, "artist_id")) == (["Ünder Glaß"], [f"mbid:{MBID}"])


def test_an_id_that_is_none_is_no_id(tmp_path):
    track = lastfm_track()
    track["artist"]["mbid"] = "not-an-id"
    assert column(read(tmp_path, recent(track)), "artist_id") == [None]


@pytest.mark.parametrize("uts", ["0", "31536000", "946684800", "-1"])
def test_a_broken_clock_costs_the_time_and_not_the_play(tmp_path, uts):
    listens = read(tmp_path, recent(lastfm_track(uts=uts), lastfm_track(uts=uts), lastfm_track()))
    assert column(listens, "played_at") == [AT, None, None]
    assert column(listens, "clock") == ["second", "none", "none"]


def test_totals_are_plays_without_a_time(tmp_path):
    listens = read(
        tmp_path, top(("Ünder Glaß", "2137", MBID), ("Kōji Ferro", 3, ""), ("Nobody", "0", ""), ("[unknown]", "5", ""))
    )
    assert column(listens, "artist") == ["Kōji Ferro", "Ünder Glaß"]
    assert column(listens, "plays") == [3, 2137]
    assert (listens.report.left_out, listens.report.plays) == ({"no-plays": 1, "unknown-artist": 1}, 2140)
    assert read(tmp_path, top(("A", "1", ""))).report.plays == 1


def test_a_total_and_the_plays_it_holds_are_counted_once(tmp_path):
    files = {"recent.json": recent(lastfm_track(), lastfm_track(uts="1709278652"), lastfm_track(artist="Kōji Ferro"))}
    files["top.json"] = top(("Ünder Glaß", "10", ""), ("Kōji Ferro", "1", ""))
    listens = read_export(make_zip(tmp_path / "anna.zip", files))
    assert (listens.report.plays, listens.report.left_out) == (11, {"told-singly": 1})


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"date": {"uts": "soon"}}, "date.uts is 'soon', not a whole number"),
        ({"date": {"uts": "1" * 40}}, "not a whole number"),
        ({"date": {"uts": "1.5"}}, "not a whole number"),
        ({"date": {"uts": "32503680000"}}, "beyond the year 2099"),
        ({"date": {"uts": 1.5}}, "Expected `str | int`|Expected `int | str`"),
        ({"date": "today"}, "Expected `object"),
        ({"name": 5}, "Expected `str"),
    ],
)
def test_a_wrong_track_of_lastfm_is_refused(tmp_path, changes, reason):
    refused(tmp_path, recent(lastfm_track(), lastfm_track(**changes)), reason)


@pytest.mark.parametrize("count", ["-3", "many", "1e9", "99999999999", "NaN"])
def test_a_wrong_total_of_lastfm_is_refused(tmp_path, count):
    refused(tmp_path, top(("A", count, "")), "playcount is|expected 0 to 10,000,000")


def test_the_csv_of_ghan(tmp_path):
    rows = f'"1709278412","01 Mar 2024, 07:33","Mariela Öst, Duo Basalt","{MBID}","","","""Quoted"" Title",""\n'
    rows += '"0","01 Jan 1970, 00:00","A","","","","B",""\n"1709278652","","","","","","C",""\n'
    listens = read(tmp_path, "\ufeff" + GHAN + rows, "anna.csv")
    assert column(listens, "artist") == ["Mariela Öst, Duo Basalt", "A"]
    assert (column(listens, "track")[0], column(listens, "artist_id")[0]) == ('"Quoted" Title', f"mbid:{MBID}")
    assert column(listens, "played_at") == [AT, None]
    assert (column(listens, "route")[0], listens.report.left_out) == ("service-export", {"no-track": 1})


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ('"1709278412","x","A"\n', "row 2 has not as many fields"),
        ('"soon","x","A","","","","B",""\n', "uts in row 2 is 'soon'"),
        ('"1709278412","x","A","","","","B","\n', "not CSV"),
        ('"1709278412","x","' + "A" * 200_000 + '","","","","B",""\n', "not CSV"),
    ],
)
def test_a_wrong_row_of_ghan_is_refused(tmp_path, row, reason):
    refused(tmp_path, GHAN + row, reason, "anna.csv")


def test_the_csv_of_lastfm_to_csv(tmp_path):
    text = (
        "Tyler The Creator,Igor,EARFQUAKE,01 Mar 2024 07:33\r\n夜明けの庭,,朝,01 Jan 1970 00:00\r\n"
        "Ünder Glaß,B,Glühwürmchen,\r\nbroken line\r\n\r\n'A, B,C,D,01 Mar 2024 07:33\r\n"
    )
    listens = read(tmp_path, text, "anna.csv")
    assert column(listens, "artist") == ["Tyler The Creator", "夜明けの庭"]
    assert column(listens, "clock") == ["minute", "none"]
    assert column(listens, "played_at")[0] == AT.replace(second=0)
    assert (listens.report.rows_read, listens.report.left_out) == (5, {"no-row": 2, "now-playing": 1})


@pytest.mark.parametrize("time", ["31 Feb 2024 07:33", "01 Mrz 2024 07:33", "01 Mar 2024 25:00", "yesterday"])
def test_a_time_that_is_none_is_refused(tmp_path, time):
    refused(tmp_path, f"A,,B,01 Mar 2024 07:33\nA,,B,{time}\n", "is no time like", "anna.csv")


def test_listenbrainz_as_zip_list_and_lines(tmp_path):
    listens_ = [listen(), listen("A feat. B", "Wires", 1_709_278_652, credits_=(("A", MBID), ("B", "")))]
    files = {"user.json": {"username": "secret"}, "listens/2024/3.jsonl": lines(*listens_)}
    path = make_zip(tmp_path / "listenbrainz_x_1.zip", files)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("listens/2024/", b"")
    from_zip = read_export(path, member="anna")
    for content, name in ((listens_, "anna.json"), (lines(*listens_), "anna.jsonl")):
        assert read(tmp_path, content, name).table.equals(from_zip.table)
    assert column(from_zip, "artist") == ["Ünder Glaß", "A"]
    assert column(from_zip, "artist_id") == [None, f"mbid:{MBID}"]
    assert set(column(from_zip, "route")) == {"service-export"}


def test_what_a_player_sent_along_may_be_anything(tmp_path):
    odd = listen(duration_ms="x", artist_mbids=[1, {}], listened_at_iso=None, artist_names={})
    assert read(tmp_path, [odd]).table.num_rows == 1


@pytest.mark.parametrize(
    ("at", "reason"),
    [
        ("1709278412", "Expected `int`"),
        (1.5, "Expected `int`"),
        (10**30, "Expected `int`|out of range"),
        (4_102_444_800, "beyond the year 2099"),
    ],
)
def test_a_wrong_listen_is_refused(tmp_path, at, reason):
    refused(tmp_path, [listen(), listen(at=at)], reason)


def test_a_listen_from_before_there_were_any_loses_its_time(tmp_path):
    assert column(read(tmp_path, [listen(at=0)]), "clock") == ["none"]


def test_lines_of_which_one_is_cut_are_refused(tmp_path):
    refused(tmp_path, lines(listen())[:-9] + lines(listen()), "damaged or was edited", "anna.jsonl")


def test_a_listen_that_names_its_time_twice_is_refused(tmp_path):
    text = json.dumps([listen()]).replace('"inserted_at"', '"listened_at": 5, "inserted_at"')
    refused(tmp_path, text, "names listened_at twice")


def test_maloja_names_the_first_artist(tmp_path):
    backup = {"maloja": {"export_time": 1}, "scrobbles": [scrobble("Nocturne & The Wires", "Ana Sol"), scrobble()]}
    listens = read(tmp_path, backup)
    assert (column(listens, "artist"), column(listens, "source")) == (["Nocturne & The Wires"], ["maloja"])
    assert listens.report.left_out == {"no-track": 1}
    refused(tmp_path, backup | {"scrobbles": [scrobble("A", at="soon")]}, "Expected `int`")


@pytest.mark.parametrize("route", ["gdpr-export", "service-export", "survey"])
def test_a_laxer_route_than_the_known_one_is_refused(tmp_path, route):
    fault = refused(tmp_path, recent(lastfm_track()), "came by the route 'api'", route=Route(route))
    assert fault.entry == "anna.json"


@pytest.mark.parametrize("route", ["api", "scraped", "public-benchmark"])
def test_a_stricter_route_may_be_stated(tmp_path, route):
    assert column(read(tmp_path, [listen()], route=Route(route)), "route") == [route]


WHOLE = {
    "pages": as_bytes(recent(lastfm_track(), lastfm_track())),
    "listens": as_bytes([listen()]),
    "lines": lines(listen(), listen()),
    "a backup": as_bytes({"maloja": {}, "scrobbles": [scrobble("A")]}),
    "a contribution": as_bytes(contribution([("t", "a", "2025-03-01T07:34:12Z")], [("a", "A", "3")])),
}
BREAKS = {
    "cut": lambda text: text[:-9],
    "not UTF-8": lambda text: text.replace(b"Slow Tide", b"\xff\xfe").replace(b'"t"', b'"\xff"'),
    "two values": lambda text: text + b"{}{",
    "deep": lambda text: text.rstrip()[:-1] + b', "x": ' + b"[" * 200_000,
    "not a number": lambda text: text.rstrip().rstrip(b"]}") + b', "n": NaN' + b"]}" * 4,
    "a control sign": lambda text: text.replace(b"Slow Tide", b"Slow\nTide\x00").replace(b'"t"', b'"\x00"'),
    "other quotes": lambda text: text.replace(b'": "', b"': '"),
}


@pytest.mark.parametrize("broken", BREAKS.values(), ids=BREAKS.keys())
@pytest.mark.parametrize("whole", WHOLE.values(), ids=WHOLE.keys())
def test_a_broken_file_of_any_service_is_refused(tmp_path, whole, broken):
    assert read(tmp_path, whole, "anna.jsonl").report.rows_used >= 1
    refused(tmp_path, broken(whole), "damaged|not UTF-8|too deep|not a listening history|not listens", "anna.jsonl")


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=8,
)
SHAPES = [
    recent(lastfm_track(), lastfm_track()),
    top(("A", "3", "")),
    [listen(credits_=(("A", MBID),))],
    {"maloja": {}, "scrobbles": [scrobble("A")]},
    contribution([("t", "a", "2025-03-01T07:34:12Z")], [("a", "A", "3")]),
]


def places(value, at=()):
    """Name every place in a JSON value."""
    yield at
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from places(inner, (*at, key))


def replaced(value, at, new):
    if not at:
        return new
    copy = value.copy()
    copy[at[0]] = replaced(value[at[0]], at[1:], new)
    return copy


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(SHAPES).flatmap(lambda shape: st.tuples(st.just(shape), st.sampled_from(list(places(shape))))),
    values,
)
def test_any_value_anywhere_is_read_or_refused_by_name(tmp_path, place, value):
    shape, at = place
    try:
        listens = read(tmp_path, json.dumps(replaced(shape, at, value)))
    except UnreadableExportError:
        return
    listens.table.validate(full=True)
    report = listens.report
    assert report.rows_read == report.rows_used + sum(report.left_out.values())
    assert report.rows_used == listens.table.num_rows
    assert all(row["plays"] >= 1 and row["artist"].strip() for row in listens.table.to_pylist())
