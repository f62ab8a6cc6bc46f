"""What is a play and what is not: podcasts, incognito, plays told twice, by one export, by two, or by two services."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from listens.made import ACCOUNT_2025, EXTENDED_2025, account_row, column, extended_row, make_zip
from listens.told import lastfm_track, lines, listen, recent

from recsys.canonical import Pseudonyms
from recsys.listens import SCHEMA, Contributions, ingest, read_export
from recsys.listens.merging import without_repeats

OLD = "MyData/StreamingHistory0.json"
ENDSONG = "MyData/endsong_0.json"
PSEUDONYMS = Pseudonyms(b"k" * 32)


def library(*shows):
    rows = [{"name": show, "publisher": "nobody", "uri": "spotify:show:1"} for show in shows]
    return {"tracks": [{"artist": "secret"}], "shows": rows, "bannedTracks": [], "artists": []}


def read(tmp_path, files, **options):
    return read_export(make_zip(tmp_path / "anna.zip", files), **options)


def test_a_show_of_the_library_is_no_artist(tmp_path):
    rows = [account_row(), account_row(artistName="A Show", trackName="Episode 1", msPlayed=4_408_883)]
    listens = read(tmp_path, {OLD: rows, "MyData/YourLibrary.json": library("A Show", "Another")})
    assert (column(listens, "artist"), listens.report.left_out) == (["Ünder Glaß"], {"podcast": 1})
    assert (listens.report.rows_read, listens.report.files_read) == (2, 1)
    assert column(read(tmp_path, {OLD: rows}), "artist") == ["A Show", "Ünder Glaß"]


@pytest.mark.parametrize("name", [ACCOUNT_2025, EXTENDED_2025])
def test_where_podcasts_have_files_of_their_own_an_artist_may_bear_a_shows_name(tmp_path, name):
    row = account_row() if name == ACCOUNT_2025 else extended_row()
    listens = read(tmp_path, {name: [row], "x/YourLibrary.json": library("Ünder Glaß")})
    assert column(listens, "artist") == ["Ünder Glaß"]


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"\xff", {"shows": "x"}, {"shows": [{"name": 5}]}, b"[" * 99_999, library()]
)
def test_a_library_that_cannot_be_read_is_no_hindrance(tmp_path, content):
    listens = read(tmp_path, {OLD: [account_row()], "MyData/YourLibrary.json": content})
    assert listens.table.num_rows == 1


def test_a_library_alone_is_no_history(tmp_path):
    with pytest.raises(Exception, match="no listening history"):
        read(tmp_path, {"MyData/YourLibrary.json": library("A Show")})


INCOGNITO = {
    EXTENDED_2025: [extended_row(), extended_row(ts="2025-03-01T08:00:12Z", incognito_mode=True)],
    ACCOUNT_2025: [account_row(), account_row(endTime="2025-03-01 08:00"), account_row(endTime="2025-03-01 09:00")],
}


def test_incognito_is_left_out_of_account_data_too_where_the_extended_history_tells_it(tmp_path):
    listens = read(tmp_path, INCOGNITO)
    assert [time.hour for time in column(listens, "played_at")] == [7, 9]
    assert listens.report.left_out == {"in-extended": 1, "incognito": 2}


def test_a_member_may_want_incognito_listens_used(tmp_path):
    listens = read(tmp_path, INCOGNITO, incognito=True)
    assert [time.hour for time in column(listens, "played_at")] == [7, 8, 9]
    assert listens.report.left_out == {"in-extended": 2}


def test_an_export_handed_in_again_with_incognito_adds_only_that(tmp_path):
    path = make_zip(tmp_path / "anna.zip", INCOGNITO)
    store = Contributions(tmp_path / "home" / "contributions")
    for incognito, read_now, rows in ((False, 1, 2), (False, 0, 2), (True, 1, 3), (True, 0, 3)):
        assert ingest(path, store, PSEUDONYMS, incognito=incognito).read == read_now
        assert store.read(PSEUDONYMS.of("anna")).table.num_rows == rows


def at(second, **changes):
    return extended_row(ts=f"2019-04-07T18:57:{second:02d}Z", **changes)


def test_old_exports_tell_plays_again_that_began_at_the_same_instant(tmp_path):
    began = 1_554_663_304_541
    rows = [
        at(0, offline_timestamp=began),
        at(9, offline_timestamp=began, ms_played=199_000),
        at(19, offline_timestamp=began + 1),
    ]
    other = at(9, offline_timestamp=began, master_metadata_track_name="Another")
    listens = read(tmp_path, {ENDSONG: [*rows, other]})
    assert [time.second for time in column(listens, "played_at")] == [0, 9, 19]
    assert listens.report.left_out == {"repeated": 1}


@pytest.mark.parametrize(
    ("gap", "ms", "stamp", "again"),
    [
        (29, 200_000, 0, True),
        (30, 200_000, 0, True),
        (31, 200_000, 0, False),
        (20, 20_000, 0, False),
        (20, 20_001, 0, True),
        (9, 0, 0, False),
        (9, 200_000, None, False),
        (9, 200_000, 1_554_663_304, False),
    ],
)
def test_where_no_beginning_is_told_nobody_hears_so_much_in_so_little_time(tmp_path, gap, ms, stamp, again):
    rows = [at(0, ms_played=ms, offline_timestamp=stamp), at(gap, ms_played=ms, offline_timestamp=stamp)]
    listens = read(tmp_path, {ENDSONG: rows})
    assert listens.table.num_rows == (1 if again else 2)


@pytest.mark.parametrize("stamp", [2**60, -(2**60), 1.5, "0", True])
def test_a_beginning_that_cannot_be_is_refused(tmp_path, stamp):
    with pytest.raises(Exception, match="offline_timestamp"):
        read(tmp_path, {ENDSONG: [extended_row(offline_timestamp=stamp)]})


START = datetime(2025, 3, 1, 7, 30, 52, tzinfo=UTC)
"""When the play began that ends at 07:34:12 after 200 seconds."""

SECONDS = int(START.timestamp())


def told_by_all(**names):
    title = names.get("name", "Slow Tide")
    return {
        EXTENDED_2025: [extended_row(master_metadata_track_name=title)],
        "listens/2025/3.jsonl": lines(listen(at=SECONDS + 2, **names)),
        "pages.json": recent(lastfm_track(uts=str(SECONDS - 5), **names)),
        "anna.csv": f"Under Glass,,X,01 Mar 2024 07:33\nÜnder Glaß,,{title},01 Mar 2025 07:30\n".encode(),
    }


def test_a_play_that_four_services_tell_is_one(tmp_path):
    listens = read(tmp_path, told_by_all())
    assert column(listens, "source") == ["lastfm-csv", "spotify-extended"]
    assert column(listens, "artist") == ["Under Glass", "Ünder Glaß"]
    assert listens.report.left_out == {"told-twice": 3}


ORDER = [EXTENDED_2025, "listens/2025/3.jsonl", "anna.csv", "pages.json"]


@pytest.mark.parametrize("best", range(1, 4))
def test_the_best_teller_is_believed_and_the_web_api_last(tmp_path, best):
    files = told_by_all()
    listens = read(tmp_path, {name: files[name] for name in ORDER[best:]})
    expected = {1: "listenbrainz", 2: "lastfm-csv", 3: "lastfm"}[best]
    assert column(listens, "source")[-1] == expected


@pytest.mark.parametrize(
    ("spotify", "scrobbled", "same"),
    [
        (("Ünder Glaß", "Slow Tide"), ("ünder glaß", "SLOW TIDE"), True),
        (("Tyler, The Creator", "Slow Tide"), ("Tyler The Creator", "Slow Tide"), True),
        (("A", "Tide - Remastered 2011"), ("A", "Tide"), True),
        (("A", "Tide (feat. B)"), ("A feat. B", "Tide"), True),
        (("A", "!!!"), ("A", "???"), False),
        (("A", "Tide"), ("A", "Tides"), False),
        (("A", "Tide"), ("B", "Tide"), False),
    ],
)
def test_names_are_compared_as_services_spell_them(tmp_path, spotify, scrobbled, same):
    row = extended_row(master_metadata_album_artist_name=spotify[0], master_metadata_track_name=spotify[1])
    files = {EXTENDED_2025: [row], "a.json": [listen(*scrobbled, at=SECONDS)]}
    assert read(tmp_path, files).table.num_rows == (1 if same else 2)


@pytest.mark.parametrize(
    ("second", "same"), [(-181, False), (-180, True), (0, True), (200, True), (380, True), (381, False)]
)
def test_a_scrobble_lies_within_its_play_give_or_take_three_minutes(tmp_path, second, same):
    files = {EXTENDED_2025: [extended_row()], "a.json": [listen(at=SECONDS + second)]}
    assert read(tmp_path, files).table.num_rows == (1 if same else 2)


def test_repeat_plays_stay_whoever_tells_them(tmp_path):
    rows = [extended_row(ts=(START + timedelta(seconds=200 * n)).strftime("%Y-%m-%dT%H:%M:%SZ")) for n in (1, 2, 3)]
    listens_ = [listen(at=SECONDS + 200 * n) for n in range(3)]
    assert read(tmp_path, {EXTENDED_2025: rows}).table.num_rows == 3
    assert read(tmp_path, {"a.json": listens_}).table.num_rows == 3
    assert read(tmp_path, {EXTENDED_2025: rows, "a.json": listens_}).table.num_rows == 3


def row(kind, number):
    """Make the row of a play that cannot be mistaken for another: numbers are ten minutes apart."""
    when = START + timedelta(minutes=10 * number)
    base = {
        "artist": "ABC"[number % 3],
        "artist_id": None,
        "track": "T",
        "ms_played": None,
        "finished": True,
        "plays": 1,
    }
    spotify = {"played_at": when, "ms_played": 200_000, "clock": "second", "source": "spotify-extended"}
    kinds = {
        "extended": spotify,
        "account": spotify | {"played_at": when.replace(second=0), "clock": "minute", "source": "spotify-account"},
        "listenbrainz": {"played_at": when - timedelta(seconds=190), "clock": "second", "source": "listenbrainz"},
        "lastfm": {"played_at": when - timedelta(seconds=205), "clock": "second", "source": "lastfm", "route": "api"},
        "undated": {"played_at": None, "track": f"U{number // 3}", "clock": "none", "source": "lastfm", "route": "api"},
        "total": {
            "played_at": None,
            "track": None,
            "clock": "none",
            "source": "lastfm",
            "plays": 3 + number % 5,
            "route": "api",
        },
    }
    return {"route": "gdpr-export", **base, **kinds[kind]}


def table(rows):
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def stored(rows):
    """Give one export's rows as they are stored."""
    return without_repeats(table(rows))[0]


