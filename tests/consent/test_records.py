import json
import stat
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.canonical import Pseudonym, canonical_json
from recsys.consent import Decision, Kind, read_decisions
from recsys.consent.controller import Controller
from recsys.consent.dpv import ConsentRecord, consent_record
from recsys.consent.members import MemberKeys
from recsys.consent.records import PAYLOAD_TYPE, is_signed, read_envelopes, read_signed, sign_decision
from recsys.errors import ConfigError, RecordInvalidError, SignatureInvalidError
from recsys.transparency import Envelope, SigningKey, sign

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
YEAR = timedelta(days=365)
ADA, BOB = Pseudonym("ad" * 32), Pseudonym("b0" * 32)

keys = st.binary(min_size=32, max_size=32).map(SigningKey)


@pytest.fixture
def collective():
    return SigningKey(b"c" * 32)


@pytest.fixture
def ada():
    return SigningKey(b"a" * 32)


def asks(key, name="Tuned In"):
    return Controller(key.public, name, "https://tuned.example", "1 Road, Cork")


def grant(member=ADA, purpose="train-recommender"):
    return Decision(member, Kind.GRANT, purpose, NOON, NOON + YEAR)


def withdrawal(kind=Kind.WITHDRAW, member=ADA):
    return Decision(member, kind, None, NOON + timedelta(hours=1))


@given(keys, keys, st.sampled_from([grant(), withdrawal(), grant(BOB, "research")]))
def test_a_signed_decision_is_read_by_anybody_who_knows_the_collective(key, operator, decision):
    signed = sign_decision(decision, key, asks(operator))
    read = read_signed(signed.envelope, operator.public)
    assert read == signed
    assert read.decision == decision
    assert read.key == key.public
    assert len(read.sha256) == 64


def test_signing_twice_gives_the_same_bytes(ada, collective):
    first, second = (sign_decision(grant(), ada, asks(collective)) for _ in range(2))
    assert first.envelope == second.envelope
    assert json.loads(first.envelope)["payloadType"] == PAYLOAD_TYPE


