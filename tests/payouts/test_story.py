"""A sale from the vote to the bank: agreed, divided, paid, stated, and paid to nobody who left."""

import json
from datetime import timedelta
from importlib.resources import files
from types import SimpleNamespace

import pytest
import xmlschema
from collective import found_collective, members_of, next_version

from recsys.cli import app
from recsys.cli.exits import UNSOUND, explained
from recsys.collective import Members, Proposal, Split, Vote, Votes, tally
from recsys.errors import NotForSaleError, PayoutError
from recsys.payouts import check_payouts, paid, pay, payee, plan, sale_of
from recsys.synthetic import NOW

DAY = timedelta(days=1)
REFUSED = 11
IBAN = "DE89370400440532013000"
OWN = "GB82WEST12345698765432"
SPLIT = {
    "treasury": "1/5",
    "artists": "1/20",
    "rules": {"equal": "1/4", "points": "1/4", "sqrt": "1/4", "value": "1/4"},
}


def asked(home, version, names, choice, title, **split):
    proposal = Proposal(
        title=title,
        buyer="Solo AI",
        purpose="train a recommender",
        kind="aggregate",
        version=version.digest,
        price_cents=5_500_000,
        term_days=365,
        opens=NOW,
        closes=NOW + DAY,
        split=Split.from_dict(split or SPLIT),
    )
    votes = Votes(home)
    votes.proposals.propose(proposal, at=NOW)
    votes.cast_many(proposal.hash, [Vote(name, choice) for name in names], at=NOW + DAY / 2, same={})
    tally(home, proposal.hash, NOW + DAY, same={})
    return proposal.hash


@pytest.fixture(scope="module")
def story(tmp_path_factory):
    folder = tmp_path_factory.mktemp("story")
    home = found_collective(folder, members=60)
    version = next_version(home)
    names = members_of(home, version)
    Members(home).join_many(names[:-1], at=NOW - DAY)  # the last one agreed to training and never joined
    sale = asked(home, version, names[:-1], "yes", "A sale")
    other = asked(home, version, names[:-1], "no", "Another sale", rules={"equal": "1"})
    third = asked(home, version, names[:-1], "yes", "A third sale", rules={"equal": "1"})
    Members(home).leave(names[0], at=NOW + 2 * DAY)
    return SimpleNamespace(home=home, names=names, sale=sale, refused=other, third=third, folder=folder)


@pytest.fixture(scope="module")
def division(story):
    found = plan(story.home, story.sale, at=NOW + 3 * DAY)
    pay(story.home, story.sale, found, at=NOW + 3 * DAY)
    return found


def recsys(story, capsys, *told):
    code = explained(app, [*map(str, told), "--home", str(story.home.path)])
    return SimpleNamespace(code=code, **capsys.readouterr()._asdict())


def accounts(story, names):
    path = story.folder / "accounts.csv"
    lines = [f"{name},{name.title()},{IBAN}," for name in names]
    path.write_text("\n".join(["member,name,iban,bic", f"treasury,The Collective,{OWN},WESTGB22", *lines]) + "\n")
    return path


def test_the_price_is_divided_among_members_who_belong(story, division):
    assert division.treasury_cents + division.artists_cents + division.members_cents == 5_500_000
    assert (division.treasury_cents, division.artists_cents) == (1_100_000, 275_000)
    assert set(division.of) == {payee(story.home, story.sale, name) for name in story.names[1:-1]}
    assert division.totals["points"] > 0
    assert division.all_zero == ()
    assert sum(held.cents > 0 for held in division.escrow) > 10


def test_who_left_before_gets_nothing_and_who_never_joined_neither(story, division):
    for name in (story.names[0], story.names[-1]):
        assert payee(story.home, story.sale, name) not in division.of


def test_a_sale_is_paid_once(story, division, capsys):
    with pytest.raises(PayoutError, match="nobody is paid twice"):
        pay(story.home, story.sale, division, at=NOW + 4 * DAY)
    again = recsys(story, capsys, "payout", "pay", story.third, "--at", "2026-01-19")
    assert (again.code, again.err) == (0, "")
    again = recsys(story, capsys, "payout", "pay", story.third, "--at", "2026-01-20")
    assert again.code == REFUSED
    assert "nobody is paid twice" in again.err


