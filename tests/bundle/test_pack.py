"""What is in a bundle, who may have one, and that the same inputs give the same bytes."""

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta

import bundles
import collective
import pytest

from recsys.bundle import Approval, Limits, SealKey, Terms, archive, open_sample, pack
from recsys.canonical import canonical_json, parse_json
from recsys.consent import Standing, admit
from recsys.dataset import build_next, import_benchmark
from recsys.errors import (
    ConfigError,
    LeakError,
    NotForSaleError,
    SignatureInvalidError,
    TermsInvalidError,
    VersionWithdrawnError,
)
from recsys.experiment.run import split_of
from recsys.home import Home
from recsys.synthetic import BUYER, NOW
from recsys.tracking import Tracker
from recsys.transparency import SigningKey

SHARE = "share-with-buyer"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return bundles.make_bundle(tmp_path_factory.mktemp("bundle"))


@pytest.fixture
def home(tmp_path):
    """Give a copy of the collective, to do to it what a test likes."""
    shutil.copytree(bundles.small_home().path, tmp_path / "home")
    return Home(tmp_path / "home")


@pytest.fixture
def packed(home, tmp_path):
    """Pack the copy's run."""

    def attempt(run=None, *, at=NOW, approval=None, **told):
        out = tmp_path / "out.recsys"
        out.unlink(missing_ok=True)
        try:
            pack(home, run or bundles.small_home().run, bundles.make_terms(**told), out, at=at, approval=approval)
        except Exception:
            assert not out.exists()
            assert not [path for path in tmp_path.iterdir() if "partial" in path.name]
            raise
        return open_sample(out, home_key(home), at=at)

    return attempt


def home_key(home):
    return SealKey.at(home.seal_key).public


def test_nobody_is_in_it(made):
    """No pseudonym, name or factors of any member, and no artist whom too few listen to."""
    founded = bundles.small_home()
    home, run = Home(founded.path), Tracker(founded.path).find(founded.run)
    data = made[0].read_bytes()
    for member, name in zip(founded.version.members, founded.names, strict=True):
        assert member[:16].encode() not in data
        assert name.encode() not in data
    sample = open_sample(*made, at=NOW)
    assert len(sample.named.model.user_factors) == 0
    split = split_of(run, home.datasets.load(founded.version.digest))
    columns = [founded.version.artists.column(name) for name in sample.named.artists.names]
    counts = split.train.getnnz(axis=0)[columns]
    assert counts.min() >= 5
    assert (sample.listeners * split.train.shape[0] <= counts + 1e-3).all()


def test_it_says_by_how_much_it_is_weaker(made):
    run = Tracker(bundles.small_home().path).find(bundles.small_home().run)
    scores = open_sample(*made, at=NOW).documents["scores"]
    for name, metric in scores["full"]["metrics"].items():
        assert metric["mean"] == pytest.approx(run.metrics[name], rel=1e-9)
        assert scores["popularity"]["metrics"][name]["mean"] == pytest.approx(run.metrics[f"popularity_{name}"])
        lost = metric["mean"] - scores["sample"]["metrics"][name]["mean"]
        assert scores["weaker"][name]["mean"] == pytest.approx(lost)
        assert scores["weaker"][name]["low"] <= lost <= scores["weaker"][name]["high"]
    assert scores["touches"] == {"full": 1, "sample": 2, "popularity": 1}
    assert scores["shape"]["factors"] == {"sample": 6, "full": 8}
    assert scores["weaker"]["ndcg_at_100"]["low"] > 0


def test_the_evidence_is_that_of_the_ledger(made):
    founded = bundles.small_home()
    evidence = open_sample(*made, at=NOW, operator=founded.key).documents["evidence"]
    agreed = Home(founded.path).ledger.standings(SHARE, NOW, BUYER)
    assert evidence["agreement"]["agree"] == sum(agreed[m] is Standing.GIVEN for m in founded.version.members)
    assert evidence["dataset"]["digest"] == founded.version.digest


SCRIPT = """
import os, sys
os.umask(int(sys.argv[4]))
from pathlib import Path
from recsys.bundle import Terms, pack
from recsys.home import Home
from recsys.synthetic import NOW
pack(Home(Path(sys.argv[1])), sys.argv[2], Terms.load(Path(sys.argv[3])), Path(sys.argv[5]), at=NOW)
"""


def test_the_same_inputs_give_the_same_bytes(made, tmp_path):
    """In another process, time zone, language, mask and order of hashes, with other numbers of threads."""
    founded, out = bundles.small_home(), tmp_path / "again.recsys"
    (tmp_path / "terms.json").write_bytes(canonical_json(bundles.make_terms().as_dict()))
    around = {"TZ": "America/St_Johns", "LC_ALL": "tr_TR.UTF-8", "PYTHONHASHSEED": "7", "OMP_NUM_THREADS": "1"}
    told = (founded.path, founded.run, tmp_path / "terms.json", 0o077, out)
    subprocess.run(
        [sys.executable, "-c", SCRIPT, *map(str, told)], check=True, cwd=tmp_path, env={**os.environ, **around}
    )
    assert out.read_bytes() == made[0].read_bytes()


def test_a_public_benchmark_is_not_for_sale(home, tmp_path, packed):
    csv = tmp_path / "plays.csv"
    rows = [
        f"u{user},a{artist},{user + artist + 1}" for user in range(40) for artist in range(12) if (user * artist) % 5
    ]
    csv.write_text("user,artist,plays\n" + "\n".join(rows) + "\n")
    version = import_benchmark([csv], name="public")
    home.datasets.save(version)
    run = collective.trained(home, version=version.digest)
    with pytest.raises(NotForSaleError, match="public-benchmark"):
        packed(run.run_id)


