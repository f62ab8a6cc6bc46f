"""A run repeated without somebody, the receipt, and what a false receipt looks like."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from collective import found_collective, next_version, trained

from recsys.canonical import canonical_json
from recsys.consent import Decision, Kind
from recsys.erasure import erase
from recsys.errors import ConfigError, ConsentError
from recsys.experiment import ErasureReceipt, affected, check_receipt, retrain, tag_affected
from recsys.home import Home
from recsys.synthetic import NOW, PURPOSE
from recsys.tracking import Tracker
from recsys.transparency import SigningKey

LATER = NOW + timedelta(days=1)


@pytest.fixture
def home(collective):
    return Home(collective.path)


@pytest.fixture
def retrained(home, collective):
    for name in collective.names[:2]:
        home.ledger.withdraw(name, at=LATER)
    erase(home, collective.names[0], at=LATER)
    return retrain(home, None, collective.names[:2], at=LATER)


def test_the_demo_collective_without_a_member_is_the_one_that_never_had_them(home, collective, retrained, tmp_path):
    """The other collective has the same key and the same exports but for those of the two; it never heard of them."""
    (tmp_path / "home" / "keys").mkdir(parents=True)
    (tmp_path / "home" / "keys" / "member.key").write_bytes((home.path / "keys" / "member.key").read_bytes())
    without = {f"{name}.zip" for name in collective.names[:2]}
    never = found_collective(tmp_path, but=without)
    version = next_version(never, LATER)
    outcome = trained(never)
    again = retrained.receipt.after
    assert version.manifest.content == again.content
    assert never.datasets.members(version.digest) == home.datasets.members(again.version)
    assert not set(retrained.receipt.members) & {event.member for event in never.ledger.events()}
    assert outcome.factors_digest == retrained.outcome.factors_digest
    folders = [Tracker(path).find(run).model_folder() for path, run in ((never.path, None), (home.path, again.run))]
    first, second = ({path.name: path.read_bytes() for path in folder.iterdir()} for folder in folders)
    assert first == second
    assert retrained.receipt.before.files != again.files


def test_the_receipt_holds_and_says_what_happened(home, collective, retrained):
    document = retrained.files[0].read_bytes()
    verdict = check_receipt(document, collective.key, home.datasets)
    assert verdict.sound, verdict.words()
    assert [check.name for check in verdict.checks] == ["signature", "withdrawals", "version", "model"]
    receipt = retrained.receipt
    assert ErasureReceipt.verified(document, collective.key) == replace(
        receipt, withdrawals=tuple(json.loads(canonical_json(list(receipt.withdrawals))))
    )
    assert set(receipt.erased) == {home.pseudonyms.of(collective.names[0])}
    assert (receipt.before.run, receipt.before.version) == (collective.run, collective.version.digest)
    words = retrained.files[1].read_text()
    assert "their data were erased at 2026-01-16" in words
    assert "kept for what they still agree to" in words
    assert Tracker(home.path).find(receipt.after.run).document("erasure-receipt.json") is not None
    assert home.datasets.manifest(receipt.after.version).version == "2.0.0"


def other_model(receipt):
    files = {**receipt.after.files, "model.safetensors": "0" * 64}
    return replace(receipt, after=replace(receipt.after, files=files))


FALSE = {
    "another model": ("model", other_model),
    "other parameters": ("model", lambda r: replace(r, params={**r.params, "seed": "5"})),
    "a member who is still there": ("version", lambda r: replace(r, members=(*r.members, "THERE"))),
    "no proof of a withdrawal": ("withdrawals", lambda r: replace(r, withdrawals=r.withdrawals[:1])),
    "the proof of somebody else": ("withdrawals", lambda r: replace(r, withdrawals=(r.withdrawals[0],) * 2)),
    "another purpose": ("withdrawals", lambda r: replace(r, purpose="research")),
    "another instant": ("withdrawals", lambda r: replace(r, at="2026-01-01T00:00:00.000000Z")),
    "the version from before": ("version", lambda r: replace(r, after=replace(r.after, version=r.before.version))),
    "another content": ("version", lambda r: replace(r, after=replace(r.after, content=r.before.content))),
}


def test_a_receipt_that_the_collective_signed_falsely_is_found_out(home, collective, retrained):
    there = home.pseudonyms.of(collective.names[6])
    for falsehood, (check, lie) in FALSE.items():
        told = lie(retrained.receipt)
        told = replace(told, members=tuple(there if member == "THERE" else member for member in told.members))
        verdict = check_receipt(told.signed(home.operator).to_json(), collective.key, home.datasets)
        assert check in verdict.failed, falsehood


def test_a_proof_of_somebody_who_agrees_or_that_was_edited_shows_no_withdrawal(home, collective, retrained):
    agrees = json.loads(home.ledger.prove(collective.names[6], PURPOSE, LATER).to_json())
    edited = json.loads(canonical_json(dict(retrained.receipt.withdrawals[0])))
    edited["entries"][-1]["entry"]["at"] = "2026-01-01T00:00:00.000000Z"
    for proof in (agrees, edited):
        told = replace(retrained.receipt, members=(proof["member"],), withdrawals=(proof,))
        verdict = check_receipt(told.signed(home.operator).to_json(), collective.key, home.datasets)
        assert "withdrawals" in verdict.failed


def test_a_receipt_that_was_changed_or_that_somebody_else_signed_is_refused(home, collective, retrained):
    document = retrained.files[0].read_bytes()
    stranger = SigningKey(b"s" * 32)
    for told, key in (
        (document.replace(b'"payload":"e', b'"payload":"f'), collective.key),
        (document, stranger.public),
        (retrained.receipt.signed(stranger).to_json(), collective.key),
        (b"{}", collective.key),
        (b"", collective.key),
    ):
        assert check_receipt(told, key, home.datasets).failed == ("signature",)


def test_who_still_agrees_or_was_never_there_is_not_left_out(home, collective):
    with pytest.raises(ConsentError, match=r"still agrees.*recsys consent withdraw"):
        retrain(home, None, [collective.names[0]], at=LATER)
    with pytest.raises(ConfigError, match="used no data of"):
        retrain(home, None, ["a stranger"], at=LATER)
    with pytest.raises(ConfigError, match="name whom"):
        retrain(home, None, [], at=LATER)
    assert len(home.datasets.digests()) == 1


def test_what_used_a_members_data_is_listed_and_tagged(home, collective):
    name = collective.names[0]
    found = affected(home, name)
    assert [(digest, [run.id for run in found.runs[digest]]) for digest in found.versions] == [
        (collective.version.digest, [collective.run])
    ]
    assert tag_affected(home, found) == 0
    home.ledger.record([Decision(name, Kind.WITHDRAW, PURPOSE, LATER)])
    assert tag_affected(home, affected(home, name)) == 1
    assert "1 of the members" in Tracker(home.path).find(collective.run).tags["recsys.withdrawn"]
    assert affected(home, "nobody").versions == {}
