"""recsys sample, as the operator and the buyer type it."""

import json

import bundles
import pytest

from recsys.cli import app
from recsys.cli.exits import explained
from recsys.synthetic import NOW

AT = ("--at", NOW.isoformat())


@pytest.fixture
def recsys(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def call(*arguments, code=0):
        home = str(bundles.small_home().path)
        assert explained(app, ["sample", *map(str, arguments), "--home", home]) == code
        captured = capsys.readouterr()
        return captured.err if code not in {0, 9} else captured.out

    return call


@pytest.fixture
def terms(recsys, tmp_path):
    """Write the example, and change it as it says."""
    assert "wrote terms.toml" in recsys("terms")
    text = (tmp_path / "terms.toml").read_text()
    for old, new in (("factors = 16", "factors = 6"), ("artists = 500", "artists = 80"), ("rs = 10", "rs = 5")):
        assert old in text
        text = text.replace(old, new)
    text = text.replace("auc = 0.75", "auc = 1.0").replace("fpr = 0.15", "fpr = 1.0")
    (tmp_path / "terms.toml").write_text(text)
    return "terms.toml"


def test_from_terms_to_a_verdict(recsys, terms):
    said = recsys("pack", "--terms", terms, *AT)
    for words in ("18 held-out listeners", "ndcg@100", "sample less full model", "80 of", "6 of 8", "AUC", "wrote"):
        assert words in said
    told = recsys("key")
    assert json.loads(recsys("key", "--json"))["id"] in told
    said = recsys("verify", "sample.recsys", "--key", "seal.pub", *AT)
    assert said.count("ok  ") == 8
    assert "every check holds" in said
    recsys("key", "--collective", "collective.pub")
    trusted = recsys("verify", "sample.recsys", "--key", "seal.pub", "--operator", "collective.pub", *AT)
    assert "with the key that you gave" in trusted
    document = json.loads(recsys("verify", "sample.recsys", "--key", "seal.pub", *AT, "--json"))
    assert document["sound"] is True
    assert len(document["checks"]) == 8


def test_a_verdict_that_fails_is_an_exit_code(recsys, terms, tmp_path):
    recsys("pack", "--terms", terms, *AT)
    recsys("key")
    whole = (tmp_path / "sample.recsys").read_bytes()
    (tmp_path / "sample.recsys").write_bytes(whole.replace(b"judge the model", b"sell the models"))
    said = recsys("verify", "sample.recsys", "--key", "seal.pub", *AT, code=9)
    assert "FAILED   file" in said
    assert "unknown  seal: cannot be told, because this does not hold: file\n" in said
    (tmp_path / "sample.recsys").write_bytes(whole)
    said = recsys("verify", "sample.recsys", "--key", "seal.pub", "--at", "2199-01-01", code=9)
    assert "FAILED   expiry" in said


def test_refusals_are_one_line_and_a_code(recsys, terms, tmp_path):
    assert "is there already" in recsys("terms", code=2)
    assert "cannot be read" in recsys("verify", "x.recsys", "--key", "none.pub", code=8)
    assert "no file" in recsys("pack", "--terms", "none.toml", code=10)
    (tmp_path / "greedy.toml").write_text((tmp_path / terms).read_text().replace('"sample" ', '"full" '))
    assert "needs the members' vote" in recsys("pack", "--terms", "greedy.toml", *AT, code=10)
    (tmp_path / "strict.toml").write_text((tmp_path / terms).read_text().replace("auc = 1.0", "auc = 0.5"))
    assert "max_membership_auc" in recsys("pack", "--terms", "strict.toml", *AT, code=10)
    assert "finished run 'nothing'" in recsys("pack", "nothing", "--terms", terms, *AT, code=7)
