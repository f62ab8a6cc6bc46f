"""Licences: only for what was voted on, until their term, until they are revoked."""

from datetime import UTC, date, datetime
from types import SimpleNamespace

import pytest
from assembly import AFTER, DAY, DURING, KEY, assembled, cast, proposal
from bundles import LOOSE, small_home
from collective import Snapshot

from recsys.bundle import pack
from recsys.canonical import parse_json, sha256_file
from recsys.collective import Draft, Grant, Licence, Licences, Vote, Votes, approve, tally
from recsys.collective.handed_over import _check_made_of
from recsys.collective.licences import check
from recsys.errors import (
    BundleInvalidError,
    LicenceInvalidError,
    LogBrokenError,
    NotForSaleError,
    ProposalInvalidError,
    SignatureInvalidError,
)
from recsys.home import Home
from recsys.synthetic import BUYER, NOW
from recsys.transparency import Envelope, sign

ADDRESS = "0x742d35Cc6634C0532925a3b8D4C9db96C4b4d8b6"


@pytest.fixture
def sold(stored_home, tmp_path):
    """Pass a proposal to license an aggregate; give licences, the proposal and the file."""
    votes, asked = assembled(stored_home, kind="aggregate")
    cast(votes, asked, ada="yes", bob="yes", cyd="no")
    tally(stored_home, asked, AFTER, same=())
    file = tmp_path / "sums.csv"
    file.write_text("artist,listeners\nA,10\n")
    return Licences(stored_home), asked, file, stored_home.operator.public


def test_a_licence_names_what_was_voted_on_and_stands_until_its_term(sold):
    licences, asked, file, key = sold
    envelope = licences.issue(asked, file, at=AFTER)
    one = Licence.read(envelope, key)
    assert (one.proposal, one.buyer, one.purpose, one.bundle) == (
        asked,
        "Solo AI",
        "recommend music",
        sha256_file(file),
    )
    assert (one.expires, one.price_cents) == (date(2027, 1, 9), 5_500_000)
    data, status = envelope.to_json(), licences.status(at=AFTER).to_json()
    assert check(data, key, at=AFTER, status=status, handed_over=file).sound
    assert check(data, key, at=datetime(2027, 1, 8, 23, 59, tzinfo=UTC)).sound
    assert check(data, key, at=datetime(2027, 1, 9, tzinfo=UTC)).failed == ("term",)
    file.write_text("artist,listeners\nA,11\n")
    assert check(data, key, at=AFTER, handed_over=file).failed == ("bundle",)
    assert check(data, KEY.public, at=AFTER).failed == ("signature",)


def test_a_revocation_shows_in_every_later_status_and_stays(sold):
    licences, asked, file, key = sold
    data = licences.issue(asked, file, at=AFTER).to_json()
    uid = licences.all()[0].what.uid
    before = licences.status(at=AFTER).to_json()
    with pytest.raises(ValueError, match="the reason"):
        licences.revoke(uid, " ", at=AFTER)
    licences.revoke(uid[-64:-50], "resold it", at=AFTER + DAY)
    assert licences.all()[0].state(AFTER) == "revoked"
    after = licences.status(at=AFTER + DAY).to_json()
    assert check(data, key, at=AFTER + DAY, status=before).sound
    verdict = check(data, key, at=AFTER + DAY, status=after)
    assert verdict.failed == ("not revoked",)
    assert "resold it" in verdict.checks[-1].words
    with pytest.raises(LicenceInvalidError, match="revoked before"):
        licences.revoke(uid, "again", at=AFTER)
    again = licences.issue(asked, file, at=AFTER + 2 * DAY)
    assert check(again.to_json(), key, at=AFTER + 2 * DAY, status=licences.status(at=AFTER + 2 * DAY).to_json()).sound
    assert check(data, key, at=AFTER, status=sign("text/plain", b"{}", KEY).to_json()).failed == ("not revoked",)


def test_one_licence_stands_for_one_thing(sold):
    licences, asked, file, key = sold
    data = licences.issue(asked, file, at=AFTER).to_json()
    with pytest.raises(LicenceInvalidError, match="stands already"):
        licences.issue(asked, file, at=AFTER + DAY)
    with pytest.raises(LicenceInvalidError, match="the term that was voted on ended"):
        licences.issue(asked, file, at=datetime(2027, 1, 9, tzinfo=UTC))
    with pytest.raises(LicenceInvalidError, match="0 licences"):
        licences.find("zz")
    other = licences.status(at=AFTER).to_json()
    told = parse_json(Envelope.from_json(other).payload)
    assert list(told["licences"].values()) == [{"state": "valid", "revoked": ""}]
    assert check(data, key, at=AFTER, status=other).sound


def test_nothing_is_licensed_that_did_not_pass(stored_home, tmp_path):
    votes, asked = assembled(stored_home, kind="aggregate")
    cast(votes, asked, ada="no")
    with pytest.raises(ProposalInvalidError, match="voting goes on"):
        Licences(stored_home).issue(asked, tmp_path, at=DURING)
    with pytest.raises(NotForSaleError, match="did not agree"):
        Licences(stored_home).issue(asked, tmp_path, at=AFTER)
    assert Licences(stored_home).all() == []


