"""What a proof shows to somebody who has nothing but the collective's public key."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.canonical import Pseudonyms, canonical_json
from recsys.consent import ConsentProof, Ledger, MemberKeys, Standing
from recsys.consent.proofs import Earlier
from recsys.consent.proving import check_proof, in_words, proof_for, public_key
from recsys.errors import ConfigError, LedgerBrokenError, ProofInvalidError, SignatureInvalidError
from recsys.transparency import SigningKey

PURPOSE = "train-recommender"
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def filled(ledger):
    for name in ("ada", "bob", "cyd"):
        ledger.grant(name, PURPOSE, at=NOON)
    ledger.withdraw("bob", at=NOON + HOUR)
    ledger.grant("dan", PURPOSE, at=NOON)
    ledger.grant("bob", PURPOSE, at=NOON + 2 * HOUR)
    return ledger


def again(proof):
    """Give the proof as somebody reads it who was handed the file."""
    return ConsentProof.from_json(proof.to_json())


@pytest.mark.parametrize(
    ("at", "standing"),
    [
        (NOON - HOUR, Standing.NEVER_GIVEN),
        (NOON, Standing.GIVEN),
        (NOON + HOUR, Standing.WITHDRAWN),
        (NOON + 2 * HOUR, Standing.GIVEN),
        (NOON + timedelta(days=900), Standing.EXPIRED),
    ],
)
def test_a_proof_tells_what_the_ledger_tells(filled, at, standing):
    proved = again(filled.prove("bob", PURPOSE, at)).check(filled.operator_key)
    assert proved.standing is standing
    assert [event.seq for event in proved.entries] == [2, 4, 6]
    assert filled.standings(PURPOSE, at).get(filled.pseudonym("bob"), Standing.NEVER_GIVEN) is standing


def test_it_is_proved_that_a_stranger_has_no_entry(filled):
    proved = again(filled.prove("nobody", PURPOSE, NOON)).check(filled.operator_key)
    assert (proved.entries, proved.standing) == ((), Standing.NEVER_GIVEN)


def test_a_withdrawal_before_a_version_and_one_after_it_are_told_apart(filled):
    then = filled.head()
    filled.withdraw("ada", at=NOON)
    now = filled.head()
    late = filled.prove("ada", PURPOSE, NOON + HOUR, since=then, version="v" * 64)
    assert again(late).check(filled.operator_key).standing is Standing.GIVEN
    before = filled.prove("ada", PURPOSE, NOON + HOUR, since=now)
    assert again(before).check(filled.operator_key).standing is Standing.WITHDRAWN
    words = list(in_words(late, late.check(filled.operator_key), "K"))
    assert any("takes back everything" in line and line.endswith("(later: does not count)") for line in words)
    assert any(line.startswith(f"version {'v' * 64} is of the first {then.count} entries") for line in words)
    assert words[-1].startswith("answer: given.")


def test_an_entry_cannot_be_left_out(filled):
    proof = filled.prove("bob", PURPOSE, NOON + HOUR)
    told = proof.evidence
    for kept in ([0], [0, 1], [1, 2], [0, 2], []):
        fewer = replace(
            told,
            entries=tuple(told.entries[place] for place in kept),
            paths=tuple(told.paths[place] for place in kept),
            records=tuple(told.records[place] for place in kept),
        )
        with pytest.raises(ProofInvalidError, match=r"left out|does not go on"):
            replace(proof, evidence=fewer).check(filled.operator_key)


def test_another_members_proof_cannot_be_passed_off(filled):
    ada, bob = (filled.prove(name, PURPOSE, NOON).evidence for name in ("ada", "bob"))
    mixed = replace(ada, member=bob.member)
    with pytest.raises(ProofInvalidError):
        mixed.check(filled.operator_key)


def test_a_head_of_somebody_else_is_not_believed(filled):
    proof = filled.prove("ada", PURPOSE, NOON)
    with pytest.raises(SignatureInvalidError):
        proof.check(SigningKey(b"x" * 32).public)


def test_a_history_that_was_rewritten_has_no_proof(filled):
    head = replace(filled.head(), hash="0" * 64)
    with pytest.raises(LedgerBrokenError, match="does not go on"):
        filled.prove("ada", PURPOSE, NOON, since=head)
    with pytest.raises(LedgerBrokenError, match="7 entries"):
        filled.prove("ada", PURPOSE, NOON, since=replace(head, count=99))
    proof = filled.prove("ada", PURPOSE, NOON)
    forged = replace(proof, earlier=Earlier(replace(head, count=3), (), ""))
    with pytest.raises(ProofInvalidError, match="does not go on"):
        forged.check(filled.operator_key)


def test_an_empty_ledger_proves_nothing(ledger):
    with pytest.raises(LedgerBrokenError, match="nothing was ever recorded"):
        ledger.prove("ada", PURPOSE, NOON)


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """A proof with three entries and an earlier head, and the key to check it with."""
    folder = tmp_path_factory.mktemp("shown")
    keys = MemberKeys(folder / "members", make=bytes.fromhex)
    ledger = Ledger(folder / "ledger.db", pseudonyms=Pseudonyms(b"p" * 32), keys=keys, operator=SigningKey(b"o" * 32))
    for hour, name in enumerate(["ada", "bob", "cyd", "ada", "dan"]):
        ledger.grant(name, PURPOSE, at=NOON + hour * HOUR)
    since = ledger.head()
    ledger.withdraw("ada", at=NOON + 9 * HOUR)
    proof = ledger.prove("ada", PURPOSE, NOON + 10 * HOUR, since=since)
    return proof, proof.check(ledger.operator_key), ledger.operator_key


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_no_byte_of_a_proof_can_be_changed_without_being_found_out(shown, data):
    proof, proved, key = shown
    written = bytearray(proof.to_json())
    place = data.draw(st.integers(0, len(written) - 1))
    written[place] ^= 1 << data.draw(st.integers(0, 7))
    try:
        changed = ConsentProof.from_json(bytes(written))
        found = changed.check(key)
    except (ProofInvalidError, SignatureInvalidError):
        return
    # What is left is a bit that changes the question, not the evidence; then the answer is one to that question.
    assert changed.evidence == proof.evidence
    assert (found.entries, found.head) == (proved.entries, proved.head)
    assert changed.question != proof.question or changed.earlier != proof.earlier or found == proved


@pytest.mark.parametrize(
    "change",
    [
        lambda told: told.pop("head"),
        lambda told: told.update(format="other/1"),
        lambda told: told.update(entries=7),
        lambda told: told["entries"].reverse(),
        lambda told: told["entries"][0]["entry"].update(seq="1"),
        lambda told: told["entries"][0]["entry"].update(seq=True),
        lambda told: told["entries"][0]["entry"].update(until="2999-01-01T00:00:00.000000Z"),
        lambda told: told["entries"][0]["entry"].update(kind="open"),
        lambda told: told["entries"][0]["entry"].update(more=1),
        lambda told: told["entries"][0].update(record=told["entries"][1]["record"]),
        lambda told: told["entries"][0]["inclusion"].append("00" * 32),
        lambda told: told["entries"][0]["inclusion"].__setitem__(0, "zz"),
        lambda told: told["latest"]["path"].pop(),
        lambda told: told["latest"]["bucket"].clear(),
        lambda told: told["earlier"].update(count=2),
        lambda told: told["earlier"].update(count=-1),
        lambda told: told["earlier"].update(count="5"),
        lambda told: told["earlier"]["consistency"].clear(),
        lambda told: told["question"].update(purpose="world-peace"),
    ],
)
def test_every_forgery_of_a_proof_is_refused(shown, change):
    proof, _, key = shown
    told = json.loads(proof.to_json())
    change(told)
    with pytest.raises((ProofInvalidError, SignatureInvalidError)):
        ConsentProof.from_json(canonical_json(told)).check(key)


def test_files_and_manifests_are_checked(shown, tmp_path):
    proof, _, key = shown
    manifest = canonical_json(
        {"ledger": {"count": 6, "hash": proof.earlier.head.hash}, "purpose": PURPOSE, "at": proof.question.at}
    )
    from recsys.canonical import sha256_hex  # noqa: PLC0415

    path, beside = tmp_path / "proof.json", tmp_path / "manifest.json"
    beside.write_bytes(manifest)
    path.write_bytes(replace(proof, earlier=replace(proof.earlier, version=sha256_hex(manifest))).to_json())
    assert check_proof(path, key, beside)[1].standing is Standing.GIVEN
    (tmp_path / "key.pem").write_text(key.pem)
    assert public_key(str(tmp_path / "key.pem")) == public_key(key.did) == key
    beside.write_bytes(manifest.replace(b'"count":6', b'"count":7'))
    with pytest.raises(ProofInvalidError, match="not for the version"):
        check_proof(path, key, beside)
    with pytest.raises(ConfigError, match="cannot be read"):
        check_proof(tmp_path / "none.json", key)


def test_a_kept_head_is_gone_on_from(filled, tmp_path):
    kept = tmp_path / "kept.json"
    kept.write_bytes(filled.signed_head().to_json())
    filled.grant("eve", PURPOSE, at=NOON)
    proof = proof_for(filled, "ada", PURPOSE, NOON, since=kept)
    assert again(proof).check(filled.operator_key).head.size == proof.earlier.head.count + 1
    with pytest.raises(ConfigError, match="one of both"):
        proof_for(filled, "ada", PURPOSE, NOON, since=kept, version=("v", None))
    with pytest.raises(ConfigError, match="benchmark"):
        proof_for(filled, "ada", PURPOSE, NOON, version=("v", None))