ROUTES = ["gdpr-export", "survey", "api", "scraped"]


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["extended", "account", "listenbrainz", "lastfm", "total"]),
            st.integers(0, 5),
            st.sampled_from(ROUTES),
        ),
        max_size=12,
    ),
    st.sampled_from([["gdpr-export", "survey"], ["gdpr-export", "survey", "api"]]),
)
def test_a_row_that_the_gate_refuses_has_taken_no_other_with_it(plays, admitted):
    """To merge and then to leave out stricter routes gives each artist the plays that leaving them out first gives."""
    rows = [row(kind, number) | {"route": route} for kind, number, route in plays]
    before, _ = without_repeats(table([one for one in rows if one["route"] in admitted]))
    after = [one for one in stored(rows).to_pylist() if one["route"] in admitted]
    assert per_artist(after) == per_artist(before.to_pylist())


def per_artist(rows):
    return {artist: sum(one["plays"] for one in rows if one["artist"] == artist) for artist in "ABC"}


histories = st.lists(
    st.tuples(st.sampled_from(["extended", "account", "listenbrainz", "lastfm", "undated"]), st.integers(0, 30)),
    min_size=1,
    max_size=25,
)


@settings(max_examples=120, deadline=None)
@given(histories, st.sets(st.integers(0, 14), max_size=3), st.data())
def test_any_overlapping_pieces_in_any_order_give_the_whole_history_once(plays, totals, data):
    """A piece holds any of the plays that have a time; of what has none, all or nothing, as services tell it."""
    told = [row(*play) for play in plays]
    undated = [one for one in told if one["played_at"] is None] + [row("total", number) for number in sorted(totals)]
    dated = [one for one in told if one["played_at"] is not None]
    pieces = data.draw(st.lists(st.lists(st.booleans(), min_size=len(dated) + 1, max_size=len(dated) + 1), max_size=3))
    missing = [not any(piece[place] for piece in pieces) for place in range(len(dated))] + [True]
    exports = [
        stored([one for one, there in zip(dated, piece, strict=False) if there] + (undated if piece[-1] else []))
        for piece in data.draw(st.permutations([*pieces, missing]))
    ]
    whole = stored(dated + undated)
    merged, _ = without_repeats(*exports, merged_before=True)
    assert merged.equals(whole)
    by_twos = exports[0]
    for export in exports[1:]:
        by_twos, _ = without_repeats(by_twos, export, merged_before=True)
    assert by_twos.equals(whole)
    numbers = {number for kind, number in plays if kind != "undated"}
    assert len([time for time in whole["played_at"].to_pylist() if time]) == len(numbers)
    rows = whole.to_pylist()
    assert sum(one["clock"] == "none" and one["track"] is not None for one in rows) == len(plays) - len(dated)
    for artist in "ABC":
        singly = sum(one["artist"] == artist and one["track"] is not None for one in rows)
        most = max((row("total", number)["plays"] for number in totals if "ABC"[number % 3] == artist), default=0)
        assert sum(one["plays"] for one in rows if one["artist"] == artist) == max(singly, most)


def test_a_larger_total_of_a_stricter_route_takes_no_total_with_it():
    lax, strict = row("total", 0) | {"route": "survey"}, row("total", 3) | {"route": "api"}
    assert [one["route"] for one in stored([strict, lax]).to_pylist()] == ["survey"]
