"""Made-up exports for the tests, of every year and in every state of health."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

EXTENDED_2025 = "Spotify Extended Streaming History/Streaming_History_Audio_2024-2025_1.json"
ACCOUNT_2025 = "Spotify Account Data/StreamingHistory_music_0.json"


def account_row(**changes):
    row = {"endTime": "2025-03-01 07:34", "artistName": "Ünder Glaß", "trackName": "Slow Tide", "msPlayed": 200_000}
    return row | changes


def extended_row(**changes):
    row = {
        "ts": "2025-03-01T07:34:12Z",
        "platform": "android",
        "ms_played": 200_000,
        "conn_country": "SE",
        "ip_addr": "192.0.2.10",
        "master_metadata_track_name": "Slow Tide",
        "master_metadata_album_artist_name": "Ünder Glaß",
        "master_metadata_album_album_name": "An Album",
        "spotify_track_uri": "spotify:track:0000000000000000000001",
        "episode_name": None,
        "episode_show_name": None,
        "spotify_episode_uri": None,
        "audiobook_title": None,
        "audiobook_uri": None,
        "audiobook_chapter_uri": None,
        "audiobook_chapter_title": None,
        "reason_start": "trackdone",
        "reason_end": "trackdone",
        "shuffle": False,
        "skipped": False,
        "offline": False,
        "offline_timestamp": 1_740_814_452,
        "incognito_mode": False,
    }
    return row | changes


NO_MEDIA = {
    "master_metadata_track_name": None,
    "master_metadata_album_artist_name": None,
    "master_metadata_album_album_name": None,
    "spotify_track_uri": None,
}


def as_bytes(content):
    return content if isinstance(content, bytes) else json.dumps(content, indent=2, ensure_ascii=False).encode()


def make_zip(path: Path, files, **options) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, **options) as archive:
        for name, content in files.items():
            archive.writestr(name, as_bytes(content))
    return path


def make_folder(path: Path, files) -> Path:
    for name, content in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(as_bytes(content))
    return path


def column(listens, name):
    return listens.table[name].to_pylist()
