"""A made-up member's diary as the zip that Spotify would have sent, with all that such zips hold beside the plays."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import msgspec
import numpy as np

from recsys.synthetic.diary import NOW, YEAR_S, Diary, minute_text, second_text
from recsys.synthetic.world import World

_EXTENDED = "Spotify Extended Streaming History"
_ACCOUNT = "Spotify Account Data"
_OLD = "MyData"
_PDF = b"%PDF-1.4\n% made up\n%%EOF\n"
_STAMP = (2026, 1, 14, 9, 30, 0)
_LEVEL = 3
_PLATFORMS = ("android", "ios", "windows", "Android OS 13 API 33 (made-up, model)", "web_player")
_SKIPS = ("fwdbtn", "backbtn", "endplay", "logout", "unexpected-exit", "")
_UNKNOWN = 0.003  # share of account rows whose artist is gone, as in real exports
_EPISODE, _NOTHING, _HIDDEN, _REPEAT = 0.015, 0.02, 0.025, 0.03  # bounds of the chances that such a row follows a play
_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

SECRETS = (
    b"made_up_user_",
    b"@example.invalid",
    b"Made-up Member",
    b"192.0.2.",
    b"2001:db8::",
    b"made-up, model",
    b"1P_Custom_Made_Up_Segment",
    b"something private",
    b"No Street 1",
)
"""What is personal in these exports; wherever one of these stands, more was kept than may be."""

Files = dict[str, bytes]
Rows = list[dict[str, Any]]


class Layout(StrEnum):
    """The layouts in which Spotify has handed out data over the years."""

    ACCOUNT_2021 = "account-2021"
    ACCOUNT_2025 = "account-2025"
    ENDSONG_2021 = "endsong-2021"
    EXTENDED_2023 = "extended-2023"
    EXTENDED_2025 = "extended-2025"
    BOTH_2025 = "both-2025"


@dataclass(frozen=True, eq=False)
class Author:
    """Who fills in an export: the member's number, the world, and the member's stream of chance."""

    index: int
    world: World
    rng: np.random.Generator


def export_files(author: Author, diary: Diary, layout: Layout) -> Files:
    """Write a diary as the files of an export."""
    match layout:
        case Layout.ACCOUNT_2021:
            music = [*_account_rows(author, diary), *_old_podcasts(author)]
            history = {f"{_OLD}/StreamingHistory0.json": _account_json(sorted(music, key=lambda row: row["endTime"]))}
            return history | personal_files(author, _OLD)
        case Layout.ACCOUNT_2025:
            return _account_2025(author, diary) | personal_files(author, _ACCOUNT)
        case Layout.ENDSONG_2021:
            rows = _extended_rows(author, diary, old=True)
            return {f"{_OLD}/endsong_0.json": msgspec.json.encode(rows), f"{_OLD}/endvideo_0.json": b"[]"}
        case Layout.EXTENDED_2023:
            rows = _extended_rows(author, diary, old=True)
            return _year_files(_OLD, rows) | {f"{_OLD}/ReadMeFirst_ExtendedStreamingHistory.pdf": _PDF}
        case Layout.EXTENDED_2025:
            return _extended_2025(author, diary)
        case Layout.BOTH_2025:
            both = _account_2025(author, diary) | personal_files(author, _ACCOUNT)
            return both | _extended_2025(author, diary)


def zip_bytes(files: Mapping[str, bytes]) -> bytes:
    """Pack files; the same files give the same bytes."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL) as archive:
        for name, data in files.items():
            info = zipfile.ZipInfo(name, _STAMP)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            archive.writestr(info, data)
    return packed.getvalue()


def personal_files(author: Author, folder: str) -> Files:
    """Make up the personal files that lie beside the account data's history."""
    name, address = f"Made-up Member {author.index}", {"country": "SE", "postalCode": "00000"}
    email = f"member-{author.index}@example.invalid"
    user = {"username": _username(author), "email": email, "birthdate": "1990-01-01", "gender": "neutral", **address}
    values = {
        "Follow": {"followerCount": 3, "followingUsersCount": 5, "dismissingUsersCount": 0},
        "Identifiers": {"identifierType": "E-Mail", "identifierValue": email},
        "Identity": {"displayName": name, "firstName": "Made-up", "lastName": f"Member {author.index}"},
        "Inferences": {"inferences": ["1P_Custom_Made_Up_Segment"]},
        "Payments": {"payment_method": "none", "creation_date": "2019-01-01", "country": "SE"},
        "SearchQueries": [{"platform": "", "searchTime": "2025-12-01T10:00:00Z", "searchQuery": "something private"}],
        "Userdata": user,
    }
    files = {f"{folder}/{key}.json": _account_json(value) for key, value in values.items()}
    files[f"{folder}/UserAddress.json"] = b"List(Map(city -> Nowhere, street -> Some(No Street 1)))"
    files[f"{folder}/Read_Me_First.pdf"] = _PDF
    return files


def _account_2025(author: Author, diary: Diary) -> Files:
    podcasts = [
        {"endTime": row["endTime"], "podcastName": row["artistName"], "episodeName": row["trackName"], "msPlayed": ms}
        for row in _old_podcasts(author)
        for ms in [row["msPlayed"]]
    ]
    return {
        f"{_ACCOUNT}/StreamingHistory_music_0.json": _account_json(_account_rows(author, diary)),
        f"{_ACCOUNT}/StreamingHistory_podcast_0.json": _account_json(podcasts),
    }


