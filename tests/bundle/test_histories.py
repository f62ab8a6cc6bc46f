"""A buyer's own listeners: what is read, what is refused, and figures that a person can check."""

import gzip
import json

import bundles
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import scipy.sparse as sp
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recsys.bundle import open_sample
from recsys.bundle.names import NameIndex
from recsys.bundle.trying import Bounds, Histories, compare_samples, read_histories, taste, try_on
from recsys.bundle.trying.division import LENGTH, Division, listed_by_fame
from recsys.cli import app
from recsys.cli.exits import explained
from recsys.errors import ConfigError
from recsys.synthetic import NOW, make_histories

BOUNDS = Bounds(rows=1_000, text=1_000_000, letters=100)
AT = ("--at", NOW.isoformat())


def written(folder, name, content):
    path = folder / name
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        pq.write_table(content, path)
    return path


def pairs(histories):
    rows, columns = histories.plays.nonzero()
    return sorted(
        (int(row), histories.artists[column], histories.plays[row, column])
        for row, column in zip(rows, columns, strict=True)
    )


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return bundles.make_bundle(tmp_path_factory.mktemp("bundle"))


@pytest.fixture(scope="module")
def sample(bundle):
    return open_sample(*bundle, at=NOW)


@pytest.fixture(scope="module")
def mine(tmp_path_factory):
    path = tmp_path_factory.mktemp("mine") / "mine.csv"
    make_histories(path, listeners=150)
    return path


def test_spellings_of_one_artist_are_one_and_ids_are_dropped(tmp_path):
    text = "User,Artist,Plays\n007,Björk,3\n007,bjork,2\n7,BJÖRK,1\n7,1975,4\n7,bjork,1\n"
    found = read_histories(written(tmp_path, "a.csv", text.encode()))
    assert pairs(found) == [(0, "bjork", 5), (1, "1975", 4), (1, "bjork", 2)]
    assert found.counted
    assert "007" not in str(vars(found))


def test_names_are_taken_where_there_are_ids_too_and_without_plays_a_pair_is_one(tmp_path):
    table = pa.table({"user_id": [1, 1, 2], "artist_id": [9, 9, 8], "artist_name": ["a", "A", "b"]})
    found = read_histories(written(tmp_path, "a.parquet", table))
    assert pairs(found) == [(0, "A", 1), (1, "b", 1)]
    assert not found.counted


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("bom.csv", b"\xef\xbb\xbfuser,artist\n1,a\n2,b\n"),
        ("tab.tsv", b"user\tartist\n1\ta\n2\tb\n"),
        ("semicolon.csv", b"user;artist\n1;a\n2;b\n"),
        ("packed.csv.gz", gzip.compress(b"user,artist\n1,a\n2,b\n")),
        ("numbers.parquet", pa.table({"user": [1, 2], "artist": ["a", "b"]})),
        ("large.parquet", pa.table({"user": pa.array(["1", "2"], pa.large_string()), "artist": ["a", "b"]})),
        ("coded.parquet", pa.table({"user": pa.array(["1", "2"]).dictionary_encode(), "artist": ["a", "b"]})),
        ("odd.parquet", pa.table({"user": [1, 2], "artist": ["a", "b"], "secret": ["x" * 9_999] * 2})),
    ],
)
def test_many_ways_to_write_one_table(tmp_path, name, content):
    assert pairs(read_histories(written(tmp_path, name, content), BOUNDS)) == [(0, "a", 1), (1, "b", 1)]