def test_what_members_did_not_agree_to_is_not_paid(story):
    with pytest.raises(NotForSaleError, match="did not agree"):
        plan(story.home, story.refused, at=NOW + 3 * DAY)
    assert paid(story.home, story.refused) is None


def test_a_division_of_another_vote_is_not_paid(story, division):
    with pytest.raises(PayoutError, match="voted on"):
        pay(story.home, story.third, division, at=NOW + 3 * DAY)


def test_a_member_computes_the_own_amount_again(story, division, capsys):
    path = story.folder / "statement.json"
    name = story.names[5]
    told = recsys(story, capsys, "payout", "statement", name, "--sale", story.sale, "--out", path)
    cents = division.of[payee(story.home, story.sale, name)].cents
    assert f"You get {cents // 100:,}.{cents % 100:02d} USD." in told.out
    assert recsys(story, capsys, "payout", "verify", "--statement", path).code == 0
    document = json.loads(path.read_text())
    path.write_text(json.dumps(document | {"cents": cents + 1}))
    assert recsys(story, capsys, "payout", "verify", "--statement", path).code == UNSOUND
    assert story.home.pseudonyms.of(name) not in json.dumps(document)


def test_the_bank_is_told_once_and_never_to_pay_who_left(story, division, capsys):
    bank, leaver = story.folder / "pain001.xml", story.names[7]
    Members(story.home).leave(leaver, at=NOW + 4 * DAY)
    known = accounts(story, [story.names[0], *story.names[5:10]])
    told = ("payout", "export", story.sale, "--accounts", known, "--at", "2026-01-21")
    first = recsys(story, capsys, *told, "--pain001", bank, "--csv", story.folder / "payments.csv")
    assert first.code == 0
    schema = xmlschema.XMLSchema(str(files("sepaxml") / "schemas" / "pain.001.001.09.xsd"))
    payments = schema.to_dict(str(bank))["CstmrCdtTrfInitn"]["PmtInf"][0]["CdtTrfTxInf"]
    there = [name for name in story.names[5:10] if name != leaver]
    expected = {payee(story.home, story.sale, name): None for name in there}
    assert {one["PmtId"]["EndToEndId"] for one in payments} == {one[:32] for one in expected}
    paid_cents = sum(round(float(one["Amt"]["InstdAmt"]["$"]) * 100) for one in payments)
    assert paid_cents == sum(division.of[one].cents for one in expected)

    again = recsys(story, capsys, *told, "--pain001", story.folder / "second.xml")
    assert again.code == REFUSED
    assert not (story.folder / "second.xml").exists()
    lost = recsys(story, capsys, *told, "--pain001", story.folder / "lost.xml", "--again", 1)
    assert lost.code == 0
    assert (story.folder / "lost.xml").read_bytes() == bank.read_bytes()

    accounts(story, story.names[5:12])
    assert recsys(story, capsys, *told, "--pain001", story.folder / "third.xml").code == 0
    sale = sale_of(story.home, story.sale)
    assert [len(batch) for batch in sale.batches] == [4, 2]
    assert len(sale.instructed) == 6


@pytest.mark.usefixtures("division")
def test_no_account_is_recorded(story):
    for path in story.home.path.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert IBAN.encode() not in data
            assert OWN.encode() not in data


@pytest.mark.usefixtures("division")
def test_all_that_was_paid_can_be_checked(story, capsys):
    told = recsys(story, capsys, "payout", "verify", "--json")
    assert told.code == 0
    assert check_payouts(story.home).sound


def test_a_dry_run_records_nothing(story, capsys):
    before = len(Members(story.home).roster())
    told = recsys(story, capsys, "payout", "divide", story.third, "--at", "2026-01-22", "--json")
    document = json.loads(told.out)
    assert document["members_cents"] == sum(row["cents"] for row in document["payments"]) == 5_500_000
    assert len(Members(story.home).roster()) == before
