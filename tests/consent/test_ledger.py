from datetime import UTC, datetime, timedelta

import pytest

from recsys.canonical import Pseudonym, Pseudonyms
from recsys.consent import Decision, Kind, Ledger, MemberKeys, Standing
from recsys.consent.controller import Controller
from recsys.consent.records import sign_decision
from recsys.errors import ConfigError, LedgerBrokenError, RecordInvalidError, SignatureInvalidError
from recsys.transparency import SigningKey

PURPOSE = "train-recommender"
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def standing(ledger, member, at):
    return ledger.standings(PURPOSE, at).get(ledger.pseudonym(member), Standing.NEVER_GIVEN)


def test_looking_at_a_ledger_that_is_not_there_creates_nothing(tmp_path):
    ledger = Ledger(tmp_path / "ledger.db")
    assert ledger.events() == []
    assert ledger.head().count == 0
    assert list(tmp_path.iterdir()) == []


def test_a_grant_holds_from_its_beginning_until_its_end(ledger):
    ledger.grant("ada", PURPOSE, at=NOON, until=NOON + HOUR)
    assert standing(ledger, "ada", NOON - HOUR) is Standing.NEVER_GIVEN
    assert standing(ledger, "ada", NOON) is Standing.GIVEN
    assert standing(ledger, "ada", NOON + HOUR - timedelta(microseconds=1)) is Standing.GIVEN
    assert standing(ledger, "ada", NOON + HOUR) is Standing.EXPIRED


def test_a_grant_lasts_two_years_unless_it_says_otherwise(ledger):
    ledger.grant("ada", PURPOSE, at=datetime(2024, 2, 29, tzinfo=UTC))
    assert ledger.history("ada")[0].until == "2026-02-28T00:00:00.000000Z"


def test_withdrawing_everything_ends_each_purpose(ledger):
    ledger.grant("ada", PURPOSE, at=NOON)
    ledger.grant("ada", "research", at=NOON)
    ledger.withdraw("ada", at=NOON + HOUR)
    assert standing(ledger, "ada", NOON + HOUR) is Standing.WITHDRAWN
    assert ledger.standings("research", NOON + HOUR) == {ledger.pseudonym("ada"): Standing.WITHDRAWN}


def test_withdrawing_one_purpose_leaves_the_others(ledger):
    ledger.grant("ada", PURPOSE, at=NOON)
    ledger.grant("ada", "research", at=NOON)
    ledger.withdraw("ada", "research", at=NOON + HOUR)
    assert standing(ledger, "ada", NOON + HOUR) is Standing.GIVEN


def test_an_old_grant_said_again_cannot_undo_a_withdrawal(ledger):
    ledger.grant("ada", PURPOSE, at=NOON)
    ledger.withdraw("ada", at=NOON + HOUR)
    before = ledger.head()
    assert ledger.grant("ada", PURPOSE, at=NOON) == before
    assert standing(ledger, "ada", NOON + 2 * HOUR) is Standing.WITHDRAWN
    ledger.grant("ada", PURPOSE, at=NOON + HOUR / 2, until=NOON + 9 * HOUR)
    assert standing(ledger, "ada", NOON + 2 * HOUR) is Standing.WITHDRAWN


def test_a_withdrawal_recorded_last_wins_over_a_clock_that_ran_ahead(ledger):
    ledger.grant("ada", PURPOSE, at=NOON + HOUR)
    ledger.withdraw("ada", at=NOON)
    assert standing(ledger, "ada", NOON + 2 * HOUR) is Standing.WITHDRAWN


def test_names_are_nowhere_in_the_files(ledger, tmp_path):
    ledger.grant("Zoë Quill", PURPOSE, at=NOON)
    for path in tmp_path.rglob("*"):
        if path.is_file():
            assert b"Quill" not in path.read_bytes()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"purpose": "world-peace", "at": NOON}, "no purpose"),
        ({"purpose": PURPOSE, "at": NOON, "until": NOON}, "before it begins"),
        ({"purpose": PURPOSE, "at": datetime(2026, 1, 1)}, "no time zone"),  # noqa: DTZ001
    ],
)
def test_a_grant_that_makes_no_sense_is_refused(ledger, arguments, words):
    with pytest.raises(ValueError, match=words):
        ledger.grant("ada", **arguments)
    assert ledger.events() == []


