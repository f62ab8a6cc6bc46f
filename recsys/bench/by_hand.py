"""Exports read as people read them: ``json``, ``pandas`` and a loop. The other end of ``recsys bench ingest``.

It does less than ``recsys ingest``: nothing is checked, nothing is kept private, and a killed run starts again.
"""

from __future__ import annotations

import json
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

_HISTORIES = ("streaminghistory", "streaming_history", "endsong", "endvideo")
_PLAY = ["played_at", "artist", "track", "ms_played"]


def main(exports: str, out: str) -> int:
    """Read each zip in a folder, write its music plays as Parquet to another, and give their number."""
    Path(out).mkdir(parents=True)
    plays = 0
    for path in sorted(Path(exports).glob("*.zip")):
        try:
            frames = list(_frames(path))
        except (zipfile.BadZipFile, ValueError):
            continue
        if frames:
            music = pd.concat(frames).drop_duplicates(_PLAY).sort_values("played_at")
            music.to_parquet(Path(out, f"{path.stem}.parquet"))
            plays += len(music)
    return plays


def _frames(path: Path) -> Iterator[Any]:
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if name.rsplit("/")[-1].lower().startswith(_HISTORIES):
                rows = pd.DataFrame(json.loads(archive.read(name)))
                if "ts" in rows:
                    yield _extended(rows)
                elif "artistName" in rows:
                    yield _account(rows)


def _extended(rows: Any) -> Any:  # noqa: ANN401 - pandas has no types
    music = rows[rows["spotify_track_uri"].notna() & ~rows["incognito_mode"].astype(bool)]
    return pd.DataFrame(
        {
            "played_at": pd.to_datetime(music["ts"]),
            "artist": music["master_metadata_album_artist_name"],
            "track": music["master_metadata_track_name"],
            "ms_played": music["ms_played"],
            "finished": music["reason_end"] == "trackdone",
        }
    )


def _account(rows: Any) -> Any:  # noqa: ANN401 - as above
    music = rows[rows["artistName"] != "Unknown Artist"]
    return pd.DataFrame(
        {
            "played_at": pd.to_datetime(music["endTime"], utc=True),
            "artist": music["artistName"],
            "track": music["trackName"],
            "ms_played": music["msPlayed"],
            "finished": False,
        }
    )


if __name__ == "__main__":
    sys.stdout.write(json.dumps({"plays": main(*sys.argv[1:])}))
