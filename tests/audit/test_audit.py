"""What an audit takes as its subject, and whom it believes."""

import pytest

from recsys.audit import audit
from recsys.dataset import import_benchmark
from recsys.errors import RunNotFoundError
from recsys.home import Home
from recsys.transparency import SigningKey


def test_whoever_trusts_another_key_believes_nothing(collective):
    stranger = SigningKey(b"s" * 32).public
    assert set(audit(Home(collective.path), None, stranger).failed) == {"signed statement", "ledger"}
    assert set(audit(Home(collective.path), collective.version.digest, stranger).failed) == {"ledger"}


def test_the_latest_run_is_audited_unless_one_is_named(collective):
    assert audit(Home(collective.path)).subject == f"run {collective.run}"
    assert audit(Home(collective.path), collective.version.digest[:8]).subject.startswith("version")


@pytest.mark.parametrize("subject", ["f" * 32, "nothing", ""])
def test_what_is_not_there_is_not_audited(tmp_path, subject):
    with pytest.raises(RunNotFoundError):
        audit(Home(tmp_path / "none"), subject)
    assert not (tmp_path / "none").exists()


def test_a_public_benchmark_rests_on_nobodys_consent(tmp_path):
    rows = [f"{user},{artist},3" for user in range(9) for artist in range(user % 3, user % 3 + 4)]
    (tmp_path / "plays.csv").write_text("\n".join(["user,artist,plays", *rows]))
    home = Home(tmp_path / "home")
    version = import_benchmark([str(tmp_path / "plays.csv")], name="tiny")
    home.datasets.save(version)
    verdict = audit(home, version.digest)
    assert [check.name for check in verdict.checks] == ["manifest", "parts", "cards"]
    assert verdict.sound