def long_texts(letters, lines):
    return pa.table({"user": [1] * lines, "artist": pa.array(["x" * letters] * lines).dictionary_encode()})


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.csv", b"", "neither a Parquet nor a CSV"),
        ("a.csv", b"user,artist\n", "a head and no lines"),
        ("a.csv", b"user,artist\n1,\n", "1 empty places"),
        ("a.csv", b'user,artist\n1," "\n', "an artist without a name"),
        ("a.csv", b"who,artist\n1,2\n", "one of user"),
        ("a.csv", b"user,artist,artist\n1,2,3\n", "2 times"),
        ("a.csv", b"user,artist,plays\n1,2,-3\n", "numbers from 1"),
        ("a.csv", b"user,artist,plays\n1,2,nan\n", "whole numbers"),
        ("a.csv", b"user,artist\n1,Bj\xf6rk\n", "invalid UTF8"),
        ("a.csv", "user,artist\n1,2\n".encode("utf-16"), "neither a Parquet nor a CSV"),
        ("a.csv", b"user,artist\n1," + b"x" * 500 + b"\n", "a name of 500 letters"),
        ("a.csv", b"user,artist\n" + b"1,2\n" * 1_001, "more than 1,000 lines"),
        ("bomb.csv.gz", gzip.compress(b"user,artist\n" + b"1,2\n" * 300_000), "more than 1,000,000 bytes"),
        ("a.parquet", b"PAR1" + bytes(50) + b"PAR1", "cannot be read"),
        ("a.parquet", pa.table({"user": [1], "artist": [["a"]]}), "names or numbers"),
        ("a.parquet", pa.table({"user": [1], "artist": pa.array([b"\xff"])}), "names or numbers"),
        ("a.parquet", pa.table({"user": pa.nulls(2), "artist": ["a", "b"]}), "2 empty places"),
        ("lines.parquet", long_texts(5, 1_001), "more than 1,000 lines"),
        ("bomb.parquet", long_texts(99_999, 1_000), "more than 1,000,000 bytes"),
        ("name.parquet", long_texts(101, 1), "a name of 101 letters"),
    ],
)
def test_what_is_no_table_within_bounds_is_refused_in_words(tmp_path, name, content, words):
    with pytest.raises(ConfigError, match=words):
        read_histories(written(tmp_path, name, content), BOUNDS)


def test_folders_and_missing_files_are_refused(tmp_path):
    with pytest.raises(ConfigError, match="no file"):
        read_histories(tmp_path, BOUNDS)
    with pytest.raises(ConfigError, match="there is no file"):
        read_histories(tmp_path / "none.csv", BOUNDS)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
@given(
    st.binary(max_size=200) | st.text(max_size=200).map(str.encode), st.sampled_from([".csv", ".csv.gz", ".parquet"])
)
def test_any_bytes_are_read_or_refused(tmp_path, content, suffix):
    for told in (content, b"user,artist,plays\n" + content, b"PAR1" + content + b"PAR1"):
        try:
            found = read_histories(written(tmp_path, f"any{suffix}", told), BOUNDS)
        except ConfigError:
            continue
        assert found.plays.shape[1] == len(found.artists)


def histories(rows, artists=None):
    plays = sp.csr_matrix(np.array(rows, dtype=np.float32))
    return Histories(plays, tuple(artists or (f"artist {i}" for i in range(plays.shape[1]))), counted=True)


def test_artists_that_a_bundle_takes_for_one_are_one():
    index = NameIndex(["Prince", "Björk"], aliases={"The Artist": "Prince"})
    told = histories([[1, 2, 0, 0], [0, 0, 3, 4]], ["the artist", "Prince", "Bjork", "Somebody"])
    found = told.matched(index)
    assert pairs(found.histories) == [(0, "Prince", 3), (1, "Björk", 3), (1, "Somebody", 4)]
    assert found.histories.artists == ("Björk", "Prince", "Somebody")
    assert found.columns.tolist() == [1, 0, -1]
    assert found.in_bundle(found.histories.plays, 2, 9.0).toarray().tolist() == [[3, 0], [0, 3]]


def test_slips_are_seen_past_only_when_asked():
    index = NameIndex(["Aphex Twin", "Björk"])
    told = histories([[1, 2]], ["Aphex Twn", "Björk"])
    assert told.matched(index).known.tolist() == [False, True]
    found = told.matched(index, correct=True)
    assert found.known.all()
    assert found.corrected == {"Aphex Twn": "Aphex Twin"}


def test_an_artist_counts_for_typical_plays_where_the_file_does_not_say():
    told = Histories(sp.csr_matrix(np.ones((1, 2), np.float32)), ("a", "b"), counted=False)
    found = told.matched(NameIndex(["b"]))
    assert found.in_bundle(found.histories.plays, 1, 7.0).toarray().tolist() == [[7]]


def test_what_is_shown_and_what_is_hidden_make_up_a_history():
    rng = np.random.default_rng(0)
    told = histories(rng.integers(0, 3, size=(40, 15)))
    division = Division.of(told, seed=3)
    assert ((division.shown + division.hidden) != told.plays[division.users]).nnz == 0
    assert division.shown.multiply(division.hidden).nnz == 0
    assert (division.n_hidden >= 1).all()
    assert (np.diff(division.shown.indptr) >= 1).all()
    again = Division.of(told, seed=3)
    assert (again.hidden != division.hidden).nnz == 0
    assert (Division.of(told, seed=4).hidden != division.hidden).nnz > 0


