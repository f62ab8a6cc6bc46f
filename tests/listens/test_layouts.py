"""Every layout that Spotify has used, and every quirk of the rows in it."""

from __future__ import annotations

import unicodedata
import zipfile
from datetime import UTC, datetime

import pytest
from listens.made import ACCOUNT_2025, EXTENDED_2025, NO_MEDIA, account_row, column, extended_row, make_folder, make_zip

from recsys.canonical import Pseudonyms
from recsys.errors import UnreadableExportError
from recsys.listens import SCHEMA, Contributions, Route, ingest, read_export

LAYOUTS = {
    "account-2018": ("MyData/StreamingHistory.json", account_row()),
    "account-2021": ("MyData/StreamingHistory0.json", account_row()),
    "account-2025": (ACCOUNT_2025, account_row()),
    "endsong-2021": ("MyData/endsong_0.json", extended_row(username="x", ip_addr_decrypted=None)),
    "endvideo-2021": ("MyData/endvideo_0.json", extended_row(offline=None, skipped=None)),
    "extended-2023": ("MyData/Streaming_History_Audio_2019-2020_3.json", extended_row()),
    "extended-2025": (EXTENDED_2025, extended_row()),
    "video-2025": ("a/b/Streaming_History_Video_2016-2025.json", extended_row()),
    "renamed folder": ("min_spotify_data/Ein Ordner/streaminghistory_MUSIC_0.JSON", account_row()),
    "no folder": ("Streaming_History_Audio_2024 (1).json", extended_row()),
    "windows paths": ("MyData\\Inner\\StreamingHistory0.json", account_row()),
}


@pytest.mark.parametrize(("name", "row"), LAYOUTS.values(), ids=LAYOUTS.keys())
def test_a_zip_of_any_year_is_read(tmp_path, name, row):
    listens = read_export(make_zip(tmp_path / "anna.zip", {name: [row], "Read_Me_First.pdf": b"%PDF"}))
    assert listens.member == "anna"
    assert listens.table.schema == SCHEMA
    assert column(listens, "artist") == ["Ünder Glaß"]
    assert column(listens, "ms_played") == [200_000]
    assert listens.report.words() == "1 history files, 1 rows read, 1 used"


def test_the_same_export_is_read_as_zip_as_folder_and_as_file(tmp_path):
    files = {EXTENDED_2025: [extended_row()], "Spotify Account Data/Userdata.json": {"email": "x"}}
    zipped = read_export(make_zip(tmp_path / "anna.zip", files))
    folder = read_export(make_folder(tmp_path / "anna", files))
    single = read_export(tmp_path / "anna" / EXTENDED_2025, member="anna")
    assert zipped.table.equals(folder.table)
    assert zipped.table.equals(single.table)
    assert folder.members == single.members == ("anna",)
    assert folder.read("anna") is folder
    with pytest.raises(KeyError):
        folder.read("bo")


def test_a_single_file_may_have_any_name(tmp_path):
    make_folder(tmp_path, {"renamed.json": [account_row()]})
    assert column(read_export(tmp_path / "renamed.json"), "source") == ["spotify-account"]


def test_times_are_instants_in_utc_and_account_time_is_cut_to_the_minute(tmp_path):
    rows = {ACCOUNT_2025: [account_row(trackName="A")], EXTENDED_2025: [extended_row()]}
    listens = read_export(make_zip(tmp_path / "a.zip", rows))
    assert column(listens, "played_at") == [
        datetime(2025, 3, 1, 7, 34, 0, tzinfo=UTC),
        datetime(2025, 3, 1, 7, 34, 12, tzinfo=UTC),
    ]
    assert column(listens, "source") == ["spotify-account", "spotify-extended"]
    assert column(listens, "finished") == [False, True]


