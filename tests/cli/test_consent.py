"""The members' commands as a person types them."""

import hashlib
import json

import pytest

from recsys.cli import app
from recsys.cli.exits import explained


@pytest.fixture
def recsys(tmp_path, capsys):
    def call(*arguments, code=0):
        found = explained(app, ["consent", *map(str, arguments), "--home", str(tmp_path / "home")])
        captured = capsys.readouterr()
        assert found == code, captured.err + captured.out
        return captured.err if code else captured.out

    call.home = tmp_path / "home"
    return call


def told(text):
    return json.loads(text)


def test_the_notice_can_be_read_and_its_fingerprint_checked(recsys, tmp_path):
    shown = recsys("purposes")
    assert "### share-with-buyer: May this one buyer" in shown
    saved = tmp_path / "notice.md"
    document = told(recsys("purposes", "--save", saved, "--json"))
    assert hashlib.sha256(saved.read_bytes()).hexdigest() == document["sha256"]
    assert document["sha256"] in shown
    assert set(document["questions"]) == {"train-recommender", "sell-insights", "share-with-buyer", "research"}
    assert not recsys.home.exists()


def test_a_yes_is_said_renewed_and_ended_by_the_collective(recsys):
    said = recsys("grant", "ada", "share-with-buyer", "--recipient", "Solo AI", "--at", "2026-01-01")
    assert "Solo AI" in said
    assert "to take it back:" in said
    renewed = told(recsys("renew", "ada", "share-with-buyer", "--recipient", "Solo AI", "--at", "2026-02-01", "--json"))
    assert (renewed["kind"], renewed["until"][:4]) == ("renew", "2028")
    assert "nothing to renew" in recsys("renew", "ada", "research", code=4)
    assert "name it" in recsys("grant", "ada", "share-with-buyer", code=2)
    recsys("revoke", "ada", "--at", "2026-03-01")
    shown = told(recsys("show", "ada", "--at", "2026-04-01", "--json"))
    assert shown["standings"]["share-with-buyer: Solo AI"] == "withdrawn"
    assert [event["kind"] for event in shown["history"]] == ["grant", "renew", "revoke"]
    assert "share-with-buyer: Solo AI" in recsys("show")


def test_a_member_signs_elsewhere_and_nobody_else_can_speak_for_them(recsys, tmp_path):
    invitation, key, answers = (tmp_path / name for name in ("invitation.json", "bob.pem", "answers.jsonl"))
    assert str(invitation) in recsys("invite", "bob", "--save", invitation)
    assert told(recsys("invite", "bob")) == told(invitation.read_text())
    recsys("sign", invitation, "research", "--key", key, "--at", "2026-01-01", "--save", answers)
    recsys("sign", invitation, "sell-insights", "--key", key, "--at", "2026-01-02", "--save", answers)
    assert told(recsys("import", answers, "--json"))["recorded"] == 2
    assert told(recsys("import", answers, "--json"))["recorded"] == 0
    assert "a key of their own" in recsys("withdraw", "bob", code=4)
    recsys("withdraw", "bob", "research", "--key", key, "--at", "2026-02-01")
    shown = told(recsys("show", "bob", "--at", "2026-03-01", "--json"))["standings"]
    assert (shown["research"], shown["sell-insights"]) == ("withdrawn", "given")
    printed = recsys("sign", invitation, "--withdraw", "--key", key, "--at", "2026-02-02")
    answers.write_text(printed)
    assert told(recsys("import", answers, "--json"))["recorded"] == 1


def test_tampered_answers_are_refused_all_together(recsys, tmp_path):
    invitation, key, answers = (tmp_path / name for name in ("invitation.json", "bob.pem", "answers.jsonl"))
    recsys("invite", "bob", "--save", invitation)
    recsys("sign", invitation, "research", "--key", key, "--save", answers)
    good = answers.read_text()
    place = good.index('"sig":"') + 20
    answers.write_text(good + good[:place] + ("A" if good[place] != "A" else "B") + good[place + 1 :])
    assert "must be signed by" in recsys("import", answers, code=8)
    assert told(recsys("show", "--json"))["entries"] == 0


def test_a_receipt_is_printed_saved_and_checked_by_a_stranger(recsys, tmp_path):
    recsys("grant", "ada", "--at", "2026-01-01")
    assert "## How to stop" in recsys("receipt", "ada", "--at", "2026-02-01")
    saved = tmp_path / "receipt.json"
    recsys("receipt", "ada", "--at", "2026-02-01", "--json", "--save", saved)
    document = told(saved.read_text())
    assert document["@type"] == "dpv:ConsentReceipt"
    checked = told(recsys("verify", saved, "--key", document["dct:publisher"], "--json"))
    assert (checked["standing"], checked["entries"]) == ("given", [1])
    saved.write_text(saved.read_text().replace('"given"', '"withdrawn"'))
    assert "does not show" in recsys("verify", saved, "--key", document["dct:publisher"], code=8)
    assert "never said" in recsys("receipt", "bob", code=4)


def test_an_invitation_that_is_none_is_refused(recsys, tmp_path):
    path = tmp_path / "invitation.json"
    path.write_text("{}")
    assert "recsys consent invite" in recsys("sign", path, "research", "--key", tmp_path / "k.pem", code=4)
    assert not (tmp_path / "k.pem").exists()