def test_what_contradicts_itself_is_no_licence(sold):
    licences, asked, file, key = sold
    envelope = licences.issue(asked, file, at=AFTER)
    operator = Home(licences._home.path).operator
    for old, new in ((b"2027-01-09", b"2028-01-09"), (b'"Solo AI"', b'"Else"'), (b"use", b"sell")):
        payload = envelope.payload.replace(old, new, 1)
        with pytest.raises((LicenceInvalidError, SignatureInvalidError)):
            Licence.read(sign(envelope.payload_type, payload, operator), key)


def test_a_licence_is_written_as_a_grant_and_a_grant_is_recorded(sold):
    licences, asked, file, _ = sold
    licences.issue(asked, file, at=AFTER)
    one = licences.all()[0].what
    made = one.grant(ADDRESS, (7, 9))
    assert made.expires == int(datetime(2027, 1, 9, tzinfo=UTC).timestamp())
    assert (made.files, made.parameters["bundle"], made.parameters["licence"]) == ((7, 9), one.bundle, one.uid)
    taken = licences.take_grant(Grant.from_bytes(made.to_bytes()), at=AFTER)
    assert licences.take_grant(made, at=AFTER) == taken
    assert [standing.what for standing in licences.all()] == [one, made]
    licences.revoke(made.uid, "left", at=AFTER)
    assert [standing.state(AFTER) for standing in licences.all()] == ["valid", "revoked"]
    with pytest.raises(LicenceInvalidError, match="expired"):
        licences.take_grant(Grant(ADDRESS, "x", (), {}, 5), at=AFTER)


def test_what_is_no_licence_in_the_book_is_not_believed(sold):
    licences, asked, file, _ = sold
    licences.issue(asked, file, at=AFTER)
    entry = licences._book.entries()[0]
    forged = sign(entry.envelope.payload_type, entry.envelope.payload, KEY)
    licences._book.append(lambda _shown: [Draft(entry.owner, forged)], at=AFTER)
    with pytest.raises(LogBrokenError, match="is no licence"):
        licences.all()


def test_a_bundle_is_packed_and_licensed_for_the_terms_that_were_voted_on_alone(tmp_path):
    founded = small_home()
    snapshot = Snapshot(founded.path)
    try:
        _sell(Home(founded.path), founded, tmp_path)
    finally:
        snapshot.restore()


def test_a_bundle_of_another_run_or_version_is_not_what_was_voted_on():
    made = SimpleNamespace(run="abc", dataset_version="0" * 64)
    _check_made_of(proposal(), made)
    _check_made_of(proposal(run=None, version="0" * 64), made)
    with pytest.raises(NotForSaleError, match="made of 'abc'"):
        _check_made_of(proposal(run="other"), made)
    with pytest.raises(NotForSaleError, match="dataset version"):
        _check_made_of(proposal(version="1" * 64), made)


def _sell(home, founded, folder):
    told = {"buyer": BUYER, "run": founded.run, "opens": NOW, "closes": NOW + DAY, "term_days": 30}
    votes = Votes(home)
    votes.members.join_many(founded.names[:3], at=NOW - DAY)
    titles = ("good", "bad", "also good")
    good, bad, other = (votes.proposals.propose(proposal(title=title, **told), at=NOW - DAY) for title in titles)
    for asked, choice in ((good, "yes"), (bad, "no"), (other, "yes")):
        votes.cast_many(asked.hash, [Vote(name, choice) for name in founded.names[:3]], at=NOW, same=())
        tally(home, asked.hash, NOW + DAY, same=())
    weaker = {"min_listeners": 5, "limits": LOOSE}
    path, at = folder / "full.recsys", NOW + DAY
    with pytest.raises(NotForSaleError):
        pack(home, founded.run, good.terms(**weaker), path, at=at)
    approval = approve(home, good.hash, at)
    with pytest.raises(NotForSaleError, match="approved proposal"):
        pack(home, founded.run, bad.terms(**weaker), path, at=at, approval=approval)
    with pytest.raises(NotForSaleError, match="did not agree"):
        approve(home, bad.hash, at)
    pack(home, founded.run, good.terms(**weaker), path, at=at, approval=approval)
    licence = Licence.read(Licences(home).issue(good.hash, path, at=at), home.operator.public)
    assert licence.expires == good.expires
    assert check(Licences(home).all()[0].envelope.to_json(), home.operator.public, at=at, handed_over=path).sound
    with pytest.raises(NotForSaleError, match="did not agree"):
        Licences(home).issue(bad.hash, path, at=at)
    with pytest.raises(NotForSaleError, match="approved proposal"):
        Licences(home).issue(other.hash, path, at=at)
    (folder / "none.recsys").write_bytes(b"PK")
    with pytest.raises(BundleInvalidError):
        Licences(home).issue(good.hash, folder / "none.recsys", at=at)