def test_the_route_is_kept_with_every_row(tmp_path):
    path = make_zip(tmp_path / "a.zip", {ACCOUNT_2025: [account_row()]})
    assert column(read_export(path), "route") == ["gdpr-export"]
    assert column(read_export(path, route=Route.SERVICE_EXPORT), "route") == ["service-export"]


LEFT_OUT = {
    "incognito": extended_row(incognito_mode=True),
    "podcast": extended_row(**NO_MEDIA, spotify_episode_uri="spotify:episode:1", episode_name="E"),
    "audiobook": extended_row(**NO_MEDIA, audiobook_uri="spotify:show:1"),
    "local-file": extended_row(spotify_track_uri="spotify:local:a:b:c:200"),
    "no-track": extended_row(**NO_MEDIA),
    "unknown-artist": extended_row(master_metadata_album_artist_name="Unknown Artist"),
}


@pytest.mark.parametrize(("reason", "row"), LEFT_OUT.items())
def test_what_is_not_music_of_the_member_is_left_out_and_counted(tmp_path, reason, row):
    listens = read_export(make_zip(tmp_path / "a.zip", {EXTENDED_2025: [row, extended_row()]}))
    assert listens.report.left_out == {reason: 1}
    assert (listens.report.rows_read, listens.report.rows_used, listens.table.num_rows) == (2, 1, 1)


@pytest.mark.parametrize("blank", [None, "", "  "])
def test_a_play_without_a_name_is_left_out(tmp_path, blank):
    rows = [extended_row(master_metadata_album_artist_name=blank), extended_row(master_metadata_track_name=blank)]
    assert read_export(make_zip(tmp_path / "a.zip", {EXTENDED_2025: rows})).report.left_out == {"no-track": 2}


def test_account_data_tells_podcasts_audiobooks_and_placeholders_apart(tmp_path):
    podcast = {"endTime": "2025-03-01 09:00", "podcastName": "A Show", "episodeName": "E", "msPlayed": 4_408_883}
    book = {"endTime": "2025-03-01 10:00", "audiobookName": "B", "chapterName": "C", "authorName": "D", "msPlayed": 0}
    files = {
        ACCOUNT_2025: [account_row(), account_row(artistName="Unknown Artist", trackName="Unknown Track")],
        "Spotify Account Data/StreamingHistory_podcast_0.json": [podcast],
        "Spotify Account Data/StreamingHistory_audiobook_0.json": [book],
    }
    report = read_export(make_zip(tmp_path / "a.zip", files)).report
    assert report.left_out == {"podcast": 1, "audiobook": 1, "unknown-artist": 1}
    assert report.files_read == 3
    assert report.words() == (
        "3 history files, 4 rows read, 1 used; left out: 1 audiobook, 1 podcast, 1 unknown-artist"
    )


def test_a_music_video_is_music(tmp_path):
    rows = [extended_row(), extended_row(**NO_MEDIA)]
    listens = read_export(make_zip(tmp_path / "a.zip", {"x/Streaming_History_Video_2016-2025.json": rows}))
    assert listens.table.num_rows == 1


OPTIONAL = sorted(set(extended_row()) - {"ts", "ms_played", "spotify_track_uri"} - set(NO_MEDIA))


@pytest.mark.parametrize("field", OPTIONAL)
@pytest.mark.parametrize("how", ["null", "absent"])
def test_other_fields_may_be_null_or_absent(tmp_path, field, how):
    row = extended_row(**{field: None})
    if how == "absent":
        del row[field]
    assert read_export(make_zip(tmp_path / "a.zip", {EXTENDED_2025: [row]})).table.num_rows == 1


@pytest.mark.parametrize("stamp", [None, 0, 1_740_814_452, 1_740_814_452_000])
def test_the_offline_timestamp_is_never_the_time(tmp_path, stamp):
    listens = read_export(make_zip(tmp_path / "a.zip", {EXTENDED_2025: [extended_row(offline_timestamp=stamp)]}))
    assert column(listens, "played_at")[0].year == 2025


