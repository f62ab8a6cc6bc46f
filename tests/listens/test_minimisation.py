"""Whatever personal thing stands anywhere in an export of any kind, no byte of it is written to the home folder."""

from __future__ import annotations

import json

import pytest
from listens.made import account_row, extended_row, make_zip
from listens.told import contribution, database, lastfm_track, lines, listen, recent, scrobble, top

from recsys.home import Home
from recsys.listens import Route, ingest
from recsys.synthetic.spotify import Layout

SECRETS = {
    "name": "Greta Geheim",
    "username": "greta.secret.user",
    "email": "greta@example.invalid",
    "ip": "203.0.113.77",
    "ip6": "2001:db8::5ec:2e7",
    "agent": "SecretBrowser/9.9",
    "device": "Partner greta_phone XZ-77",
    "postal": "QX7-99Z",
    "street": "Geheimweg 12",
    "birth": "1977-07-17",
    "search": "something nobody may know",
    "card": "4000-0000-0000-0077",
}
ALL = " | ".join(SECRETS.values())
KEPT = {"endTime", "artistName", "trackName", "msPlayed"}
KEPT |= {"ts", "ms_played", "master_metadata_album_artist_name", "master_metadata_track_name"}
TYPED = {"incognito_mode", "offline_timestamp"}
ACCOUNT_FILES = (
    "Userdata Identity Identifiers Payments UserAddress Inferences SearchQueries Follow UserPrompts Playlist1 Marquee "
    "Wrapped2025 DuoNewFamily Unknown2031"
)
PERSONAL = {f"{name}.json": {"value": ALL} for name in ACCOUNT_FILES.split()}
OLD = {"username", "ip_addr_decrypted", "user_agent_decrypted", "city", "region", "metro_code"}


def planted(row, *more):
    """Put all secrets into each field but those that a listen is made of, and those that hold no text."""
    row = dict.fromkeys(more) | row
    secret = {key: ALL for key in row if key not in KEPT | TYPED}
    return row | secret | ({"spotify_track_uri": f"spotify:track:{ALL}"} if "spotify_track_uri" in row else {})


def hidden(row):
    return row | {"incognito_mode": True, "master_metadata_track_name": ALL, "master_metadata_album_artist_name": ALL}


def podcast(row):
    return row | {"spotify_track_uri": None, "spotify_episode_uri": ALL, "master_metadata_album_artist_name": ALL}


ACCOUNT = [planted(account_row(), "device", "country")]
SHOW = [planted({"endTime": "2025-03-01 09:00", "podcastName": "", "episodeName": "", "msPlayed": 7})]
NEW = planted(extended_row(), "ip_addr")
ENDSONG = planted(extended_row(), *OLD)
LIBRARY = {
    "tracks": [{"artist": ALL, "album": ALL, "track": ALL, "uri": ALL}],
    "shows": [{"name": ALL, "publisher": ALL, "uri": ALL}],
    "artists": [{"name": ALL, "uri": ALL}],
    "other": [ALL],
}
EXTENDED = {
    "Streaming_History_Audio_2025_0.json": [NEW, hidden(NEW), podcast(NEW)],
    "Streaming_History_Video_2025.json": [NEW],
}
SPOTIFY = {
    Layout.ACCOUNT_2021: {"StreamingHistory0.json": ACCOUNT},
    Layout.ACCOUNT_2025: {
        "StreamingHistory_music_0.json": ACCOUNT,
        "StreamingHistory_podcast_0.json": SHOW,
        "YourLibrary.json": LIBRARY,
    },
    Layout.ENDSONG_2021: {"endsong_0.json": [ENDSONG, hidden(ENDSONG)], "endvideo_0.json": [podcast(ENDSONG)]},
    Layout.EXTENDED_2023: {"Streaming_History_Audio_2019-2020_3.json": [ENDSONG, hidden(ENDSONG)]},
    Layout.EXTENDED_2025: EXTENDED,
    Layout.BOTH_2025: {**EXTENDED, "StreamingHistory_music_0.json": ACCOUNT, "YourLibrary.json": LIBRARY},
}
TRACK = lastfm_track(url=ALL, album={"mbid": "", "#text": ALL}, image=[{"size": "small", "#text": ALL}])
HEADER = "uts,utc_time,artist,artist_mbid,album,album_mbid,track,track_mbid"
SERVICES = {
    "Last.fm's API": {f"{ALL[:12]}.json": {**recent(TRACK), "@attr": {"user": ALL}, "email": ALL}},
    "Last.fm's favourites": {"x.json": {**top(("Ünder Glaß", "7", "")), "@attr": {"user": ALL}}},
    "lastfm.ghan.nl": {"x.csv": f'{HEADER}\n1709278412,"{ALL}",Ünder Glaß,,"{ALL}",,Slow Tide,\n'.encode()},
    "lastfm-to-csv": {"x.csv": f"Ünder Glaß,{ALL},Slow Tide,01 Mar 2024 07:33\n".encode()},
    "ListenBrainz": {
        "user.json": {"username": ALL, "email": ALL},
        "listens/2024/3.jsonl": lines(listen(media_player=ALL, origin_url=ALL, submission_client=ALL) | {"user": ALL}),
        "feedback.jsonl": lines({"user": ALL}),
    },
    "Maloja": {"x.json": {"maloja": {"user": ALL}, "scrobbles": [scrobble("Ünder Glaß") | {"origin": ALL}]}},
    "Unwrapped": {
        "x.json": contribution(favourites=[("7w29UYBi0qsHi5RTcv3lmA", "Ünder Glaß", "7")])
        | {"user": {"id_hash": ALL, "country": ALL, "product": ALL}}
    },
}
EXPORTS = SPOTIFY | SERVICES


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path / "home")


