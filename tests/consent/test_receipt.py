import json
import re
import warnings
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rdflib import RDF, Graph, Namespace, URIRef

from recsys.canonical import Pseudonym, canonical_json
from recsys.consent import Decision, Kind, Ledger, Standing
from recsys.consent.answers import answers, spoken
from recsys.consent.controller import Controller
from recsys.consent.desk import OwnKey, granted, receipt_for, renewal, say, short_receipt, signed_elsewhere
from recsys.consent.dpv import CONTEXT, decision_of
from recsys.consent.invitation import Invitation
from recsys.consent.notice import CURRENT
from recsys.consent.proofs import ConsentProof
from recsys.consent.receipt import Receipt, read_receipt
from recsys.errors import (
    ConfigError,
    ConsentMissingError,
    ProofInvalidError,
    RecordInvalidError,
    SignatureInvalidError,
)
from recsys.listens import Contributions, ReadReport
from recsys.transparency import SigningKey

DPV = Namespace("https://w3id.org/dpv#")
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
ADA = Pseudonym("ad" * 32)
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture
def ledger(tmp_path):
    (tmp_path / "collective.toml").write_text(
        'name = "Tuned In"\ncontact = "hello@tuned.example"\naddress = "1 Road, Cork"\n'
    )
    return Ledger(tmp_path / "ledger.db")


@pytest.fixture
def controller(ledger):
    return Controller.at(ledger.path.parent, SigningKey.at(ledger.path.parent / "keys" / "operator.key").public)


def receipt(ledger, at=NOON + DAY, report=None, name="ada"):
    proof = ledger.prove(name, "train-recommender", at)
    return Receipt(name, proof, ledger.operator_key, at, report, ledger.kept_key(name))


def test_an_instant_is_said_in_the_readers_time_and_in_utc():
    assert spoken(NOON, UTC) == "Monday, 1 June 2026, 12:00 UTC"
    assert spoken(NOON, BERLIN) == "Monday, 1 June 2026, 14:00 CEST (12:00 UTC)"
    late = datetime(2026, 1, 31, 23, 30, tzinfo=UTC)
    assert spoken(late, BERLIN) == "Sunday, 1 February 2026, 00:30 CET (23:30 UTC on 31 January)"


def test_a_receipt_says_what_was_agreed_for_whom_until_when_and_how_to_stop(ledger):
    ledger.grant("ada", "train-recommender", at=NOON, until=NOON + 365 * DAY)
    ledger.grant("ada", "share-with-buyer", at=NOON, recipient="Solo AI")
    ledger.grant("ada", "sell-insights", at=NOON)
    ledger.withdraw("ada", "sell-insights", at=NOON + DAY / 2)
    text = receipt(ledger).to_markdown(BERLIN)
    (training,) = re.findall(r"### May we train.*?\n\n(.*?)\n\n>", text, re.DOTALL)
    assert " ".join(training.split()) == (
        "**Yes**, said on Monday, 1 June 2026, 14:00 CEST (12:00 UTC). "
        "It lasts until Tuesday, 1 June 2027, 14:00 CEST (12:00 UTC)."
    )
    assert "### May this one buyer use a program that learned from your listening? The buyer: Solo AI" in text
    assert "**No.** You took your yes back on Tuesday, 2 June 2026, 02:00 CEST (00:00 UTC)." in text
    assert "### May researchers study listening?\n\n**No.** You have not said yes to this." in text
    assert "Tuned In. Contact: hello@tuned.example. Address: 1 Road, Cork." in " ".join(text.split())
    assert "recsys consent withdraw ada share-with-buyer --recipient 'Solo AI'" in text
    assert "recsys consent withdraw ada sell-insights" not in text
    for told in (ledger.pseudonym("ada"), CURRENT.sha256, ledger.head().hash):
        assert f"    {told}" in text
    assert f"receipt.json --key {ledger.operator_key.did}\n" in text
    assert "We keep your signing key for you" in text
    assert max(len(line) for line in text.splitlines()) <= 120


def test_a_receipt_tells_a_revocation_from_a_withdrawal_and_from_an_end(ledger):
    ledger.grant("ada", "train-recommender", at=NOON, until=NOON + DAY / 4)
    ledger.grant("ada", "research", at=NOON)
    ledger.record([Decision("ada", Kind.REVOKE, "research", NOON + DAY / 2)])
    text = receipt(ledger).to_markdown(UTC)
    assert "**No.** Your yes ended on Monday, 1 June 2026, 18:00 UTC." in text
    assert "**No.** We ended your yes on Tuesday, 2 June 2026, 00:00 UTC." in text


def test_a_no_to_everything_is_no_yes_taken_back(ledger):
    ledger.grant("ada", "research", at=NOON)
    ledger.withdraw("ada", at=NOON + DAY / 2)
    text = receipt(ledger).to_markdown(UTC)
    assert text.count("You took your yes back") == 1
    assert text.count("You have not said yes to this.") == 3