def test_instants_are_the_same_in_every_time_zone(ledger):
    from datetime import timezone  # noqa: PLC0415

    tokyo = NOON.astimezone(timezone(timedelta(hours=9)))
    ledger.grant("ada", PURPOSE, at=NOON)
    assert ledger.grant("ada", PURPOSE, at=tokyo).count == 2


def test_another_key_of_either_kind_is_noticed(ledger, database, tmp_path):
    ledger.grant("ada", PURPOSE, at=NOON)
    with pytest.raises(LedgerBrokenError, match="another member key"):
        Ledger(database, folder=tmp_path, pseudonyms=Pseudonyms(b"x" * 32)).events()
    with pytest.raises(LedgerBrokenError, match="no signature of key"):
        Ledger(database, folder=tmp_path, operator=SigningKey(b"x" * 32)).events()


def test_a_ledger_without_its_operators_key_is_neither_read_nor_given_a_new_one(ledger, tmp_path):
    ledger.grant("ada", PURPOSE, at=NOON)
    key = tmp_path / "keys" / "operator.key"
    key.unlink()
    with pytest.raises(LedgerBrokenError, match=r"operator\.key is missing"):
        ledger.events()
    with pytest.raises(LedgerBrokenError, match=r"operator\.key is missing"):
        ledger.grant("bob", PURPOSE, at=NOON)
    assert not key.exists()


def test_with_the_public_key_alone_it_can_be_read_and_not_written(ledger, database, tmp_path):
    ledger.grant("ada", PURPOSE, at=NOON)
    reader = Ledger(database, folder=tmp_path, operator=ledger.operator_key)
    assert reader.verify() == ledger.head()
    with pytest.raises(ConfigError, match="can only be read"):
        reader.grant("bob", PURPOSE, at=NOON)


def test_recording_many_is_all_or_none(ledger):
    def decisions():
        yield Decision("ada", Kind.GRANT, PURPOSE, NOON, NOON + HOUR)
        raise RuntimeError("power cut")

    with pytest.raises(RuntimeError, match="power cut"):
        ledger.record(decisions())
    assert ledger.events() == []
    ledger.grant("bob", PURPOSE, at=NOON)
    with pytest.raises(RuntimeError, match="power cut"):
        ledger.record(decisions())
    assert ledger.verify().count == 2


def test_the_ledger_is_asked_as_it_was(ledger):
    ledger.grant("ada", PURPOSE, at=NOON)
    then = ledger.head()
    ledger.withdraw("ada", at=NOON)
    assert ledger.answers(PURPOSE, NOON + HOUR, count=then.count).head == then
    assert ledger.standings(PURPOSE, NOON + HOUR, count=then.count) == {ledger.pseudonym("ada"): Standing.GIVEN}
    assert ledger.standings(PURPOSE, NOON + HOUR) == {ledger.pseudonym("ada"): Standing.WITHDRAWN}
    ledger.check_reaches(then.count, then.hash)
    for count, root in ((then.count, "0" * 64), (99, then.hash), (0, then.hash), (then.count + 1, then.hash)):
        with pytest.raises(LedgerBrokenError):
            ledger.check_reaches(count, root)


def test_a_recipient_is_agreed_to_by_name_alone(ledger):
    ledger.grant("ada", "share-with-buyer", at=NOON, recipient="Solo")
    ledger.grant("bob", "share-with-buyer", at=NOON, recipient="Duo")
    ledger.withdraw("bob", "share-with-buyer", at=NOON + HOUR)
    ada, bob = ledger.pseudonym("ada"), ledger.pseudonym("bob")
    later = NOON + 2 * HOUR
    assert ledger.standings("share-with-buyer", later, "Solo") == {ada: Standing.GIVEN, bob: Standing.WITHDRAWN}
    assert ledger.standings("share-with-buyer", later, "Duo") == {bob: Standing.WITHDRAWN}
    assert ledger.standings("share-with-buyer", NOON, "Duo") == {bob: Standing.GIVEN}
    assert ledger.recipients() == ("Duo", "Solo")


def signed(ledger, key, member, kind=Kind.GRANT, at=NOON, **more):
    until = at + HOUR if kind.gives else None
    decision = Decision(ledger.pseudonym(member), kind, PURPOSE, at, until)
    return sign_decision(decision, key, Controller(ledger.operator_key), **more).envelope


