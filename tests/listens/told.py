"""Made-up files of the services beside Spotify, as they write them."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

MBID = "00000000-0000-4000-8000-000000000001"
BJORK_ID = "7w29UYBi0qsHi5RTcv3lmA"


def lastfm_track(artist="Ünder Glaß", name="Slow Tide", uts="1709278412", **changes):
    track = {
        "artist": {"mbid": "", "#text": artist},
        "streamable": "0",
        "image": [{"size": "small", "#text": ""}],
        "mbid": "",
        "album": {"mbid": "", "#text": ""},
        "name": name,
        "url": "https://www.last.fm/music/x/_/y",
        "date": {"uts": uts, "#text": "01 Mar 2024, 07:33"},
    }
    return track | changes


def now_playing(**changes):
    track = lastfm_track(**changes)
    del track["date"]
    return track | {"@attr": {"nowplaying": "true"}}


def recent(*tracks):
    one = tracks[0] if len(tracks) == 1 else list(tracks)
    return {"recenttracks": {"track": one, "@attr": {"user": "x", "total": str(len(tracks))}}}


def top(*artists):
    rows = [
        {"name": name, "playcount": count, "mbid": mbid, "url": "x", "@attr": {"rank": "1"}}
        for name, count, mbid in artists
    ]
    return {"topartists": {"artist": rows[0] if len(rows) == 1 else rows, "@attr": {"user": "x"}}}


def listen(artist="Ünder Glaß", name="Slow Tide", at=1_709_278_412, *, credits_=(), **info):
    mapping = {
        "artists": [
            {"artist_mbid": mbid, "join_phrase": "", "artist_credit_name": credit} for credit, mbid in credits_
        ],
        "recording_name": name,
    }
    return {
        "inserted_at": 1769288454.319137,
        "listened_at": at,
        "track_metadata": {
            "track_name": name,
            "artist_name": artist,
            "mbid_mapping": mapping if credits_ else None,
            "recording_msid": MBID,
            "additional_info": info,
        },
    }


def lines(*listens):
    return "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in listens).encode()


def scrobble(*artists, title="Slow Tide", at=1_709_278_412):
    track = {"artists": list(artists), "title": title, "album": None, "length": None}
    return {"time": at, "track": track, "duration": None, "origin": "client:default"}


def contribution(tracks=(), favourites=()):
    return {
        "user": {"id_hash": "ab" * 32, "country": "SE", "product": "premium"},
        "stats": {"total_minutes": 9, "track_count": 2, "unique_artists_count": 1, "activity_period_days": 90},
        "tracks": [
            {"track_id": track, "artist_id": artist, "duration_ms": 200_000, "listened_at": at}
            for track, artist, at in tracks
        ],
        "top_artists_medium_term": [
            {"id": artist, "name": name, "popularity": 50, **({} if count is None else {"play_count": count})}
            for artist, name, count in favourites
        ],
    }


def database(path, *statements):
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement in statements:
            connection.execute(statement)
    return path


REFINED = (
    "CREATE TABLE users (id_hash VARCHAR PRIMARY KEY, country VARCHAR, product VARCHAR)",
    "CREATE TABLE artists (id VARCHAR PRIMARY KEY, name VARCHAR NOT NULL, popularity INTEGER, genres JSON)",
    "CREATE TABLE user_top_artists (id INTEGER PRIMARY KEY, user_id_hash, artist_id, play_count, last_played_at)",
    f"INSERT INTO artists VALUES ('{BJORK_ID}', 'Björk', 70, '[]')",
    f"INSERT INTO user_top_artists VALUES (1, 'anna', '{BJORK_ID}', 7, '2025-03-01')",
    "INSERT INTO user_top_artists VALUES (2, 'anna', '0000000000000000000002', 3, NULL)",
    f"INSERT INTO user_top_artists VALUES (3, 'bo', '{BJORK_ID}', 1, NULL)",
)
"""The refined data of two members, one of whose artists has no name."""