def test_one_listener_is_no_test():
    with pytest.raises(ConfigError, match="only 1 of 3 listeners"):
        Division.of(histories([[1, 1, 0], [1, 0, 0], [0, 0, 1]]))


@given(
    st.integers(2, 12).flatmap(
        lambda n: st.lists(st.lists(st.booleans(), min_size=n, max_size=n), min_size=3, max_size=9)
    ),
    st.integers(0, 3),
    st.randoms(use_true_random=False),
)
@settings(deadline=None)
def test_popularity_among_the_others_is_what_counting_by_hand_gives(rows, seed, draw):
    told = histories(np.array(rows, dtype=np.float32))
    if (told.plays.getnnz(axis=1) >= 2).sum() < 2:
        return
    division = Division.of(told, seed=seed)
    among = np.array([draw.random() < 0.8 for _ in told.artists])
    lists = listed_by_fame(division, among)
    for place, user in enumerate(division.users):
        others = [row for other, row in enumerate(rows) if other != user]
        counts = {artist: sum(row[artist] for row in others) for artist in np.flatnonzero(among).tolist()}
        shown = set(division.shown[place].indices.tolist())
        wanted = [artist for artist in sorted(counts, key=lambda one: (-counts[one], one)) if artist not in shown]
        assert [one for one in lists.ids[place].tolist() if one >= 0] == wanted[:LENGTH]
        hidden = set(division.hidden[place].indices.tolist())
        assert lists.hit[place].tolist() == [one in hidden for one in lists.ids[place].tolist()]


def test_long_lists_of_popular_artists_are_cut_right():
    rng = np.random.default_rng(1)
    told = histories((rng.random((30, 400)) < rng.random(400)).astype(np.float32))
    division = Division.of(told, seed=0)
    lists = listed_by_fame(division, np.ones(400, dtype=bool))
    counts = told.plays.getnnz(axis=0)
    for place, user in enumerate(division.users[:5]):
        own = set(told.plays[user].indices.tolist())
        left = {one: counts[one] - (one in own) for one in range(400) if one not in division.shown[place].indices}
        assert lists.ids[place].tolist() == sorted(left, key=lambda one: (-left[one], one))[:100]


def test_a_sample_is_tested_on_strangers(sample, mine):
    trial = try_on(sample, read_histories(mine))
    found = trial.overlap
    assert found.tested == found.listeners == 150
    assert found.bundle_artists == len(sample.named.artists)
    assert found.known_artists <= found.bundle_artists < found.artists
    assert found.hidden_known < found.hidden
    name = "ndcg_at_100"
    for scores in (trial.everything.scores, trial.known.scores):
        assert all(0 < one[name].low < one[name].mean < one[name].high < 1 for one in scores.values())
    assert trial.known.scores["sample"][name].mean > trial.everything.scores["sample"][name].mean
    assert trial.known.by(name)[0].difference.mean > 0
    assert json.dumps(trial.as_dict())
    assert "artists in your file" in trial.verdict


def test_figures_of_a_sample_are_those_of_asking_it_by_name(sample, mine):
    """The whole path by hand for some listeners: names in, names out, hits counted, what is not known is a miss."""
    told = read_histories(mine)
    trial = try_on(sample, told)
    matched = told.matched(NameIndex.of(sample))
    division = Division.of(matched.histories)
    names = matched.histories.artists
    for place in range(0, 150, 15):
        shown = division.shown[place]
        liked = {names[c]: float(v) for c, v in zip(shown.indices, shown.data, strict=True) if matched.columns[c] >= 0}
        listed = [name for name, _ in sample.recommend(liked, 100).artists] if liked else []
        hidden = {names[c] for c in division.hidden[place].indices}
        hits = [1 / np.log2(rank + 2) for rank, name in enumerate(listed) if name in hidden]
        best = sum(1 / np.log2(rank + 2) for rank in range(min(100, len(hidden))))
        assert trial.everything.scores["sample"]["ndcg_at_100"].per_user[place] == pytest.approx(sum(hits) / best)


def test_listeners_of_whom_a_sample_knows_nothing_get_no_list(sample):
    known = sample.named.artists.names[:6]
    rows = [[1, 1, 1, 1, 0, 0, 0, 0]] * 3 + [[0, 0, 0, 0, 1, 1, 1, 1]] * 3
    trial = try_on(sample, histories(rows, [*known[:4], "W Nobody", "X Nobody", "Y Nobody", "Z Nobody"]))
    assert trial.overlap.blind == 3
    assert trial.everything.scores["sample"].n_users == 6
    assert trial.known.scores["sample"].n_users == 3
    assert trial.everything.scores["sample"]["recall_at_50"].per_user[3:].tolist() == [0, 0, 0]
    assert "too few to decide by" in trial.verdict


