"""recsys member, vote and licence, as people type them."""

import json
import sqlite3

import pytest

from recsys.cli import app
from recsys.cli.exits import explained
from recsys.home import Home
from recsys.transparency import SigningKey

PROPOSAL = """
title = "Sums for Solo AI"
buyer = "Solo AI"
purpose = "recommend music"
kind = "aggregate"
version = "abc"
price_cents = 5_500_000
term_days = 365
opens = 2026-01-02T00:00:00Z
closes = 2026-01-09T00:00:00Z
threshold = "2/3"
"""
ADDRESS = "0x742d35Cc6634C0532925a3b8D4C9db96C4b4d8b6"


@pytest.fixture
def run(tmp_path, capsys, monkeypatch):
    """Run a command in an empty folder; give its exit code, and what it said."""
    monkeypatch.chdir(tmp_path)

    def told(*arguments):
        code = explained(app, [*map(str, arguments), "--home", str(tmp_path / "home")])
        said = capsys.readouterr()
        return code, said.out + said.err

    return told


def value(run, *arguments):
    code, said = run(*arguments, "--json")
    assert code == 0, said
    return json.loads(said)


@pytest.fixture
def voted(run, tmp_path):
    """Let three join and vote; give the proposal's hash."""
    for name in ("ada", "bob", "cyd"):
        assert run("member", "join", name, "--at", "2026-01-01")[0] == 0
    (tmp_path / "p.toml").write_text(PROPOSAL)
    asked = value(run, "vote", "propose", "p.toml", "--at", "2026-01-01")["hash"]
    for name, choice in (("ada", "yes"), ("bob", "no"), ("cyd", "yes")):
        code, said = run(
            "vote", "cast", asked[:9], choice, "--member", name, "--at", "2026-01-03", "--receipt", f"{name}.json"
        )
        assert (code, "sealed until the close" in said) == (0, True)
    return asked


def test_a_sale_from_the_proposal_to_the_revocation(run, voted, tmp_path):
    assert run("vote", "tally", voted, "--at", "2026-01-05") == (
        11,
        "recsys: voting goes on until 2026-01-09T00:00Z; count after that\n",
    )
    code, said = run("vote", "tally", voted, "--at", "2026-01-10", "--out", "b.json")
    assert (code, "passed: turnout 100.0%" in said, "66.7% yes" in said) == (0, True, True)
    (tmp_path / "operator.pem").write_text(Home(tmp_path / "home").operator.public.pem)
    checked = ("vote", "verify", "b.json", "--key", "operator.pem", "--mine", "bob.json")
    code, said = run(*checked)
    assert (code, "and counts: no" in said) == (0, True)
    assert value(run, *checked)["tally"]["yes"] == 2
    (tmp_path / "b.json").write_bytes((tmp_path / "b.json").read_bytes().replace(b'"no"', b'"yes"'))
    assert run(*checked)[0] == 9
    assert "until 2027-01-09" in run("vote", "approve", voted, "--at", "2026-01-10")[1]
    (tmp_path / "sums.csv").write_text("a,1\n")
    assert "wrote licence.json" in run("licence", "issue", voted, "sums.csv", "--at", "2026-01-10")[1]
    assert run("licence", "verify", "licence.json", "--at", "2026-01-11", "--bundle", "sums.csv")[0] == 0
    code, said = run("licence", "verify", "licence.json", "--at", "2026-01-11", "--key", "operator.pem")
    assert (code, "only a status can tell" in said) == (0, True)
    name = value(run, "licence", "list", "--at", "2026-01-11")[0]["uid"].split(":")[-1]
    assert "wrote grant.json" in run("licence", "grant", name[:8], "--grantee", ADDRESS, "--files", "7")[1]
    assert json.loads((tmp_path / "grant.json").read_text())["files"] == [7]
    assert "recorded" in run("licence", "import-grant", "grant.json", "--at", "2026-01-11")[1]
    assert "revoked" in run("licence", "revoke", name[:8], "resold", "--at", "2026-01-12")[1]
    assert "2 licences" in run("licence", "status", "--at", "2026-01-12")[1]
    code, said = run("licence", "verify", "licence.json", "--at", "2026-01-12", "--status", "licence-status.json")
    assert (code, "it was revoked: resold" in said) == (9, True)
    assert "revoked" in run("licence", "list", "--at", "2026-01-12")[1]
    code, said = run("vote", "audit")
    assert (code, "2 yes, 1 no, 0 abstain of 3: counted again" in said) == (0, True)
    assert "2 licences and grants, 2 revoked" not in said
    with sqlite3.connect(tmp_path / "home" / "ledger.db") as database:
        database.execute("DROP TRIGGER ballots_entries_no_update")
        database.execute("UPDATE ballots_entries SET at = '2026-01-02T00:00:00.000000Z' WHERE seq = 1")
    code, said = run("vote", "audit")
    assert (code, "FAILED   book of ballots" in said, "FAILED   vote" in said) == (9, True, True)