def test_a_member_who_signs_for_themself_cannot_be_spoken_for(ledger):
    ledger.grant("bob", PURPOSE, at=NOON)
    own = SigningKey(b"a" * 32)
    ledger.record_signed([signed(ledger, own, "ada")])
    assert standing(ledger, "ada", NOON) is Standing.GIVEN
    with pytest.raises(RecordInvalidError, match="key of their own"):
        ledger.withdraw("ada", at=NOON + HOUR)
    with pytest.raises(SignatureInvalidError, match="must be signed by"):
        ledger.record_signed([signed(ledger, SigningKey(b"b" * 32), "ada", Kind.WITHDRAW)])
    with pytest.raises(RecordInvalidError, match="speaks for another member"):
        ledger.record_signed([signed(ledger, own, "cyd")])
    assert not ledger.kept_key("ada")
    ledger.record_signed([signed(ledger, own, "ada", Kind.WITHDRAW, at=NOON + HOUR / 2)])
    assert standing(ledger, "ada", NOON + HOUR / 2) is Standing.WITHDRAWN
    assert ledger.verify().count == 4


def test_in_one_batch_too_a_member_has_one_key(ledger):
    ledger.grant("bob", PURPOSE, at=NOON)
    first, second = SigningKey(b"a" * 32), SigningKey(b"b" * 32)
    before = ledger.head()
    with pytest.raises(SignatureInvalidError):
        ledger.record_signed([signed(ledger, first, "ada"), signed(ledger, second, "ada", Kind.WITHDRAW)])
    assert ledger.head() == before
    change = signed(ledger, second, "ada", at=NOON + HOUR, previous=first)
    ledger.record_signed([signed(ledger, first, "ada"), change])
    ledger.record_signed([signed(ledger, second, "ada", Kind.WITHDRAW, at=NOON + HOUR)])
    assert ledger.verify().count == before.count + 3
    assert ledger.prove("ada", PURPOSE, NOON).check(ledger.operator_key).standing is Standing.GIVEN


def test_the_collective_ends_consent_in_its_own_name(ledger):
    ledger.grant("ada", PURPOSE, at=NOON)
    ledger.record([Decision("ada", Kind.REVOKE, None, NOON + HOUR)])
    assert standing(ledger, "ada", NOON + HOUR) is Standing.WITHDRAWN
    assert ledger.history("ada")[-1].key == ledger.operator_key.raw.hex()
    assert ledger.verify().count == 3
    with pytest.raises(SignatureInvalidError):
        ledger.record_signed([signed(ledger, SigningKey(b"z" * 32), "ada", Kind.REVOKE, at=NOON + 2 * HOUR)])


def test_the_same_decisions_come_to_the_same_head(tmp_path):
    heads = set()
    for name in ("one", "two"):
        keys = MemberKeys(tmp_path / name / "keys" / "members", make=bytes.fromhex)
        ledger = Ledger(
            tmp_path / name / "ledger.db", pseudonyms=Pseudonyms(b"p" * 32), keys=keys, operator=SigningKey(b"o" * 32)
        )
        ledger.record(Decision(f"m{number}", Kind.GRANT, PURPOSE, NOON, NOON + HOUR) for number in range(20))
        heads.add((ledger.head(), (tmp_path / name / "ledger.head").read_bytes()))
    assert len(heads) == 1


def test_a_ledger_by_url_alone_is_given_its_keys(postgres):
    url = postgres.url("public")
    with pytest.raises(ConfigError, match="given its keys"):
        Ledger(url).grant("ada", PURPOSE, at=NOON)
    with pytest.raises(ConfigError, match="another kind"):
        Ledger("mysql://host/name")


def test_more_than_one_stretch_of_entries_is_read_and_written(ledger, monkeypatch):
    monkeypatch.setattr("recsys.consent.recording._AT_ONCE", 7)
    monkeypatch.setattr("recsys.consent.store._AT_ONCE", 5)
    people = [f"m{number % 9}" for number in range(40)]
    ledger.record(
        Decision(one, Kind.GRANT, PURPOSE, NOON + number * HOUR, NOON + 99 * HOUR) for number, one in enumerate(people)
    )
    assert ledger.verify().count == 41
    for member in set(people):
        assert len(ledger.prove(member, PURPOSE, NOON).evidence.entries) == people.count(member)
    assert all(isinstance(event.member, Pseudonym) for event in ledger.events())