def test_a_receipt_tells_what_was_taken_and_what_was_not(ledger):
    ledger.grant("ada", "train-recommender", at=NOON)
    report = ReadReport(12_345, 11_000, {"podcast": 1_300, "incognito": 44, "gremlins": 1}, 4)
    text = receipt(ledger, report=report).to_markdown(UTC)
    assert "4 files of listening history with 12,345 rows. We keep 11,000 of them." in " ".join(text.split())
    assert "- left out: 1,300 (podcasts)\n- left out: 44 (played in a private session)\n" in text
    assert "gremlins" in text
    for section in ("What we take from your history", "What we leave alone"):
        assert CURRENT.sections[section].split()[:5] == text[text.index(CURRENT.sections[section][:12]) :].split()[:5]


def test_the_json_is_a_receipt_of_dpv_with_a_proof_that_holds(ledger):
    ledger.grant("ada", "train-recommender", at=NOON)
    ledger.grant("bob", "train-recommender", at=NOON)
    ledger.withdraw("ada", at=NOON + DAY / 2)
    document = json.loads(json.dumps(receipt(ledger).as_dict()))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # rdflib's own, of its older graphs
        graph = Graph().parse(data=json.dumps(document), format="json-ld")
    (node,) = graph.subjects(RDF.type, DPV.ConsentReceipt)
    assert node == URIRef(document["@id"])
    assert len(list(graph.objects(node, DPV.hasRecordOfActivity))) == 2
    assert document["dct:conformsTo"].endswith("dpv-27560#receipt")
    assert {one["purpose"]: one["standing"] for one in document["answers"]}["train-recommender"] == "withdrawn"
    proof = ConsentProof.from_json(json.dumps(document["proof"]).encode())
    assert proof.check(ledger.operator_key).standing is Standing.WITHDRAWN
    for record in document["dpv:hasRecordOfActivity"]:
        assert decision_of({**record, "@context": CONTEXT}).member == ledger.pseudonym("ada")


def test_a_receipt_can_be_checked_with_the_public_key_alone(ledger):
    ledger.grant("ada", "train-recommender", at=NOON)
    document = receipt(ledger).as_dict()
    proof = read_receipt(json.dumps(document, indent=2).encode(), ledger.operator_key)
    assert proof == receipt(ledger).proof
    with pytest.raises(SignatureInvalidError):
        read_receipt(canonical_json(document), SigningKey(b"x" * 32).public)


@pytest.mark.parametrize(
    "change",
    [
        {"answers": []},
        {"dct:created": "2020-01-01T00:00:00.000000Z"},
        {"dct:created": "yesterday"},
        {"dct:publisher": SigningKey(b"x" * 32).public.did},
        {"dpv:hasRecordOfActivity": []},
        {"proof": {}},
        {"proof": None},
        {"dct:title": "more"},
        {"@id": "urn:uuid:0"},
    ],
)
def test_a_receipt_that_says_more_than_its_proof_shows_is_refused(ledger, change):
    ledger.grant("ada", "train-recommender", at=NOON)
    document = {**receipt(ledger).as_dict(), **change}
    with pytest.raises(ProofInvalidError):
        read_receipt(canonical_json(document), ledger.operator_key)


def test_the_same_receipt_is_made_again_to_the_byte(ledger):
    ledger.grant("ada", "train-recommender", at=NOON)
    assert receipt(ledger).as_dict() == receipt(ledger).as_dict()


def test_nobody_gets_a_receipt_for_nothing(ledger):
    ledger.grant("ada", "train-recommender", at=NOON)
    with pytest.raises(ConsentMissingError, match="never said"):
        receipt(ledger, name="bob")


def test_a_receipt_for_a_member_finds_what_they_handed_in(ledger, tmp_path):
    ledger.grant("ada", "train-recommender", at=NOON)
    made = receipt_for("ada", ledger, Contributions(tmp_path / "contributions"), NOON)
    assert made.report is None
    assert "not handed in any history" in made.to_markdown(UTC)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.sampled_from(["grant", "withdraw", "buyer", "end", "expired"]), max_size=8), st.integers(-1, 10))
def test_answers_are_those_that_the_gate_gives(tmp_path_factory, words, hour):
    ledger = Ledger(tmp_path_factory.mktemp("home") / "ledger.db")
    decisions = {
        "grant": lambda at: Decision("ada", Kind.GRANT, "research", at, at + 9 * DAY),
        "expired": lambda at: Decision("ada", Kind.RENEW, "research", at, at + DAY / 24),
        "buyer": lambda at: Decision("ada", Kind.GRANT, "share-with-buyer", at, at + 9 * DAY, "Solo AI"),
        "withdraw": lambda at: Decision("ada", Kind.WITHDRAW, None, at),
        "end": lambda at: Decision("ada", Kind.REVOKE, "share-with-buyer", at),
    }
    ledger.record(decisions[word](NOON + place * DAY / 24) for place, word in enumerate(words))
    at, ada = NOON + hour * DAY / 24, ledger.pseudonym("ada")
    for answer in answers(ledger.history("ada"), at):
        found = ledger.standings(answer.purpose, at, answer.recipient or None).get(ada, Standing.NEVER_GIVEN)
        assert answer.standing is found
        assert answer.words(UTC).startswith("**Yes**" if found is Standing.GIVEN else "**No.**")


