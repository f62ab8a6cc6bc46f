"""Random histories: nobody is ever admitted whom a plain reading of what was said would not admit."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from people import Crowd

from recsys.canonical import Pseudonyms
from recsys.consent import Decision, Kind, Ledger, MemberKeys, Standing, admit
from recsys.errors import ConsentMissingError
from recsys.transparency import SigningKey

START = datetime(2026, 1, 1, tzinfo=UTC)
PEOPLE = ("ada", "bob")
QUESTIONS = [("train-recommender", None), ("research", None), ("share-with-buyer", "Solo"), ("share-with-buyer", "Duo")]
hours = st.integers(0, 10)


def moment(hour):
    return START + timedelta(hours=hour)


@st.composite
def decision(draw):
    """Draw a decision: its own time may be before or after those recorded around it, as clocks and delays have it."""
    member, at = draw(st.sampled_from(PEOPLE)), draw(hours)
    kind = draw(st.sampled_from([Kind.GRANT, Kind.GRANT, Kind.RENEW, Kind.WITHDRAW, Kind.REVOKE]))
    purpose, recipient = draw(st.sampled_from(QUESTIONS))
    if kind in {Kind.GRANT, Kind.RENEW}:
        return Decision(member, kind, purpose, moment(at), moment(at + draw(st.integers(1, 6))), recipient)
    if draw(st.booleans()):
        return Decision(member, kind, None, moment(at))
    return Decision(member, kind, purpose, moment(at), None, draw(st.sampled_from([recipient, None])))


def may(said, member, purpose, recipient, at):
    """Read what was said, in the order of recording, as plainly as it can be read."""
    about = []
    for one in said:
        if one.member != member or one.at > at:
            continue
        if one.kind in {Kind.WITHDRAW, Kind.REVOKE}:
            bears = one.purpose is None or (one.purpose == purpose and one.recipient in {None, recipient})
        else:
            bears = (one.purpose, one.recipient) == (purpose, recipient)
        if bears:
            about.append(one)
    if not about:
        return False
    latest = [one for one in about if one.at == max(other.at for other in about)]
    if any(one.until is None for one in [*latest, about[-1]]):
        return False
    return latest[-1].until > at and about[-1].until > at


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def made(request, tmp_path_factory):
    """Give what makes a new ledger in each kind of database."""
    folder = tmp_path_factory.mktemp("histories")
    given_keys = {
        "pseudonyms": Pseudonyms(b"p" * 32),
        "keys": MemberKeys(folder / "members", make=bytes.fromhex),
        "operator": SigningKey(b"o" * 32),
    }

    def make():
        name = f"h{uuid4().hex}"
        if request.param == "sqlite":
            return Ledger(folder / f"{name}.db", **given_keys)
        server = request.getfixturevalue("postgres")
        server.ask(f"CREATE SCHEMA {name}")
        return Ledger(server.url(name), **given_keys)

    return make


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(batches=st.lists(st.lists(decision(), min_size=1, max_size=5), min_size=1, max_size=3), data=st.data())
def test_whoever_is_admitted_agreed_and_nothing_contradicts_it(made, batches, data):
    ledger, said = made(), []
    for batch in batches:
        replayed = data.draw(st.lists(st.sampled_from([*said, *batch]), max_size=2))
        ledger.record([*batch, *replayed])
        said += list(dict.fromkeys(one for one in [*batch, *replayed] if one not in said))
    assert ledger.verify().count == 1 + len(said)
    for purpose, recipient in QUESTIONS:
        for hour in data.draw(st.lists(st.integers(0, 17), min_size=2, max_size=3)):
            expected = {
                ledger.pseudonym(member) for member in PEOPLE if may(said, member, purpose, recipient, moment(hour))
            }
            assert admitted(ledger, purpose, recipient, moment(hour)) == expected
            member = data.draw(st.sampled_from(PEOPLE))
            proved = ledger.prove(member, purpose, moment(hour), recipient=recipient).check(ledger.operator_key)
            assert (proved.standing is Standing.GIVEN) == (ledger.pseudonym(member) in expected)


def admitted(ledger, purpose, recipient, at):
    try:
        passed = admit(Crowd({name: [("Óró", 60_000)] for name in PEOPLE}), ledger, purpose, at, recipient=recipient)
    except ConsentMissingError:
        return set()
    return set(passed.members)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(batches=st.lists(st.lists(decision(), min_size=1, max_size=4), min_size=2, max_size=3), hour=st.integers(0, 17))
def test_what_is_recorded_later_changes_no_answer_about_an_earlier_head(made, batches, hour):
    ledger, seen = made(), []
    for batch in batches:
        head = ledger.record(batch)
        seen.append((head, ledger.standings("research", moment(hour))))
    for head, standings in seen:
        answers = ledger.answers("research", moment(hour), count=head.count)
        assert (answers.head, answers.standings) == (head, standings)
