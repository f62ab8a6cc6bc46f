import pytest

from recsys.errors import ConfigError
from recsys.experiment.stated import read_stated


def test_figures_are_read_with_who_states_them(tmp_path):
    path = tmp_path / "stated.toml"
    path.write_text('[[stated]]\nmodel = "iALS"\nsource = "a paper"\nndcg_at_100 = 0.2\nrecall_at_20 = 1\n')
    (one,) = read_stated(path)
    assert (one.model, one.source, dict(one.figures)) == ("iALS", "a paper", {"ndcg_at_100": 0.2, "recall_at_20": 1.0})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", r"no table \[\[stated\]\]"),
        ("stated = 3\n", r"no table \[\[stated\]\]"),
        ("=", "is not a TOML file"),
        ('[[stated]]\nmodel = "m"\nndcg_at_100 = 0.2\n', "needs a model, a source"),
        ('[[stated]]\nmodel = "m"\nsource = "s"\n', "needs a model, a source"),
        ('[[stated]]\nmodel = "m"\nsource = "s"\nndcg_at_100 = "0.2"\n', "figures that are numbers"),
        ('[[stated]]\nmodel = "m"\nsource = "s"\nndcg_at_100 = true\n', "figures that are numbers"),
    ],
)
def test_what_states_nothing_is_refused(tmp_path, text, words):
    (tmp_path / "stated.toml").write_text(text)
    with pytest.raises(ConfigError, match=words):
        read_stated(tmp_path / "stated.toml")


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ConfigError, match="there is no file"):
        read_stated(tmp_path / "stated.toml")