def test_a_renewal_needs_a_yes_that_was_not_taken_back(ledger, controller):
    grant = granted("ada", "research", NOON + 2 * DAY)
    with pytest.raises(ConsentMissingError, match="recsys consent grant"):
        renewal(ledger.history("ada"), grant)
    ledger.grant("ada", "research", at=NOON, until=NOON + DAY)
    event = say(ledger, renewal(ledger.history("ada"), grant), controller)
    assert event.kind == Kind.RENEW
    assert ledger.standings("research", NOON + 3 * DAY) == {ledger.pseudonym("ada"): Standing.GIVEN}
    ledger.withdraw("ada", at=NOON + 3 * DAY)
    with pytest.raises(ConsentMissingError, match="withdrawn"):
        renewal(ledger.history("ada"), granted("ada", "research", NOON + 4 * DAY))


def test_a_member_can_keep_the_key_and_change_it(ledger, controller, tmp_path):
    old, new, stolen = (tmp_path / f"{name}.pem" for name in ("old", "new", "stolen"))
    for path in (old, new, stolen):
        SigningKey.at(path)
    say(ledger, granted("ada", "research", NOON), controller, OwnKey(old))
    withdrawal = Decision("ada", Kind.WITHDRAW, None, NOON + DAY)
    for own in (None, OwnKey(stolen), OwnKey(new, stolen)):
        with pytest.raises((RecordInvalidError, SignatureInvalidError)):
            say(ledger, withdrawal, controller, own)
    say(ledger, granted("ada", "sell-insights", NOON + DAY), controller, OwnKey(new, old))
    with pytest.raises(SignatureInvalidError):
        say(ledger, withdrawal, controller, OwnKey(old))
    event = say(ledger, withdrawal, controller, OwnKey(new))
    assert event.key == SigningKey.read(new).public.raw.hex()
    assert "You keep your signing key yourself" in receipt(ledger, NOON + 2 * DAY).to_markdown(UTC)


def test_the_short_form_says_how_to_take_it_back(ledger, controller):
    decision = granted("Zoë Quill", "share-with-buyer", NOON, recipient="Solo AI")
    lines = list(short_receipt(decision, say(ledger, decision, controller)))
    assert lines[0].startswith("Zoë Quill says yes: May this one buyer")
    assert lines[2].endswith("recsys consent withdraw 'Zoë Quill' share-with-buyer --recipient 'Solo AI'")
    ending = Decision("Zoë Quill", Kind.REVOKE, None, NOON)
    assert "the collective ends" in next(iter(short_receipt(ending, say(ledger, ending, controller))))


def test_a_member_signs_on_a_machine_that_has_nothing_but_the_invitation(ledger, controller, tmp_path):
    invitation = Invitation(ledger.pseudonym("bob"), controller)
    path, key = tmp_path / "invitation.json", tmp_path / "bob.pem"
    path.write_bytes(invitation.to_json())
    assert Invitation.from_json(path.read_bytes()) == invitation
    assert CURRENT.text in json.loads(path.read_text())["notice"]["text"]
    yes = signed_elsewhere(path, OwnKey(key), purpose="research", at=NOON)
    no = signed_elsewhere(path, OwnKey(key), purpose=None, at=NOON + DAY, withdraw=True)
    ledger.record_signed([yes.envelope])
    assert ledger.standings("research", NOON + DAY)[ledger.pseudonym("bob")] is Standing.GIVEN
    ledger.record_signed([yes.envelope, no.envelope])
    assert ledger.standings("research", NOON + DAY)[ledger.pseudonym("bob")] is Standing.WITHDRAWN
    assert len(ledger.history("bob")) == 2
    with pytest.raises(ValueError, match="name the purpose"):
        signed_elsewhere(path, OwnKey(key), purpose=None, at=NOON)
    with pytest.raises(ConfigError, match="nowhere"):
        signed_elsewhere(tmp_path / "nowhere", OwnKey(key), purpose="research", at=NOON)


@pytest.mark.parametrize(
    "change",
    [
        {"format": "other"},
        {"member": "ada"},
        {"more": 1},
        {"collective": {"key": "did:key:z6Mk"}},
        {"collective": 3},
        {"notice": {"sha256": "0" * 64, "text": ""}},
        {"notice": {"sha256": CURRENT.sha256, "text": CURRENT.text.replace("never", "often")}},
    ],
)
def test_an_invitation_that_was_changed_is_refused(controller, change):
    told = json.loads(Invitation(ADA, controller).to_json())
    with pytest.raises(RecordInvalidError, match="recsys consent invite"):
        Invitation.from_json(json.dumps({**told, **change}).encode())