def test_what_is_refused_is_said_in_a_line_and_listed(run, voted):
    code, said = run("vote", "cast", voted, "yes", "--member", "zed", "--at", "2026-01-04")
    assert (code, said) == (11, "recsys: the ballot of zed is refused: its voter is no member\n")
    assert run("vote", "cast", voted, "--member", "ada", "--at", "2026-01-04")[0] == 2
    both = ("vote", "cast", voted, "yes", "--delegate", "bob", "--member", "ada", "--at", "2026-01-04")
    assert (run(*both)[0], run(*both[:3], *both[4:])[0]) == (2, 11)
    assert run("vote", "cast", "zz", "yes", "--member", "ada")[0] == 11
    refused = value(run, "vote", "tally", voted, "--at", "2026-01-10")["refused"]
    delegated = "it delegates, which the proposal does not allow"
    assert [one["reason"] for one in refused] == ["its voter is no member", delegated]
    assert "Ballots that do not count" in run("vote", "show", voted, "--at", "2026-01-10")[1]


def test_proposals_are_listed_with_their_state(run, voted):
    for at, state in (("2026-01-01", "to come"), ("2026-01-03", "open"), ("2026-01-10", "closed")):
        assert value(run, "vote", "list", "--at", at) == [{"hash": voted, "state": state, "tally": None}]
    assert "Sums for Solo AI" in run("vote", "list")[1]
    assert "55,000.00 USD" in run("vote", "show", voted)[1]


def test_a_proposal_is_made_of_flags_and_weights(run, tmp_path):
    (tmp_path / "w.json").write_text('{"ada": 3, "bob": 1}')
    flags = ("--title", "T", "--buyer", "B", "--purpose", "P", "--kind", "full", "--run", "r", "--price-cents", "100")
    more = ("--term-days", "30", "--quorum", "20%", "--delegation", "--weights", "w.json", "--at", "2026-01-01")
    told = value(run, "vote", "propose", *flags, *more)
    assert (told["quorum"], told["threshold"], told["delegation"]) == ("1/5", "1/2", True)
    assert (told["opens"][:10], told["closes"][:10], told["weighting"]) == (
        "2026-01-01",
        "2026-01-08",
        "stated-weights",
    )
    assert run("vote", "propose", "--title", "T")[0] == 11


def test_members_are_listed_shown_and_leave(run, tmp_path):
    SigningKey.at(tmp_path / "own.pem")
    assert "signs with their own key" in run("member", "join", "ada", "--key", "own.pem", "--at", "2026-01-01")[1]
    (tmp_path / "pub.pem").write_text(SigningKey(b"p" * 32).public.pem)
    assert run("member", "join", "bob", "--public", "pub.pem", "--at", "2026-01-01")[0] == 0
    assert run("member", "join", "bob", "--at", "2026-01-02")[0] == 11
    assert "2 members; 0 have left" in run("member", "list")[1]
    assert "a member, joined 2026-01-01" in run("member", "show", "ada")[1]
    assert run("member", "show", "zed")[0] == 11
    assert "you left on 2026-02-01" in run("member", "leave", "ada", "--key", "own.pem", "--at", "2026-02-01")[1]
    listed = value(run, "member", "list", "--at", "2026-02-02")
    assert (len(listed["members"]), listed["left"]) == (1, 1)


def test_a_member_votes_elsewhere_with_a_key_that_never_comes_here(run, voted, tmp_path):
    key = SigningKey.at(tmp_path / "own.pem")
    (tmp_path / "own.pub").write_text(key.public.pem)
    assert run("member", "join", "dan", "--public", "own.pub", "--at", "2026-01-01")[0] == 0
    assert run("vote", "cast", voted, "yes", "--member", "dan", "--at", "2026-01-03")[0] == 11
    assert "wrote sheet.json" in run("vote", "sheet", voted, "--member", "dan")[1]
    fill = ("vote", "fill", "sheet.json", "no", "--key", "own.pem", "--at", "2026-01-03")
    assert "Sums for Solo AI" in run(*fill)[1]
    hand_in = ("vote", "hand-in", "ballot.json", "--at", "2026-01-04")
    assert "taken: ballot" in run(*hand_in, "--receipt", "dan.json")[1]
    assert run(*hand_in) == (
        11,
        "recsys: the ballot in ballot.json is refused: replayed: this ballot was handed in before\n",
    )
    found = value(run, "vote", "tally", voted, "--at", "2026-01-10", "--out", "b.json")
    assert (found["yes"], found["no"], found["eligible"]) == (2, 2, 4)
    assert "and counts: no" in run("vote", "verify", "b.json", "--mine", "dan.json")[1]
    assert run("vote", "fill", "ballot.json", "no", "--key", "own.pem")[0] == 11
    assert run("vote", "hand-in", "sheet.json")[0] == 8


def test_a_preview_shows_what_would_be_kept(run, tmp_path):
    row = {"endTime": "2025-05-01 10:00", "artistName": "Björk", "trackName": "Jóga", "msPlayed": 200_000}
    (tmp_path / "StreamingHistory0.json").write_text(json.dumps([row]))
    code, said = run("member", "preview", "StreamingHistory0.json")
    assert (code, "Björk" in said, "nothing was stored" in said) == (0, True, True)
    assert value(run, "member", "preview", "StreamingHistory0.json")["artists"] == {"Björk": 1}