def test_a_file_of_other_things_is_said_to_be_one(sample):
    with pytest.raises(ConfigError, match="knows 0 of the 3 artists"):
        try_on(sample, histories([[1, 1, 1], [1, 1, 0]], ["qqqqqq 1", "qqqqqq 2", "qqqqqq 3"]))


def test_nothing_of_the_histories_is_kept(sample, mine, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    try_on(sample, read_histories(mine))
    assert list(tmp_path.iterdir()) == []


def test_two_samples_are_compared_on_the_same_listeners(sample, mine, tmp_path):
    smaller = open_sample(*bundles.make_bundle(tmp_path, artists=30, factors=2), at=NOW)
    compared = compare_samples(sample, smaller, read_histories(mine))
    rows = {row.name: row for row in compared.rows}
    assert rows["artists"].differs
    assert rows["factors"].a.startswith("6 of")
    assert rows["factors"].b.startswith("2 of")
    assert not rows["buyer"].differs
    paired = compared.paired
    assert paired.comparisons[0].significant()
    assert paired.comparisons[0].difference.mean > 0
    assert "the first is better" in paired.verdict
    other = compare_samples(smaller, sample, read_histories(mine)).paired
    assert other.comparisons[0].difference.mean == pytest.approx(-paired.comparisons[0].difference.mean)
    assert json.dumps(compared.as_dict())


def test_a_sample_is_as_good_as_itself(sample, mine):
    paired = compare_samples(sample, sample, read_histories(mine)).paired
    assert paired.comparisons[0].difference.per_user.tolist() == [0.0] * 150
    assert "no difference can be told" in paired.verdict
    trial = try_on(sample, read_histories(mine))
    assert compare_samples(sample, sample).paired is None
    np.testing.assert_array_equal(
        paired.everything["a"]["ndcg_at_100"].per_user, trial.everything.scores["sample"]["ndcg_at_100"].per_user
    )


def test_a_taste_is_understood_and_explained(sample):
    first, second = sample.named.artists.names[5:7]
    tasted = taste(sample, [first.lower(), second, "zzzzzz"], 3)
    assert [one.name for one in tasted.taken] == [first, second, ""]
    assert list(tasted.unknown) == ["zzzzzz"]
    assert len(tasted.recommended) == 3
    assert {name for one in tasted.recommended for name, _ in one.why} <= {first, second}
    with pytest.raises(ConfigError, match="knows none of these"):
        taste(sample, ["zzzzzz"])
    with pytest.raises(ConfigError, match="1 or more"):
        taste(sample, [first], 0)


def asked(*words):
    return explained(app, ["sample", *map(str, words)])


def test_a_buyer_tries_evaluates_and_compares_at_the_terminal(bundle, sample, mine, capsys):
    file, key = bundle
    name = sample.named.artists.names[3]
    assert asked("try", file, "--key", key, *AT, "--artists", name.upper()) == 0
    assert f"{name.upper()} -> {name}" in capsys.readouterr().out
    assert asked("evaluate", file, "--key", key, *AT, "--histories", mine, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told == json.loads(json.dumps(try_on(sample, read_histories(mine)).as_dict()))
    assert asked("evaluate", file, "--key", key, *AT, "--histories", mine, "--correct-slips") == 0
    shown = capsys.readouterr().out
    assert "corrected" in shown
    assert "popularity among your listeners" in shown
    assert asked("compare", file, file, "--key", key, *AT, "--histories", mine) == 0
    assert "no difference can be told" in capsys.readouterr().out


def test_what_goes_wrong_at_the_terminal_is_said_in_a_line(bundle, tmp_path, capsys):
    file, key = bundle
    assert asked("try", file, "--key", key, *AT, "--artists", "zzzzzz") == 2
    assert asked("evaluate", file, "--key", key, *AT, "--histories", tmp_path / "none.csv") == 2
    assert asked("try", file, "--key", key, "--at", "2036-01-01", "--artists", "x") == 10
    assert "ran out" in capsys.readouterr().err
    changed = tmp_path / "changed.recsys"
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    changed.write_bytes(data)
    assert asked("evaluate", changed, "--key", key, *AT, "--histories", tmp_path / "none.csv") in {8, 10}
