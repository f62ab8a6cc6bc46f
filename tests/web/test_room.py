import shutil
from datetime import timedelta

import pytest
from bundles import make_bundle
from web.rooms import Clock, asking

from recsys.errors import BundleInvalidError, RecsysError, TermsInvalidError
from recsys.synthetic import NOW
from recsys.web import Room
from recsys.web.pages import PAGES


@pytest.fixture
def own(bundle, tmp_path):
    """A copy of the bundle and its key, to be spoilt."""
    return [shutil.copy(path, tmp_path) and tmp_path / path.name for path in bundle]


@pytest.fixture
def room(own):
    return Room.open(*own, Clock())


def closed(pages, status):
    for path in [path for _, path, _ in PAGES if path != "/evidence"] + ["/documents/scores.json", "/artists.json?q=a"]:
        answer = pages.get(path)
        assert answer.status_code == status, path
        assert "buyer" not in answer.text, path
    return True


def test_verify_looks_at_the_file_again(room):
    pages, before = asking(room), room.looked
    room.clock.at += timedelta(hours=1)
    page = pages.post("/evidence").text
    assert room.looked.at == before.at + timedelta(hours=1)
    assert "Every check holds." in page
    assert "15 January 2026, 13:00 UTC" in page
    assert [check.name for check in room.looked.verdict.checks] == [
        *(c.name for c in before.verdict.checks),
        "these pages",
    ]


@pytest.mark.parametrize("place", [100, 20_000, -100])
def test_a_changed_byte_shuts_the_room(room, own, place):
    path, whole = own[0], own[0].read_bytes()
    spoilt = bytearray(whole)
    spoilt[place] ^= 1
    path.write_bytes(spoilt)
    pages = asking(room)
    page = pages.post("/evidence").text
    assert "It does not hold." in page
    assert "does not hold</span>" in page
    assert "members behind this model" not in page
    assert closed(pages, 503)
    path.write_bytes(whole)
    assert "Every check holds." in pages.post("/evidence").text
    assert pages.get("/").status_code == 200


@pytest.mark.parametrize("gone", [0, 1])
def test_a_file_or_key_that_is_gone_shuts_the_room(room, own, gone):
    own[gone].unlink()
    pages = asking(room)
    assert "It does not hold." in pages.post("/evidence").text
    assert closed(pages, 503)


def test_another_bundle_in_its_place_is_not_the_one_that_is_shown(room, own):
    make_bundle(own[0].parent, purpose="something else")
    pages = asking(room)
    assert "the file is another bundle now" in pages.post("/evidence").text
    assert closed(pages, 503)


def test_terms_that_end_while_the_pages_are_open_shut_the_room(room):
    pages = asking(room)
    room.clock.at = NOW + timedelta(days=89)
    assert pages.get("/").status_code == 200
    room.clock.at = NOW + timedelta(days=90)
    assert closed(pages, 410)
    assert "The terms ended on 2026-04-15" in pages.get("/terms").text


def test_there_is_no_room_for_what_does_not_hold(own):
    clock = Clock()
    clock.at += timedelta(days=400)
    with pytest.raises(TermsInvalidError, match="ran out"):
        Room.open(*own, clock)
    own[0].write_bytes(own[0].read_bytes()[:-1])
    with pytest.raises(BundleInvalidError):
        Room.open(*own, Clock())
    with pytest.raises((RecsysError, OSError)):
        Room.open(own[0], own[0].with_name("none.pub"), Clock())
