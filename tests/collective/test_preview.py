"""What would be kept of an export is what is kept of it."""

import json
import zipfile

import pytest

from recsys.collective.preview import preview
from recsys.errors import UnreadableExportError
from recsys.listens import SCHEMA, ingest

ROW = {
    "ts": "2025-05-01T10:00:00Z",
    "ms_played": 200_000,
    "master_metadata_album_artist_name": "Björk",
    "master_metadata_track_name": "Jóga",
    "spotify_track_uri": "spotify:track:1",
    "ip_addr": "192.0.2.7",
    "platform": "a telephone",
    "conn_country": "IS",
}


@pytest.fixture
def export(tmp_path):
    """Write a Spotify export: three plays that count, one that is short, a podcast, one incognito."""
    rows = [
        ROW,
        {**ROW, "ts": "2025-05-02T10:00:00Z"},
        {**ROW, "ts": "2025-05-03T10:00:00Z", "master_metadata_album_artist_name": "Aphex Twin"},
        {**ROW, "ts": "2025-05-04T10:00:00Z", "ms_played": 5_000},
        {**ROW, "ts": "2025-05-05T10:00:00Z", "spotify_track_uri": None, "spotify_episode_uri": "spotify:episode:1"},
        {**ROW, "ts": "2025-05-06T10:00:00Z", "incognito_mode": True},
    ]
    path = tmp_path / "ada.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("Spotify/Streaming_History_Audio_2025_0.json", json.dumps(rows))
        file.writestr("Spotify/Userdata.json", json.dumps({"email": "ada@example.org"}))
    return path


def test_it_says_what_is_kept_left_out_and_never_read(export):
    found = preview(export)
    assert found.artists == {"Björk": 2, "Aphex Twin": 1}
    assert (found.first.day, found.last.day) == (1, 4)
    assert (found.report.rows_read, found.report.rows_used) == (6, 4)
    assert found.report.left_out == {"podcast": 1, "incognito": 1}
    assert found.files == ("Spotify/Streaming_History_Audio_2025_0.json",)
    assert found.not_decoded == ("conn_country", "ip_addr", "platform")
    assert set(found.kept) <= set(SCHEMA.names)
    assert "artist_id" not in found.kept
    assert "192.0.2.7" not in json.dumps(found.as_dict())


def test_it_is_what_ingest_keeps_and_it_stores_nothing(export, home):
    found = preview(export)
    assert not home.path.exists()
    ingest(export, home.contributions, home.pseudonyms, workers=1)
    stored = home.contributions.read(home.pseudonyms.of("ada"))
    kept = {name for name in SCHEMA.names if stored.table[name].null_count < stored.table.num_rows}
    assert (kept, stored.report) == (set(found.kept), found.report)
    assert stored.table["played_at"].to_pylist()[0] == found.first


def test_what_was_listened_to_incognito_is_kept_only_if_asked_for(export):
    assert preview(export, incognito=True).artists == {"Björk": 3, "Aphex Twin": 1}


def test_an_export_of_another_service_says_less_about_its_fields(tmp_path):
    path = tmp_path / "bob.csv"
    path.write_text("uts,utc_time,artist,artist_mbid,album,album_mbid,track,track_mbid\n"
                    '"1714557600","01 May 2024, 10:00","Björk","","","","Jóga",""\n')  # fmt: skip
    found = preview(path)
    assert found.artists == {"Björk": 1}
    assert found.not_decoded is None


def test_what_ingest_refuses_is_refused(tmp_path):
    (tmp_path / "x.zip").write_bytes(b"nothing")
    with pytest.raises(UnreadableExportError):
        preview(tmp_path / "x.zip")