@given(st.data())
def test_no_changed_byte_says_anything_else(data):
    operator = SigningKey(b"c" * 32)
    signed = sign_decision(grant(), SigningKey(b"a" * 32), asks(operator))
    envelope = bytearray(signed.envelope)
    envelope[data.draw(st.integers(0, len(envelope) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        read = read_signed(bytes(envelope), operator.public)
    except (SignatureInvalidError, RecordInvalidError):
        return
    assert read == signed  # base64 has two alphabets; what is kept is of one


def test_a_record_for_another_collective_is_refused(ada, collective):
    other = SigningKey(b"o" * 32)
    signed = sign_decision(grant(), ada, asks(other, "Elsewhere"))
    with pytest.raises(RecordInvalidError, match="Elsewhere"):
        read_signed(signed.envelope, collective.public)


def test_the_first_record_binds_a_member_to_a_key(ada, collective):
    bound = {ADA: ada.public}
    impostor = SigningKey(b"i" * 32)
    for decision in (grant(), withdrawal()):
        forged = sign_decision(decision, impostor, asks(collective))
        with pytest.raises(SignatureInvalidError, match="must be signed by"):
            read_signed(forged.envelope, collective.public, key_of=bound.get)
        own = sign_decision(decision, ada, asks(collective))
        assert read_signed(own.envelope, collective.public, key_of=bound.get) == own


def test_a_key_speaks_for_one_member_only(ada, collective):
    signed = sign_decision(grant(BOB), ada, asks(collective))
    with pytest.raises(RecordInvalidError, match="another member"):
        read_signed(signed.envelope, collective.public, member_of={ada.public: ADA}.get)


def test_a_new_key_must_be_introduced_by_the_old_one(ada, collective):
    new, bound = SigningKey(b"n" * 32), {ADA: ada.public}
    alone = sign_decision(grant(), new, asks(collective))
    with pytest.raises(SignatureInvalidError):
        read_signed(alone.envelope, collective.public, key_of=bound.get)
    introduced = sign_decision(grant(), new, asks(collective), previous=ada)
    assert read_signed(introduced.envelope, collective.public, key_of=bound.get).key == new.public
    other = sign_decision(grant(), new, asks(collective), previous=SigningKey(b"x" * 32))
    with pytest.raises(SignatureInvalidError):
        read_signed(other.envelope, collective.public, key_of=bound.get)


def test_only_the_collective_revokes_and_only_the_member_withdraws(ada, collective):
    revoked = sign_decision(withdrawal(Kind.REVOKE), collective, asks(collective))
    read = read_signed(revoked.envelope, collective.public, key_of={ADA: ada.public}.get)
    assert (read.decision.kind, read.key) == (Kind.REVOKE, None)
    by_member = sign_decision(withdrawal(Kind.REVOKE), ada, asks(collective))
    with pytest.raises(SignatureInvalidError):
        read_signed(by_member.envelope, collective.public, key_of={ADA: ada.public}.get)
    by_operator = sign_decision(withdrawal(), collective, asks(collective))
    with pytest.raises(SignatureInvalidError):
        read_signed(by_operator.envelope, collective.public, key_of={ADA: ada.public}.get)


def test_signatures_that_nobody_asked_for_are_left_behind(ada, collective):
    signed = sign_decision(grant(), ada, asks(collective))
    more = Envelope.from_json(signed.envelope).signed_also(SigningKey(b"x" * 32)).to_json()
    assert read_signed(more, collective.public) == signed


def test_another_kind_of_document_is_not_taken_for_consent(ada, collective):
    payload = canonical_json(consent_record(ConsentRecord(grant(), ada.public, asks(collective))))
    with pytest.raises(SignatureInvalidError, match="tree-head"):
        read_signed(sign("application/vnd.recsys.tree-head+json", payload, ada).to_json(), collective.public)


@pytest.mark.parametrize("payload", [b"", b"{}", b"NaN", b'{"@id":1,"@id":1}', b"[" * 5000, b"\xff" * 9])
def test_hostile_payloads_are_refused_by_name(ada, collective, payload):
    with pytest.raises(RecordInvalidError):
        read_signed(sign(PAYLOAD_TYPE, payload, ada).to_json(), collective.public)


@pytest.mark.parametrize("data", [b"", b"{}", b'{"payload":"","payload":""}', b"[]", b"\x00" * 99, b"{" * 9999])
def test_hostile_envelopes_are_refused_by_name(collective, data):
    with pytest.raises(SignatureInvalidError):
        read_signed(data, collective.public)


def test_a_file_of_envelopes_can_be_told_from_one_of_decisions(tmp_path, ada, collective):
    signed = sign_decision(grant(), ada, asks(collective))
    envelopes, decisions = tmp_path / "signed.jsonl", tmp_path / "decisions.jsonl"
    envelopes.write_bytes(signed.envelope + b"\n\n" + signed.envelope + b"\n")
    decisions.write_text('{"member":"ada","kind":"withdraw","purpose":null,"at":"2026-01-01T00:00:00Z"}\n')
    assert is_signed(envelopes)
    assert not is_signed(decisions)
    assert list(read_envelopes(envelopes)) == [signed.envelope] * 2
    assert [decision.member for decision in read_decisions(decisions)] == ["ada"]


def test_decisions_can_name_a_recipient(tmp_path):
    path = tmp_path / "decisions.jsonl"
    line = {"member": "ada", "kind": "grant", "purpose": "share-with-buyer", "at": "2026-01-01T00:00:00Z"}
    path.write_text(json.dumps({**line, "until": "2027-01-01T00:00:00Z", "recipient": "Solo AI"}))
    assert next(read_decisions(path)).recipient == "Solo AI"
    path.write_text(json.dumps({**line, "until": "2027-01-01T00:00:00Z"}))
    with pytest.raises(ConfigError, match=r"line 1.*name it"):
        list(read_decisions(path))


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    for read in (is_signed, lambda path: list(read_envelopes(path)), lambda path: list(read_decisions(path))):
        with pytest.raises(ConfigError, match="nowhere"):
            read(tmp_path / "nowhere.jsonl")


def test_each_member_has_a_key_made_on_first_use(tmp_path):
    kept = MemberKeys(tmp_path / "members")
    assert not kept.has(ADA)
    assert not kept.folder.exists()
    first = kept.of(ADA)
    assert MemberKeys(tmp_path / "members").of(ADA).public == first.public != kept.of(BOB).public
    assert kept.has(ADA)
    (path,) = (path for path in kept.folder.iterdir() if path.name.startswith(ADA))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_keys_can_be_derived_so_that_a_demo_is_always_the_same(tmp_path):
    one, other = (MemberKeys(tmp_path / name, make=bytes.fromhex) for name in "ab")
    assert one.of(ADA).public == other.of(ADA).public


def test_a_name_never_becomes_a_path(tmp_path):
    with pytest.raises(ValueError, match="64 hex digits"):
        MemberKeys(tmp_path).of(Pseudonym("../" * 21 + "a"))
