import copy
import pickle
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from people import NOW, PURPOSE, Crowd, admitted, listens

from recsys.consent import PURPOSES, ConsentedListens, Decision, Kind, Ledger, Standing, admit
from recsys.consent.terms import Said, standing
from recsys.errors import ConsentMissingError

SONG = [("Óró", 60_000)]


def test_only_those_who_agree_pass_and_under_their_pseudonyms(tmp_path):
    ledger = Ledger(tmp_path / "ledger.db")
    ledger.grant("ada", PURPOSE, at=NOW - timedelta(days=1))
    ledger.grant("bob", PURPOSE, at=NOW - timedelta(days=1))
    ledger.withdraw("bob", at=NOW - timedelta(hours=1))
    ledger.grant("cyd", PURPOSE, at=NOW - timedelta(days=9), until=NOW)
    ledger.grant("dan", "research", at=NOW - timedelta(days=1))
    passed = admit(Crowd(dict.fromkeys(("ada", "bob", "cyd", "dan"), SONG)), ledger, PURPOSE, NOW)
    assert [member for member, _ in passed] == [ledger.pseudonym("ada")]
    assert passed.refused == {Standing.WITHDRAWN: 1, Standing.EXPIRED: 1, Standing.NEVER_GIVEN: 1}
    assert passed.head == ledger.head()


def test_one_members_listens_pass_on_their_own(tmp_path):
    ledger = Ledger(tmp_path / "ledger.db")
    ledger.grant("ada", PURPOSE, at=NOW)
    ((member, heard),) = admit(listens("ada", SONG), ledger, PURPOSE, NOW)
    assert member == ledger.pseudonym("ada")
    assert heard.table["artist"].to_pylist() == ["Óró"]


def test_where_nobody_agrees_the_gate_says_why_and_what_to_do(tmp_path):
    ledger = Ledger(tmp_path / "ledger.db")
    with pytest.raises(ConsentMissingError, match=r"never given: 1.*recsys consent grant"):
        admit(listens("ada", SONG), ledger, PURPOSE, NOW)


def test_listens_of_the_refused_are_never_read(tmp_path):
    class Guarded(Crowd):
        def read(self, member):
            assert member == "ada"
            return super().read(member)

    ledger = Ledger(tmp_path / "ledger.db")
    ledger.grant("ada", PURPOSE, at=NOW)
    assert len(list(admit(Guarded({"ada": SONG, "bob": SONG}), ledger, PURPOSE, NOW))) == 1


def test_there_is_no_way_round_the_gate(tmp_path):
    with pytest.raises(TypeError, match=r"admit alone"):
        ConsentedListens(object(), pool=Crowd({}), names={}, purpose=PURPOSE, at="", head=None, refused={})
    passed = admitted(tmp_path, {"ada": SONG})
    for way in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="cannot be copied"):
            way(passed)


@pytest.mark.parametrize("purpose", ["", "TRAIN-RECOMMENDER", "everything"])
def test_a_purpose_that_is_none_is_refused(tmp_path, purpose):
    with pytest.raises(ValueError, match="is no purpose"):
        admit(listens("ada", SONG), Ledger(tmp_path / "ledger.db"), purpose, NOW)


hours = st.integers(min_value=0, max_value=12)
decisions = st.lists(
    st.one_of(
        st.builds(
            lambda kind, at, term: (kind, at, at + term),
            st.sampled_from([Kind.GRANT, Kind.RENEW]),
            hours,
            st.integers(min_value=1, max_value=6),
        ),
        st.builds(lambda kind, at: (kind, at, None), st.sampled_from([Kind.WITHDRAW, Kind.REVOKE]), hours),
    ),
    max_size=8,
)


def text(hour):
    return f"{hour:02}" if hour is not None else ""


@given(decisions, hours)
def test_whoever_is_admitted_has_a_grant_that_nothing_contradicts(history, now):
    said = [Said(seq, kind, text(at), text(until)) for seq, (kind, at, until) in enumerate(history)]
    if standing(said, text(now)) is not Standing.GIVEN:
        return
    made = [(seq, *word) for seq, word in enumerate(history) if word[1] <= now]
    recorded_last = made[-1]
    assert recorded_last[1].gives
    assert now < recorded_last[3]
    decided_last = max(at for _, _, at, _ in made)
    assert all(kind.gives for _, kind, at, _ in made if at == decided_last)
    assert any(until is not None and now < until for _, _, at, until in made if at == decided_last)


@given(decisions, hours, hours, st.sampled_from([Kind.WITHDRAW, Kind.REVOKE]))
def test_after_a_withdrawal_only_a_later_grant_lets_in(history, withdrawn_at, now, kind):
    said = [Said(seq, kind, text(at), text(until)) for seq, (kind, at, until) in enumerate(history)]
    said.append(Said(len(said), kind, text(withdrawn_at), ""))
    if withdrawn_at <= now:
        assert standing(said, text(now)) is Standing.WITHDRAWN


@settings(max_examples=20, deadline=None)
@given(history=decisions)
def test_the_ledger_tells_what_the_rule_tells(tmp_path_factory, history):
    start = datetime(2026, 1, 1, tzinfo=UTC)
    ledger = Ledger(tmp_path_factory.mktemp("home") / "ledger.db")

    def moment(hour):
        return start + timedelta(hours=hour)

    unique = list(dict.fromkeys(history))
    ledger.record(
        Decision("ada", kind, PURPOSE, moment(at), moment(until) if until is not None else None)
        for kind, at, until in unique
    )
    said = [Said(seq, kind, text(at), text(until)) for seq, (kind, at, until) in enumerate(unique)]
    for now in range(20):
        stands = ledger.standings(PURPOSE, moment(now))
        assert stands.get(ledger.pseudonym("ada"), Standing.NEVER_GIVEN) is standing(said, text(now))


def test_every_purpose_says_what_it_means():
    assert all(words and words[0].islower() for words in PURPOSES.values())
