import json
import multiprocessing

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from people import admitted

from recsys.dataset import DatasetStore, Manifest, build, import_benchmark
from recsys.errors import VersionBrokenError, VersionNotFoundError

SONG = [("Óró", 60_000), ("Nocturne", 40_000), ("NOCTURNE", 40_000)]


@pytest.fixture
def version(tmp_path):
    return build(admitted(tmp_path, dict.fromkeys(("ada", "bob", "cyd"), SONG)), min_listeners=2)


@pytest.fixture
def store(tmp_path, version):
    store = DatasetStore(tmp_path / "datasets")
    store.save(version)
    return store


def test_what_is_loaded_is_what_was_saved(store, version):
    found = store.load(version.digest)
    assert found.digest == version.digest
    assert found.members == version.members
    assert found.artists == version.artists
    assert (found.user_items != version.user_items).nnz == 0
    assert (found.user_ms != version.user_ms).nnz == 0
    assert found.spellings == version.spellings
    assert [count.spelling for count in found.collisions()] == ["NOCTURNE", "Nocturne"]
    assert not found.user_items.data.flags.writeable


def test_a_version_is_found_by_the_beginning_of_its_digest(store, version):
    assert store.load(version.digest[:8]).digest == version.digest
    assert store.latest(version.manifest.line) == version.digest
    for name in ("abc", version.digest[:3], "f" * 64, "../..", ""):
        with pytest.raises(VersionNotFoundError):
            store.load(name)


def test_looking_into_a_store_that_is_not_there_creates_nothing(tmp_path):
    store = DatasetStore(tmp_path / "none")
    assert store.digests() == []
    assert store.latest("x") is None
    assert not (tmp_path / "none").exists()


def rewrite(path, change):
    table = pq.read_table(path)
    pq.write_table(change(table), path)


def set_first(column, value):
    def change(table):
        values = table[column].to_pylist()
        values[0] = value
        place = table.column_names.index(column)
        return table.set_column(place, column, pa.array(values, table.schema.field(column).type))

    return change


def edit_manifest(folder, **changes):
    facts = json.loads((folder / "manifest.json").read_bytes())
    (folder / "manifest.json").write_bytes(Manifest(**{**facts, **changes}).to_bytes())


TAMPERINGS = {
    "a play more": lambda f: rewrite(f / "pairs.parquet", set_first("plays", 9)),
    "milliseconds": lambda f: rewrite(f / "pairs.parquet", set_first("ms", 1)),
    "another artist": lambda f: rewrite(f / "pairs.parquet", set_first("artist", 1)),
    "a row gone": lambda f: rewrite(f / "pairs.parquet", lambda t: t.slice(1)),
    "a column gone": lambda f: rewrite(f / "pairs.parquet", lambda t: t.drop_columns(["ms"])),
    "artist renamed": lambda f: rewrite(f / "artists.parquet", set_first("artist", "Else")),
    "member replaced": lambda f: rewrite(f / "members.parquet", set_first("member", "0" * 64)),
    "provenance": lambda f: edit_manifest(f, provenance="public-benchmark"),
    "purpose": lambda f: edit_manifest(f, purpose="research"),
    "ledger head": lambda f: edit_manifest(f, ledger={"count": 1, "hash": "0" * 64}),
    "white space": lambda f: (f / "manifest.json").write_bytes((f / "manifest.json").read_bytes() + b" "),
    "no manifest": lambda f: (f / "manifest.json").unlink(),
    "a spelling": lambda f: rewrite(f / "spellings.parquet", set_first("spelling", "Nocturn")),
    "how many spell so": lambda f: rewrite(f / "spellings.parquet", set_first("members", 1)),
    "no spellings": lambda f: (f / "spellings.parquet").unlink(),
    "no pairs": lambda f: (f / "pairs.parquet").unlink(),
    "cut file": lambda f: (f / "pairs.parquet").write_bytes((f / "pairs.parquet").read_bytes()[:-20]),
    "a flipped bit": lambda f: flip(f / "artists.parquet"),
    "another digest": lambda f: f.rename(f.with_name("0" * 64)),
}


def flip(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 3] ^= 1
    path.write_bytes(bytes(data))


@pytest.mark.parametrize("tampering", TAMPERINGS)
def test_every_tampering_is_found(store, version, tampering):
    folder = store.path(version.digest)
    TAMPERINGS[tampering](folder)
    if tampering == "a flipped bit":
        try:
            assert store.load(version.digest).artists == version.artists  # the bit carried no meaning
        except VersionBrokenError:
            return
    else:
        with pytest.raises(VersionBrokenError):
            store.load(store.digests()[0])


def test_saving_twice_leaves_one_and_no_partial_files(store, version):
    store.save(version)
    assert store.digests() == [version.digest]
    assert not list(store.folder.rglob("*.partial"))


def test_two_who_save_at_once_both_succeed(tmp_path, store, version):
    context = multiprocessing.get_context("spawn")
    folder = tmp_path / "shared"
    writers = [context.Process(target=save_one, args=(folder, store.folder, version.digest)) for _ in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0, 0, 0]
    assert DatasetStore(folder).load(version.digest).digest == version.digest
    assert not list(folder.rglob("*.partial"))


def save_one(folder, source, digest):
    DatasetStore(folder).save(DatasetStore(source).load(digest))


def test_a_manifest_of_another_format_is_refused():
    with pytest.raises(VersionBrokenError, match="format is 'recsys-dataset/9'"):
        Manifest.from_bytes(b'{"format": "recsys-dataset/9"}')
    for nonsense in (b"", b"[]", b"{}", b"\xff", b"null"):
        with pytest.raises(VersionBrokenError):
            Manifest.from_bytes(nonsense)


def test_keys_of_artists_depend_on_their_names_alone(version):
    other = type(version.artists)(reversed(version.artists.names))
    assert np.array_equal(other.keys[::-1], version.artists.keys)
    assert len(set(version.artists.keys.tolist())) == len(version.artists)


def test_an_artist_is_found_under_every_spelling_that_meets(version):
    artists = type(version.artists)(["AC/DC", "Beyoncé", "The Beatles", "beyonce [mbid:1]", "!!!"])
    for spelling in ("Beyoncé", "beyonce", "BEYONCE\u0301", "BeyoncÃ©", "Beyoncé feat. JAY-Z"):
        assert artists.column(spelling) == 1
    assert (artists.column("Beatles"), artists.column("acdc"), artists.column("!!!")) == (2, 0, 4)
    assert artists.column("Nobody") is None
    assert artists.suggest("Beyonse")[0] == "Beyoncé"


def test_latest_means_the_latest_of_the_one_line_there_is(tmp_path):
    store = DatasetStore(tmp_path / "datasets")
    with pytest.raises(VersionNotFoundError, match="there is no version yet"):
        store.find("latest")
    files = {}
    for name in ("one", "two"):
        files[name] = tmp_path / f"{name}.csv"
        files[name].write_text("user,artist\na,x\na,y\nb,x\nb,y\n")
    first = import_benchmark([files["one"]], name="one")
    store.save(first)
    assert store.find("latest") == first.digest
    store.save(import_benchmark([files["two"]], name="two"))
    with pytest.raises(VersionNotFoundError, match=r"there are 2 lines \(public-benchmark-one, public-benchmark-two\)"):
        store.find("latest")
