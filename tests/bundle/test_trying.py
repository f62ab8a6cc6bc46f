"""A sample tried on a buyer's listeners: figures that a person can check, two beside one another, commands."""

import json

import bundles
import numpy as np
import pytest
from listeners import histories

from recsys.bundle import open_sample
from recsys.bundle.names import NameIndex
from recsys.bundle.trying import compare_samples, read_histories, taste, try_on
from recsys.bundle.trying.division import Division
from recsys.cli import app
from recsys.cli.exits import explained
from recsys.errors import ConfigError
from recsys.synthetic import NOW, make_histories

AT = ("--at", NOW.isoformat())


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
    for figures in (trial.everything, trial.known):
        for one in figures.by(name):
            apart = figures.scores["sample"][name].mean - figures.scores[one.other][name].mean
            assert one.difference.mean == pytest.approx(apart)
    assert json.dumps(trial.as_dict())
    assert "artists in your file" in trial.verdict


def test_a_sample_is_ahead_where_listeners_hear_what_it_holds_to_be_alike(sample):
    names = sample.named.artists.names
    circles = [[name, *(near for near, _ in sample.similar(name, 9).artists)] for name in names]
    rows = [[name in circle for name in names] for circle in circles]
    trial = try_on(sample, histories(rows, names))
    assert all(one.difference.low > 0 for one in trial.known.by("ndcg_at_100"))


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
    with pytest.raises(ConfigError, match=r"knows none of these.*it knows 80 artists, for example"):
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