@pytest.mark.parametrize(("reason", "finished"), [("trackdone", True), ("", False), (None, False), ("new-one", False)])
def test_a_play_is_finished_if_its_track_was_done(tmp_path, reason, finished):
    listens = read_export(make_zip(tmp_path / "a.zip", {EXTENDED_2025: [extended_row(reason_end=reason)]}))
    assert column(listens, "finished") == [finished]


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("  The Hollow Pines ", "The Hollow Pines"),
        (unicodedata.normalize("NFD", "Ünder Glaß"), "Ünder Glaß"),
        ("夜明けの庭", "夜明けの庭"),
        ("Kōji Ferro", "Kōji Ferro"),
        ("Mariela Öst, Duo Basalt", "Mariela Öst, Duo Basalt"),
        ("the hollow pines", "the hollow pines"),
        ("Various Artists", "Various Artists"),
        ('AC/DC \\ "quoted"', 'AC/DC \\ "quoted"'),
        ("ms_played", "ms_played"),
        ("endTime", "endTime"),
    ],
)
def test_names_keep_their_spelling_but_for_unicode_form_and_outer_blanks(tmp_path, written, name):
    files = {
        EXTENDED_2025: [extended_row(master_metadata_album_artist_name=written)],
        ACCOUNT_2025: [account_row(artistName=written, msPlayed=1)],
    }
    assert column(read_export(make_zip(tmp_path / "a.zip", files)), "artist") == [name, name]


def test_two_plays_in_one_minute_stay_and_a_repeated_row_goes(tmp_path):
    rows = [account_row(msPlayed=30_000), account_row(msPlayed=30_001), account_row(msPlayed=30_001)]
    listens = read_export(make_zip(tmp_path / "a.zip", {ACCOUNT_2025: rows}))
    assert column(listens, "ms_played") == [30_000, 30_001]
    assert listens.report.left_out == {"repeated": 1}


def test_account_rows_that_the_extended_history_has_too_are_told_once(tmp_path):
    files = {ACCOUNT_2025: [account_row(), account_row(msPlayed=5)], EXTENDED_2025: [extended_row()]}
    listens = read_export(make_zip(tmp_path / "a.zip", files))
    assert column(listens, "source") == ["spotify-account", "spotify-extended"]
    assert column(listens, "ms_played") == [5, 200_000]
    assert listens.report.left_out == {"in-extended": 1}


def test_rows_are_put_into_the_order_of_time_across_files(tmp_path):
    files = {
        "x/Streaming_History_Audio_2019_0.json": [extended_row(ts="2019-02-01T00:00:00Z")],
        "x/Streaming_History_Audio_2015-2019_1.json": [
            extended_row(ts="2019-03-01T00:00:00Z"),
            extended_row(ts="2015-01-01T00:00:00Z"),
        ],
    }
    times = column(read_export(make_zip(tmp_path / "a.zip", files)), "played_at")
    assert [time.year * 100 + time.month for time in times] == [201501, 201902, 201903]


def test_a_byte_order_mark_and_a_mac_twin_are_no_hindrance(tmp_path):
    files = {
        "MyData/StreamingHistory0.json": b"\xef\xbb\xbf[" + b"]",
        "__MACOSX/MyData/._StreamingHistory0.json": b"\x00\x05\x16\x07",
        "MyData/._endsong_0.json": b"\x00",
        "MyData/": b"",
        "StreamingHistory.json/": b"",
    }
    assert read_export(make_zip(tmp_path / "a.zip", files)).report.files_read == 1
    del files["MyData/"], files["StreamingHistory.json/"]
    assert read_export(make_folder(tmp_path / "a", files)).report.files_read == 1


