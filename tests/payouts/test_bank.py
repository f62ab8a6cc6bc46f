import csv
import io
from datetime import UTC, datetime
from importlib.resources import files

import pytest
import xmlschema
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.errors import PayoutError
from recsys.payouts import Account, Batch, Payment, Transfer, pain001, payments_csv, read_accounts
from recsys.payouts.pain001 import NAMESPACE, latin

AT = datetime(2026, 1, 15, 12, tzinfo=UTC)
IBANS = ("DE89370400440532013000", "GB82WEST12345698765432", "FR1420041010050500013M02606", "NO9386011117947")
PAYER = Account.checked("The Collective e.V.", IBANS[0], "DEUTDEFF")


@pytest.fixture(scope="module")
def schema():
    """Give the schema of pain.001.001.09 as ISO 20022 publishes it."""
    return xmlschema.XMLSchema(str(files("sepaxml") / "schemas" / "pain.001.001.09.xsd"))


def batch(*transfers, **told):
    fields = {"message": "m-0001", "payer": PAYER, "currency": "USD", "at": AT, "purpose": "Your share"} | told
    return Batch(**fields, transfers=transfers)


def test_a_message_to_the_bank_validates_and_adds_up(schema):
    to = [
        Transfer(f"e{place}", Account.checked(f"Payee {place}", iban), 550 + place) for place, iban in enumerate(IBANS)
    ]
    found = schema.to_dict(pain001(batch(*to)).decode())["CstmrCdtTrfInitn"]
    assert found["GrpHdr"]["NbOfTxs"] == "4"
    assert float(found["GrpHdr"]["CtrlSum"]) == 22.06
    payments = found["PmtInf"][0]["CdtTrfTxInf"]
    assert [one["CdtrAcct"]["Id"]["IBAN"] for one in payments] == list(IBANS)
    assert [one["PmtId"]["EndToEndId"] for one in payments] == ["e0", "e1", "e2", "e3"]
    assert payments[0]["Amt"]["InstdAmt"] == {"@Ccy": "USD", "$": 5.5}


@settings(max_examples=40, deadline=None)
@given(
    name=st.text(min_size=1, max_size=100).filter(lambda text: text.split() and text.isprintable()),
    purpose=st.text(max_size=200),
    cents=st.integers(1, 10**15 - 1),
    currency=st.sampled_from(["USD", "EUR", "CHF"]),
)
def test_whatever_people_are_called_the_message_validates(schema, name, purpose, cents, currency):
    to = Transfer("e1", Account.checked(name, IBANS[1], "WESTGB22XXX"), cents)
    schema.validate(pain001(batch(to, purpose=purpose, currency=currency)).decode())


def test_a_message_is_the_same_bytes_each_time():
    to = Transfer("e1", Account.checked("A", IBANS[1]), 1)
    assert pain001(batch(to)) == pain001(batch(to))
    assert NAMESPACE.encode() in pain001(batch(to))


@pytest.mark.parametrize(
    ("transfers", "told", "message"),
    [
        ([], {}, "nobody to pay"),
        ([("e", 0)], {}, "above zero"),
        ([("e", -5)], {}, "above zero"),
        ([("e", 10**15)], {}, "beyond what a bank takes"),
        ([("e", 1), ("e", 2)], {}, "reference of its own"),
        ([("e" * 36, 1)], {}, "reference of its own"),
        ([("e", 1)], {"currency": "JPY"}, "hundred cents"),
        ([("e", 1)], {"currency": "usd$"}, "hundred cents"),
    ],
)
def test_what_a_bank_would_not_take_is_not_written(transfers, told, message):
    to = [Transfer(reference, Account.checked("A", IBANS[1]), cents) for reference, cents in transfers]
    with pytest.raises(PayoutError, match=message):
        pain001(batch(*to, **told))


def test_names_are_written_in_the_characters_that_every_bank_takes():
    assert latin("Łukasz Größe & Søn // 株式会社") == "Lukasz Grosse . Son / ...."
    assert latin("///") == "."


@pytest.mark.parametrize("iban", [*IBANS, "de89 3704 0044 0532 0130 00"])
def test_true_accounts_are_taken(iban):
    assert Account.checked("A", iban).iban == "".join(iban.split()).upper()


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(IBANS), st.data())
def test_a_mistyped_account_is_refused_and_not_repeated(iban, data):
    place = data.draw(st.integers(4, len(iban) - 1))
    digit = data.draw(st.sampled_from("0123456789"))
    wrong = iban[:place] + digit + iban[place + 1 :]
    if wrong == iban:
        return
    with pytest.raises(PayoutError) as refused:
        Account.checked("A", wrong)
    assert wrong not in str(refused.value)


def test_accounts_do_not_show_in_what_is_printed():
    assert IBANS[0] not in repr(PAYER)


def written(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_of_accounts(tmp_path):
    path = written(tmp_path / "a.csv", f"member,name,iban,bic\nann,Ann,{IBANS[0]},\nbob,Bob,{IBANS[1]},WESTGB22\n")
    assert read_accounts(path, str.upper) == {
        "ANN": Account.checked("Ann", IBANS[0]),
        "BOB": Account.checked("Bob", IBANS[1], "WESTGB22"),
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("member,name\nann,Ann\n", "no column iban"),
        ("", "no column iban, member, name"),
        (f"member,name,iban\nann,Ann,{IBANS[0]}\nann,Ann,{IBANS[1]}\n", "line 3: the member has an account already"),
        ("member,name,iban\nann,Ann,DE89370400440532013001\n", "line 2: the IBAN's check digits are wrong"),
        (f"member,name,iban\nann,,{IBANS[0]}\n", "line 2: the account holder's name"),
        ("member,name,iban\nann,Ann\n", "line 2: the IBAN"),
        (f"member,name,iban,bic\nann,Ann,{IBANS[0]},X\n", "line 2: the BIC"),
        ('member,name,iban\nann,"Ann\n', "cannot be read as CSV"),
    ],
)
def test_a_mistake_in_a_file_of_accounts_is_named_by_its_line(tmp_path, text, message):
    with pytest.raises(PayoutError, match=message):
        read_accounts(written(tmp_path / "a.csv", text), str)


def test_a_file_of_accounts_that_is_none(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"\xff\xfe\x00member")
    for path in (tmp_path / "a.csv", tmp_path / "none.csv"):
        with pytest.raises(PayoutError, match="cannot be read as CSV"):
            read_accounts(path, str)


def test_payments_as_a_table():
    accounts = {"p1": Account.checked('=HYPERLINK("x")', IBANS[0])}
    data = payments_csv([Payment("p1", {"equal": 1}, 550), Payment("p2", {"equal": 1}, 5)], "USD", accounts)
    rows = list(csv.DictReader(io.StringIO(data.decode())))
    assert [(row["payee"], row["cents"], row["amount"], row["currency"]) for row in rows] == [
        ("p1", "550", "5.50", "USD"),
        ("p2", "5", "0.05", "USD"),
    ]
    assert rows[0]["name"].startswith("'=")
    assert rows[1]["iban"] == ""
