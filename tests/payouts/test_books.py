import signal
import subprocess
import sys
import threading
from datetime import timedelta

import pytest
import sqlalchemy as sa

from recsys.collective import Book
from recsys.collective.split import Split
from recsys.errors import LogBrokenError, PayoutError
from recsys.home import Home
from recsys.payouts import (
    book,
    check_payouts,
    check_recorded,
    divide,
    instruct,
    payee,
    recorded_statement,
    sale_of,
    sales,
)
from recsys.payouts.books import BOOK
from recsys.payouts.rules import equal
from recsys.synthetic import NOW
from recsys.transparency import SigningKey

SALE = "ab" * 32
OTHER = "cd" * 32


def division_of(home, members=5, price=1_003, sale=SALE, **split):
    names = [payee(home, sale, f"member-{place}") for place in range(members)]
    told = Split.from_dict({"treasury": "1/5", **split})
    return divide(price, told, {"equal": equal(dict.fromkeys(names))}, sale=sale, artists={"Björk": 2, "Low": 1})


@pytest.fixture
def home(database, tmp_path, monkeypatch):
    if "://" in str(database):
        monkeypatch.setenv("RECSYS_DATABASE", database)
    return Home(tmp_path / "home")


def test_what_was_booked_is_read_back(home):
    division = division_of(home, artists="1/10")
    book(home, division, at=NOW)
    assert sales(home)[SALE].division == division
    assert sale_of(home, SALE[:6]).published == division.totals_document()
    assert len(Book.of(home, BOOK).entries(heads=True)) == 1 + 5 + 2


def test_a_sale_is_paid_once_whatever_it_is_tried_with(home):
    book(home, division_of(home), at=NOW)
    for again in (division_of(home), division_of(home, members=3), division_of(home, price=7)):
        with pytest.raises(PayoutError, match="nobody is paid twice"):
            book(home, again, at=NOW + timedelta(days=1))
    assert len(Book.of(home, BOOK).entries()) == 6


def test_a_recorded_payment_cannot_be_replayed(home):
    book(home, division_of(home), at=NOW)
    shelf = Book.of(home, BOOK)
    taken = shelf.entries()
    engine = sa.create_engine(_url(home))
    with engine.begin() as connection:
        row = dict(connection.execute(sa.text(f"SELECT * FROM {BOOK}_entries WHERE seq = 1")).mappings().one())
        row["seq"] = len(taken)
        names = ", ".join(row)
        connection.execute(
            sa.text(f"INSERT INTO {BOOK}_entries ({names}) VALUES ({', '.join(f':{name}' for name in row)})"), row
        )
    engine.dispose()
    with pytest.raises(LogBrokenError):
        sales(home)
    assert not check_payouts(home).sound


def _url(home):
    return home.database if isinstance(home.database, str) else f"sqlite:///{home.database}"


def test_two_who_pay_at_once_pay_once(home):
    division, met, refused = division_of(home, members=40), threading.Barrier(2), []
    home.operator, home.pseudonyms  # noqa: B018 - keys are made before both start

    def pay():
        met.wait()
        try:
            book(home, division, at=NOW)
        except PayoutError as error:
            refused.append(error)

    both = [threading.Thread(target=pay) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert len(refused) == 1
    assert sales(home)[SALE].division == division


def test_nobody_is_put_into_two_messages_to_the_bank(home):
    division = division_of(home)
    book(home, division, at=NOW)
    names = sorted(division.of)
    assert instruct(home, SALE, names[:2], at=NOW) == 1
    assert instruct(home, SALE, names[2:4], at=NOW) == 2
    for again in ([names[0]], [names[4], names[2]], [names[4], names[4]], [], ["ff" * 32]):
        with pytest.raises(PayoutError):
            instruct(home, SALE, again, at=NOW)
    assert sale_of(home, SALE).batches == (tuple(names[:2]), tuple(names[2:4]))


def test_a_payee_of_another_sale_is_not_put_into_a_message(home):
    for sale in (SALE, OTHER):
        book(home, division_of(home, sale=sale), at=NOW)
    with pytest.raises(PayoutError, match="is not paid in the sale"):
        instruct(home, SALE, [payee(home, OTHER, "member-0")], at=NOW)
    with pytest.raises(PayoutError, match="not paid yet"):
        instruct(home, "ef" * 32, [payee(home, SALE, "member-0")], at=NOW)


def test_a_member_has_another_name_in_every_sale_and_home(tmp_path):
    one, other = Home(tmp_path / "one"), Home(tmp_path / "other")
    names = {payee(one, SALE, "a"), payee(one, OTHER, "a"), payee(other, SALE, "a"), payee(one, SALE, "b")}
    assert len(names) == 4
    assert payee(one, SALE, one.pseudonyms.of("a")) == payee(one, SALE, "a")
    assert one.pseudonyms.of("a") not in names


def test_a_statement_shows_that_it_is_recorded(home):
    division = division_of(home, artists="1/10")
    book(home, division, at=NOW)
    mine = payee(home, SALE, "member-3")
    told = recorded_statement(home, sale_of(home, SALE), mine)
    assert check_recorded(told, home.operator.public).sound
    assert not check_recorded(told, SigningKey(bytes(32)).public).sound
    others = recorded_statement(home, sale_of(home, SALE), payee(home, SALE, "member-4"))
    assert not check_recorded({**told, "recorded": others["recorded"]}, home.operator.public).sound
    assert not check_recorded({**told, "cents": told["cents"] + 1}, home.operator.public).sound
    with pytest.raises(PayoutError, match="is not paid in the sale"):
        recorded_statement(home, sale_of(home, SALE), payee(home, SALE, "a stranger"))


_KILLED = """
import importlib.util, os, signal
from pathlib import Path
spec = importlib.util.spec_from_file_location("own", {file!r})
own = importlib.util.module_from_spec(spec)
spec.loader.exec_module(own)
import recsys.payouts.books as books
made, home, left = books._draft, own.Home(Path({folder!r})), [{after}]
def dying(*told):
    left[0] -= 1
    if not left[0]:
        os.kill(os.getpid(), signal.SIGKILL)
    return made(*told)
division = own.division_of(home, members=40, artists="1/10")
books._draft = dying
books.book(home, division, at=own.NOW)
"""


@pytest.mark.parametrize("after", [20, 43])
def test_who_is_killed_while_paying_has_paid_nothing_or_all(tmp_path, after):
    folder = tmp_path / "home"
    home = Home(folder)
    division = division_of(home, members=40, artists="1/10")
    script = _KILLED.format(file=__file__, folder=str(folder), after=after)
    killed = subprocess.run([sys.executable, "-c", script], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert SALE not in sales(Home(folder))
    book(Home(folder), division, at=NOW)
    assert sales(Home(folder))[SALE].division == division