def test_no_other_file_is_opened(tmp_path):
    """A personal file that cannot be read is no hindrance, since nobody tries."""
    path = make_zip(tmp_path / "a.zip", {ACCOUNT_2025: [account_row()]})
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("Spotify Account Data/Userdata.json", b"{not json", zipfile.ZIP_STORED)
        archive.writestr("Spotify Account Data/UserAddress.json", b"List(Map(city -> Nowhere))")
    raw = path.read_bytes()
    path.write_bytes(raw.replace(b"{not json", b"{bad sum!", 1))
    assert read_export(path).table.num_rows == 1


@pytest.mark.parametrize("kind", ["zip", "folder"])
def test_an_export_without_history_says_what_to_ask_for(tmp_path, kind):
    files = {"Spotify Account Data/Userdata.json": {}, "Spotify Account Data/Playlist1.json": {"playlists": []}}
    path = make_zip(tmp_path / "a", files) if kind == "zip" else make_folder(tmp_path / "a", files)
    with pytest.raises(UnreadableExportError, match=r"no listening history.*Extended streaming history"):
        read_export(path)


EXPECTED = {
    "spotify_account_2021_MyData.zip": (13, 11),
    "spotify_account_2025.zip": (14, 11),
    "spotify_extended_2021_endsong_MyData.zip": (13, 10),
    "spotify_extended_2023_MyData.zip": (13, 8),
    "spotify_extended_2025.zip": (23, 15),
    "lastfm_api_recenttracks.json": (3, 2),
    "lastfm_api_recenttracks_single.json": (1, 1),
    "lastfm_api_topartists.json": (1, 1),
    "lastfm_benjaminbenben.csv": (4, 3),
    "listenbrainz_synthetic_user_1769288454.zip": (2, 2),
    "maloja_export_1748738994.json": (1, 1),
    "recenttracks-synthetic_user-1709280000.csv": (2, 2),
    "recenttracks-synthetic_user-1709280000.json": (2, 2),
    "synthetic_user_lb-2024-03-01.json": (2, 2),
}
"""Rows read and used of each example; the podcast of 2021 is known by the library beside it."""


@pytest.mark.parametrize("name", EXPECTED)
def test_the_example_exports_are_read(shared_data, name):
    listens = read_export(shared_data / "exports" / name)
    assert (listens.report.rows_read, listens.report.rows_used) == EXPECTED[name]
    assert listens.report.rows_read == listens.report.rows_used + sum(listens.report.left_out.values())
    assert not {"Unknown Artist", ""} & set(column(listens, "artist"))


def test_no_example_is_forgotten(shared_data):
    assert {path.name for path in (shared_data / "exports").iterdir()} == EXPECTED.keys()


def test_the_examples_in_one_folder_are_fourteen_exports(shared_data, tmp_path):
    store = Contributions(tmp_path / "home" / "contributions")
    report = ingest(shared_data / "exports", store, Pseudonyms(b"k" * 32), workers=1)
    assert (report.read, report.members, report.broken) == (14, 13, ())
    assert (report.rows.rows_read, report.rows.rows_used) == tuple(map(sum, zip(*EXPECTED.values(), strict=True)))
    assert report.rows.routes == {"gdpr-export": 55, "service-export": 10, "api": 6}
    assert report.rows.clocks == {"minute": 24, "second": 44, "none": 3}


def test_the_example_account_holds_only_plays_that_its_extended_form_lacks(shared_data, tmp_path):
    """Both packages of one account in one folder: every account row that has a twin goes."""
    for name in ("spotify_account_2025.zip", "spotify_extended_2025.zip"):
        with zipfile.ZipFile(shared_data / "exports" / name) as archive:
            archive.extractall(tmp_path / "both")
    both = read_export(tmp_path / "both")
    account = read_export(shared_data / "exports" / "spotify_account_2025.zip")
    extended = read_export(shared_data / "exports" / "spotify_extended_2025.zip")
    gone = both.report.left_out.get("in-extended", 0)
    assert both.table.num_rows == account.table.num_rows + extended.table.num_rows - gone
