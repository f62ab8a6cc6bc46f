"""Grant files as Vana's SDK checks them, and names that no two buyers can join."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft7Validator

from recsys.canonical import canonical_json, parse_json
from recsys.collective import Grant, buyer_pseudonym
from recsys.errors import LicenceInvalidError

SCHEMA = {
    "type": "object",
    "required": ["grantee", "operation", "files", "parameters"],
    "properties": {
        "grantee": {"type": "string", "pattern": "^0x[0-9a-fA-F]{40}$"},
        "operation": {"type": "string", "minLength": 1},
        "files": {"type": "array", "items": {"type": "integer", "minimum": 0}, "uniqueItems": True},
        "parameters": {"type": "object", "additionalProperties": True},
        "expires": {"type": "integer", "minimum": 0},
    },
    "additionalProperties": False,
}
"""The rules of grantFile.schema.json in vana-com/vana-sdk, without its descriptions."""

ADDRESS = "0x742d35Cc6634C0532925a3b8D4C9db96C4b4d8b6"
WHOLE = {"grantee": ADDRESS, "operation": "llm_inference", "files": [1654096, 1654097], "parameters": {"n": 1}}
SOME = st.text(max_size=5) | st.integers(-5, 10**9) | st.none() | st.booleans()


@given(
    st.lists(st.integers(0, 2**40), unique=True, max_size=5),
    st.dictionaries(st.text(max_size=5), SOME, max_size=3),
    st.none() | st.integers(0, 2**40),
    st.text(min_size=1, max_size=9),
)
def test_what_is_written_passes_the_schema_and_is_read_back_to_the_byte(files, parameters, expires, operation):
    one = Grant(ADDRESS, operation, tuple(files), parameters, expires)
    data = one.to_bytes()
    Draft7Validator(SCHEMA).validate(parse_json(data))
    again = Grant.from_bytes(data)
    assert (again, again.to_bytes(), again.uid) == (one, data, one.uid)


def test_the_example_of_the_schema_is_read_and_written_with_the_same_keys():
    told = {**WHOLE, "expires": 1736467579}
    assert parse_json(Grant.from_bytes(canonical_json(told)).to_bytes()) == told


@given(st.dictionaries(st.sampled_from([*WHOLE, "expires", "more"]), SOME | st.lists(SOME, max_size=3), max_size=3))
def test_what_the_schema_refuses_is_refused_and_nothing_else(change):
    told = {**WHOLE, **change}
    try:
        read = Grant.from_bytes(canonical_json(told))
    except LicenceInvalidError:
        read = None
    assert (read is not None) == Draft7Validator(SCHEMA).is_valid(told)


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"{", canonical_json({**WHOLE, "files": {}}), canonical_json({"files": []})]
)
def test_what_is_no_grant_is_refused(data):
    with pytest.raises(LicenceInvalidError):
        Grant.from_bytes(data)


def test_each_buyer_is_told_another_name_of_a_member(home):
    names = {buyer_pseudonym(home, buyer, member) for buyer in ("Solo AI", "Other") for member in ("ada", "bob")}
    assert len(names) == 4
    assert home.pseudonyms.of("ada") not in names
    assert buyer_pseudonym(home, "Solo AI", "ada") == buyer_pseudonym(home, " Solo  AI", home.pseudonyms.of("ada"))
