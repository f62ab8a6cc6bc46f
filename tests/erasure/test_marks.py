"""Which versions may not be used any more: asked of ledger and members, never noted."""

from datetime import timedelta

import pytest
from people import NOW, PURPOSE, Crowd

from recsys.consent import Decision, Kind, admit, default_until
from recsys.dataset import build
from recsys.erasure import left_since, refuse_withdrawn, usable, versions_with
from recsys.errors import VersionWithdrawnError
from recsys.experiment import load_experiment, run
from recsys.home import Home

NAMES = ("ada", "bob", "cyd", "dan")
PLAYS = {name: [("Óró", 60_000), ("Nocturne", 40_000)] for name in NAMES}


@pytest.fixture
def home(tmp_path):
    home = Home(tmp_path / "home")
    at = NOW - timedelta(days=1)
    home.ledger.record(Decision(name, Kind.GRANT, PURPOSE, at, default_until(at)) for name in NAMES)
    return home


def built(home, at=NOW, plays=PLAYS):
    version = build(admit(Crowd(plays), home.ledger, PURPOSE, at), min_listeners=2)
    home.datasets.save(version)
    return version.digest


def test_a_version_is_marked_by_a_withdrawal_and_by_nothing_else(home):
    first = built(home)
    second = built(home, plays={name: PLAYS[name] for name in NAMES[1:]})
    assert usable(home, first).digest == first
    home.ledger.grant("eve", PURPOSE, at=NOW)
    home.ledger.withdraw("eve", at=NOW)
    assert left_since(home, [first, second]) == {first: (), second: ()}
    before = sorted(home.path.rglob("*"))
    home.ledger.withdraw("ada", PURPOSE, at=NOW + timedelta(hours=1))
    assert sorted(home.path.rglob("*")) == before
    ada = home.pseudonyms.of("ada")
    assert left_since(home, [first, second]) == {first: (ada,), second: ()}
    with pytest.raises(VersionWithdrawnError, match=r"1 member has withdrawn.*recsys dataset build"):
        usable(home, first)
    assert usable(home, second).digest == second
    assert list(versions_with(home, ada)) == [first]
    home.ledger.grant("ada", PURPOSE, at=NOW + timedelta(hours=2))
    refuse_withdrawn(home, first)


def test_a_withdrawal_from_another_purpose_marks_nothing(home):
    home.ledger.grant("ada", "research", at=NOW)
    home.ledger.withdraw("ada", "research", at=NOW)
    refuse_withdrawn(home, built(home))


def test_a_withdrawal_from_one_buyer_marks_what_is_for_that_buyer(home):
    until = default_until(NOW)
    for buyer in ("Aria", "Bravo"):
        home.ledger.record(Decision(name, Kind.GRANT, "share-with-buyer", NOW, until, buyer) for name in NAMES)
    versions = {}
    for buyer in ("Aria", "Bravo"):
        admitted = admit(Crowd(PLAYS), home.ledger, "share-with-buyer", NOW, recipient=buyer)
        versions[buyer] = build(admitted, min_listeners=2)
        home.datasets.save(versions[buyer])
    home.ledger.withdraw("ada", "share-with-buyer", at=NOW, recipient="Aria")
    with pytest.raises(VersionWithdrawnError):
        refuse_withdrawn(home, versions["Aria"].digest)
    refuse_withdrawn(home, versions["Bravo"].digest)


def test_a_withdrawal_that_bears_a_later_date_counts_at_once(home):
    digest = built(home)
    home.ledger.withdraw("ada", at=NOW + timedelta(days=4_000))
    with pytest.raises(VersionWithdrawnError):
        refuse_withdrawn(home, digest)


def test_consent_that_ran_out_is_no_withdrawal(home):
    home.ledger.record([Decision("ada", Kind.GRANT, PURPOSE, NOW - timedelta(hours=1), NOW + timedelta(hours=1))])
    refuse_withdrawn(home, built(home))


def test_a_withdrawn_version_is_not_trained_on(home):
    digest = built(home)
    home.ledger.withdraw("ada", at=NOW)
    for version in (digest, digest[:9], "latest"):
        with pytest.raises(VersionWithdrawnError):
            run(load_experiment(None, {"version": version}), home)
    assert not (home.path / "mlflow.db").exists()
