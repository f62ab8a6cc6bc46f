import pytest

from recsys.bench import scaling
from recsys.errors import ConfigError


def test_members_grow_with_the_pairs_and_artists_with_their_root():
    four = scaling.grown(4_000_000)
    assert (four.shape, four.users, four.items, four.pairs) == ("4M", 40_000, 40_000, 4_000_000)


def test_every_size_has_its_cost(tmp_path):
    report = scaling.run([2_000, 8_000], 4, repeats=1, sweeps=3, out=tmp_path)
    assert [(row["pairs"], row["users"]) for row in report.table] == [(2_000, 20), (8_000, 80)]
    for row in report.table:
        assert row["nanoseconds_per_pair"] == pytest.approx(1e9 * row["sweep_seconds"] / row["pairs"])
    assert min(row["growth"] for row in report.table) == 1
    assert "2,000" in (tmp_path / "scaling.md").read_text()


def test_something_is_measured():
    with pytest.raises(ConfigError, match="give 1 or more"):
        scaling.run([])