def test_everybody_must_agree_to_this_very_buyer(home, packed):
    with pytest.raises(NotForSaleError, match=r"0 of the 121 members .* agree to share with 'somebody else'"):
        packed(buyer="somebody else")
    home.ledger.withdraw(bundles.small_home().names[3], SHARE, at=NOW - timedelta(days=1), recipient=BUYER)
    with pytest.raises(NotForSaleError, match=r"120 of the 121 .*withdrawn: 1.*recsys dataset build --purpose share"):
        packed()
    with pytest.raises(NotForSaleError, match="withdrawn: 1"):
        packed(at=NOW - timedelta(days=9))


def test_a_consent_that_ran_out_is_none(packed):
    late = NOW + timedelta(days=3_700)
    with pytest.raises(NotForSaleError, match="expired: 121"):
        packed(at=late, expires=(late + timedelta(days=3)).date())


def test_whoever_left_takes_the_model_along(home, packed):
    home.ledger.withdraw(bundles.small_home().names[3], at=NOW - timedelta(days=1))
    with pytest.raises(VersionWithdrawnError, match="withdrawn"):
        packed()


def test_terms_that_ran_out_pack_nothing(packed):
    with pytest.raises(TermsInvalidError, match="ran out"):
        packed(expires=NOW.date())


def test_a_model_that_was_changed_is_not_sealed(packed):
    files = list((bundles.small_home().path / "artifacts").rglob("artists.json"))
    held = [path.read_bytes() for path in files]
    try:
        for path in files:
            path.write_bytes(path.read_bytes() + b" ")
        with pytest.raises(SignatureInvalidError, match="not what was signed"):
            packed()
    finally:
        for path, data in zip(files, held, strict=True):
            path.write_bytes(data)


def test_a_model_that_tells_who_is_in_it_is_refused(packed):
    with pytest.raises(LeakError, match="max_membership_auc"):
        packed(limits=Limits(max_membership_auc=0.5))
    with pytest.raises(LeakError, match="no artist"):
        packed(min_listeners=1_000)


def test_a_folder_is_no_file(home, tmp_path):
    with pytest.raises(ConfigError, match="is a folder"):
        pack(home, None, bundles.make_terms(), tmp_path, at=NOW)


SOLD = {"kind": "full", "proposal": "ab" * 32, "factors": None, "artists": None, "price_cents": 5_500_000}


def approval(key, **told):
    terms = bundles.make_terms(**SOLD)
    plain = {name: getattr(terms, name) for name in ("proposal", "buyer", "kind", "purpose", "expires", "price_cents")}
    counts = {"yes": 60, "no": 20, "abstain": 5, "eligible": 121}
    return Approval(**{**plain, "tally": counts, "ballots": {"size": 85, "root": "cd" * 32}, **told}).signed(key)


def test_a_sale_needs_the_members_vote(home, packed):
    with pytest.raises(NotForSaleError, match="need the members' vote"):
        packed(**SOLD)
    with pytest.raises(NotForSaleError, match="need the members' vote"):
        packed(proposal="ab" * 32)
    with pytest.raises(SignatureInvalidError):
        packed(**SOLD, approval=approval(SigningKey(b"x" * 32)))
    with pytest.raises(NotForSaleError, match="price_cents"):
        packed(**SOLD, approval=approval(home.operator, price_cents=1))
    with pytest.raises(NotForSaleError, match="made of run 0123"):
        packed(**SOLD, approval=approval(home.operator, run="0123"))
    with pytest.raises(NotForSaleError, match="made of version 4567"):
        packed(**SOLD, approval=approval(home.operator, version="4567"))


def test_what_was_voted_on_is_the_whole_model_with_its_neighbours(home, packed):
    run = collective.trained(home, neighbours=20)
    sample = packed(run.run_id, **SOLD, approval=approval(home.operator))
    assert sample.terms.kind == "full"
    assert sample.named.model.factors == 8
    assert sample.named.beside is not None
    assert sample.documents["evidence"]["approval"]["payload"]
    assert sample.documents["scores"]["shape"]["neighbours"] == {"sample": True, "full": True}


def test_members_who_share_with_a_buyer_make_a_line_of_their_own(home, packed):
    """Where not everybody agrees to a buyer, a model is trained on those who do."""
    some = bundles.small_home().names[:90]
    for name in some:
        home.ledger.grant(name, SHARE, at=NOW - timedelta(days=3), recipient="Solo AI")
    admitted = admit(home.contributions, home.ledger, SHARE, NOW, recipient="Solo AI")
    version, _ = build_next(home.datasets, admitted, collective=home.collective)
    run = collective.trained(home, purpose=SHARE, recipient="Solo AI")
    assert run.version == version.digest
    sample = packed(run.run_id, buyer="Solo AI")
    assert sample.documents["evidence"]["agreement"]["agree"] == 90
    with pytest.raises(NotForSaleError, match="built for share-with-buyer with Solo AI"):
        packed(run.run_id)


def test_a_bundle_is_read_by_its_parts_alone(made):
    """The manifest's digest names the bundle; terms come back as they were given."""
    entries = archive.read_file(made[0])
    sample = open_sample(*made, at=NOW)
    assert sample.terms == bundles.make_terms() == Terms.from_odrl(parse_json(entries["terms.json"]))
    assert sample.manifest.to_bytes() == entries["manifest.json"]
    assert replace(sample.manifest, buyer="x").digest != sample.digest