def assert_nothing_personal(home):
    """Look into every file as it lies there, and into what the encrypted ones hold, out of its columns' compression."""
    written = [path for path in home.path.rglob("*") if path.is_file()]
    contributions = list(home.contributions.folder.rglob("*.listens"))
    assert contributions
    assert set(contributions) < set(written)
    everything = [str(path).encode() + path.read_bytes() for path in written]
    for path in contributions:
        with home.contributions._opened(path) as plain:
            table = plain.read()
            assert "Ünder Glaß" in table["artist"].to_pylist()
            told = [str(table.to_pydict()), str(plain.schema_arrow.metadata), str(plain.metadata.to_dict())]
        everything += [text.encode() for text in told]
    for what, secret in SECRETS.items():
        for form in (secret, json.dumps(secret)[1:-1]):
            assert not any(form.encode() in content for content in everything), what


def assert_ingested(exports, home, **how):
    report = ingest(exports, home.contributions, home.pseudonyms, workers=1, **how)
    assert (report.read, report.broken) == (1, ())
    assert_nothing_personal(home)


@pytest.mark.parametrize("name", EXPORTS)
@pytest.mark.parametrize("nested", [False, True], ids=["zip", "zip in a zip"])
def test_what_is_personal_is_nowhere_in_the_home_folder(tmp_path, home, name, nested):
    folder = ALL.replace("/", "-").replace(":", "-")
    files = {f"{folder}/{file}": content for file, content in {**PERSONAL, **EXPORTS[name]}.items()}
    exports = tmp_path / "exports"
    exports.mkdir()
    path = make_zip(exports / f"{SECRETS['name']}.zip", files)
    if nested:
        make_zip(path, {f"{SECRETS['email']}.zip": path.read_bytes()})
    assert_ingested(exports, home)


def test_of_many_members_only_pseudonyms_and_plays_are_kept(tmp_path, home):
    path = database(
        tmp_path / f"{SECRETS['username']}.db",
        "CREATE TABLE users (id_hash VARCHAR PRIMARY KEY, country VARCHAR, product VARCHAR)",
        "CREATE TABLE artists (id VARCHAR PRIMARY KEY, name VARCHAR, popularity INTEGER, genres JSON)",
        "CREATE TABLE user_top_artists (id INTEGER PRIMARY KEY, user_id_hash, artist_id, play_count, last_played_at)",
        f"INSERT INTO users VALUES ('{ALL}', '{ALL}', '{ALL}')",
        "INSERT INTO artists VALUES ('7w29UYBi0qsHi5RTcv3lmA', 'Ünder Glaß', 70, '[]')",
        f"INSERT INTO user_top_artists VALUES (1, '{ALL}', '7w29UYBi0qsHi5RTcv3lmA', 7, '2025-03-01')",
    )
    assert_ingested(path, home)


def test_of_a_plain_table_only_pseudonyms_and_plays_are_kept(tmp_path, home):
    path = tmp_path / "table.csv"
    path.write_text(f"user,artist,plays,email,ip\n{ALL},Ünder Glaß,7,{ALL},{ALL}\n")
    assert_ingested(path, home, route=Route.SURVEY)
