import pyarrow as pa
import pytest
from people import NOW, PURPOSE, Crowd, listens

from recsys.consent import Ledger, Policy, admit
from recsys.errors import ConfigError
from recsys.listens import Route

SONGS = [("Óró", 60_000), ("Ula", 60_000), ("Ewe", 60_000)]


class Mixed(Crowd):
    """Listeners whose rows came by these routes."""

    def __init__(self, routes):
        super().__init__({"ada": SONGS})
        self.routes = routes

    def read(self, member):
        heard = super().read(member)
        place = heard.table.schema.get_field_index("route")
        table = heard.table.set_column(place, "route", pa.array(self.routes, pa.string()))
        return listens(member, SONGS).__class__(member, table, heard.report)


@pytest.fixture
def ledger(tmp_path):
    ledger = Ledger(tmp_path / "ledger.db")
    ledger.grant("ada", PURPOSE, at=NOW)
    return ledger


@pytest.mark.parametrize("route", [*Route, "by-carrier-pigeon"])
def test_only_what_people_may_give_away_passes_by_default(ledger, route):
    passed = admit(Mixed([route, Route.SURVEY, route]), ledger, PURPOSE, NOW)
    ((_, heard),) = passed
    own = route in {Route.GDPR_EXPORT, Route.SERVICE_EXPORT, Route.SURVEY}
    assert heard.table.num_rows == (3 if own else 1)
    assert passed.refused_routes == ({} if own else {str(route): 2})
    assert len(list(passed)) == 1
    assert passed.refused_routes == ({} if own else {str(route): 2})


def test_a_policy_with_a_ground_admits_the_interface(ledger, tmp_path):
    path = tmp_path / "policy.toml"
    path.write_text('[admit]\napi = "written permission, 1 March 2026"\n')
    passed = admit(
        Mixed([Route.API, Route.SCRAPED, Route.PUBLIC_BENCHMARK]), ledger, PURPOSE, NOW, policy=Policy.at(path)
    )
    ((_, heard),) = passed
    assert heard.table["route"].to_pylist() == [Route.API]
    assert passed.refused_routes == {Route.SCRAPED: 1, Route.PUBLIC_BENCHMARK: 1}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[admit]\nscraped = "they said so"', "no policy can admit scraped"),
        ('[admit]\napi = ""', "say on what ground api is admitted"),
        ("[admit]\napi = true", "say on what ground"),
        ('[admit]\nradio = "why not"', "is no route"),
        ('[admit]\nsurvey = "of course"', "always admitted"),
        ('[refuse]\napi = "x"', "expected one table"),
        ('admit = "api"', "expected one table"),
        ("[admit", "cannot be read"),
    ],
)
def test_a_policy_that_says_anything_else_is_refused(tmp_path, text, words):
    path = tmp_path / "policy.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=words):
        Policy.at(path)


def test_scraped_rows_pass_under_no_policy_however_it_was_made():
    policy = Policy()
    object.__setattr__(policy, "grounds", {Route.SCRAPED: "forged"})
    assert not policy.admits(Route.SCRAPED)


def test_each_refusal_names_what_forbids_it():
    policy = Policy()
    assert "Spotify Developer Terms" in policy.why_not("api")
    assert "May 2025" in policy.why_not("api")
    assert "licence" in policy.why_not("public-benchmark")
    assert "nobody" in policy.why_not("scraped")
    assert "nobody knows" in policy.why_not("radio")


def test_where_there_is_no_file_the_default_holds(tmp_path):
    assert Policy.at(tmp_path / "none.toml") == Policy()


@pytest.mark.parametrize(("purpose", "recipient"), [("share-with-buyer", None), (PURPOSE, "Solo")])
def test_a_buyer_is_named_where_one_is_asked_for_and_nowhere_else(ledger, purpose, recipient):
    with pytest.raises(ValueError, match="is asked for one buyer"):
        admit(listens("ada", SONGS), ledger, purpose, NOW, recipient=recipient)


def test_rows_pass_to_the_buyer_they_are_for(ledger):
    ledger.grant("ada", "share-with-buyer", at=NOW, recipient="Solo AI")
    passed = admit(listens("ada", SONGS), ledger, "share-with-buyer", NOW, recipient=" Solo  AI ")
    assert passed.recipient == "Solo AI"
    assert len(passed) == 1