def _account_rows(author: Author, diary: Diary) -> Rows:
    first = int(NOW.timestamp()) - YEAR_S
    world = author.world
    rows = [
        {
            "endTime": minute_text(ended),
            "artistName": world.artists[artist],
            "trackName": world.tracks[artist][title],
            "msPlayed": ms,
        }
        for ended, artist, title, ms in _plays(diary)
        if ended >= first
    ]
    for row in rows:
        if author.rng.random() < _UNKNOWN:
            row["artistName"], row["trackName"] = "Unknown Artist", "Unknown Track"
    return rows


def _old_podcasts(author: Author) -> Rows:
    """Write podcasts as old account data does: in the music's own fields, told apart by nothing."""
    now = int(NOW.timestamp())
    ends = np.sort(author.rng.integers(now - YEAR_S, now, size=3)).tolist()
    return [
        {
            "endTime": minute_text(end),
            "artistName": "A Made-up Show",
            "trackName": f"Episode {end % 90}",
            "msPlayed": ms,
        }
        for end, ms in zip(ends, (4_408_883, 1_200_000, 12_000), strict=True)
    ]


def _extended_2025(author: Author, diary: Diary) -> Files:
    rows = _extended_rows(author, diary, old=False)
    video = [rows.pop(place) for place in range(len(rows) - 1, 0, -40)]
    return {
        **_year_files(_EXTENDED, rows),
        f"{_EXTENDED}/Streaming_History_Video_{_years(video)}.json": _extended_json(video[::-1]),
        f"{_EXTENDED}/ReadMeFirst_ExtendedStreamingHistory.pdf": _PDF,
    }


def _year_files(folder: str, rows: Rows) -> Files:
    half = len(rows) // 2
    parts = [rows[:half], rows[half:]]
    return {
        f"{folder}/Streaming_History_Audio_{_years(part)}_{number}.json": _extended_json(part)
        for number, part in enumerate(parts)
    }


def _years(rows: Rows) -> str:
    first, last = rows[0]["ts"][:4], rows[-1]["ts"][:4]
    return first if first == last else f"{min(first, last)}-{max(first, last)}"


def _extended_rows(author: Author, diary: Diary, *, old: bool) -> Rows:
    rng, world = author.rng, author.world
    rows = []
    kinds = rng.random(len(diary.ms)).tolist()
    for (ended, artist, title, ms), finished, kind in zip(_plays(diary), diary.finished.tolist(), kinds, strict=True):
        name, track = world.artists[artist], world.tracks[artist][title]
        reason = "trackdone" if finished else _SKIPS[(ended + ms) % len(_SKIPS)]
        row = _extended_row(author, ended, ms, reason, old=old)
        row |= _media(name, track, f"spotify:track:{_id(artist * 100 + title)}")
        rows.append(row)
        if kind < _REPEAT:
            rows.append(_oddity(row, kind))
    return rows


def _oddity(row: dict[str, Any], kind: float) -> dict[str, Any]:
    """Follow a play by what else stands in such files: an episode, a row of nothing, a hidden play, a repeat."""
    nothing = _media(None, None, None)
    if kind < _EPISODE:
        episode = {"episode_name": "Episode 7", "episode_show_name": "A Made-up Show"}
        return row | nothing | episode | {"spotify_episode_uri": f"spotify:episode:{_id(7)}"}
    if kind < _NOTHING:
        return row | nothing
    if kind < _HIDDEN:
        return row | {"incognito_mode": True}
    return dict(row)


def _extended_row(author: Author, ended: int, ms: int, reason: str, *, old: bool) -> dict[str, Any]:
    address = f"192.0.2.{author.index % 250 + 1}" if ended % 3 else f"2001:db8::{author.index % 9_999:x}"
    stamp = (0, ended - 3, (ended - 3) * 1000)[ended % (3 if old else 2)]
    first = {"ts": second_text(ended)}
    device = {"platform": _PLATFORMS[ended % len(_PLATFORMS)], "ms_played": ms, "conn_country": "SE"}
    who = {"username": _username(author), **device, "ip_addr_decrypted": address, "user_agent_decrypted": "unknown"}
    books = dict.fromkeys(("audiobook_title", "audiobook_uri", "audiobook_chapter_uri", "audiobook_chapter_title"))
    return {
        **first,
        **(who if old else {**device, "ip_addr": address}),
        **_media(None, None, None),
        **dict.fromkeys(("episode_name", "episode_show_name", "spotify_episode_uri")),
        **({} if old else books),
        "reason_start": "trackdone",
        "reason_end": reason,
        "shuffle": bool(ended % 2),
        "skipped": False,
        "offline": None if ended % 11 == 0 else False,
        "offline_timestamp": stamp,
        "incognito_mode": False,
    }


def _media(artist: str | None, track: str | None, uri: str | None) -> dict[str, Any]:
    return {
        "master_metadata_track_name": track,
        "master_metadata_album_artist_name": artist,
        "master_metadata_album_album_name": track,
        "spotify_track_uri": uri,
    }


def _plays(diary: Diary) -> list[tuple[int, int, int, int]]:
    columns = (diary.ended, diary.artists, diary.titles, diary.ms)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def _username(author: Author) -> str:
    return f"made_up_user_{author.index}"


def _id(number: int) -> str:
    mixed = (number + 1) * 0x9E3779B97F4A7C15F39CC0605CEDC835 % (1 << 128)
    return "".join(_BASE62[mixed // 62**place % 62] for place in range(22))


def _account_json(value: object) -> bytes:
    return json.dumps(value, indent=2, ensure_ascii=False, separators=(",", " : ")).encode()


def _extended_json(rows: Rows) -> bytes:
    return msgspec.json.format(msgspec.json.encode(rows), indent=2)
