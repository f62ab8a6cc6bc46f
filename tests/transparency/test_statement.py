import json

import pytest

from recsys.canonical import canonical_json
from recsys.errors import SignatureInvalidError
from recsys.transparency import read_statement, statement

KIND = "https://example.org/erasure/v1"
DIGEST = "ab" * 32


def test_a_statement_has_the_form_of_in_toto():
    assert statement({"b": "1" * 64, "a": "2" * 64}, KIND, {"done": True}) == {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "a", "digest": {"sha256": "2" * 64}}, {"name": "b", "digest": {"sha256": "1" * 64}}],
        "predicateType": "https://example.org/erasure/v1",
        "predicate": {"done": True},
    }


def test_a_statement_can_be_read_again():
    made = statement({"model": DIGEST}, KIND, {"done": True})
    assert read_statement(canonical_json(made), KIND) == ({"model": DIGEST}, {"done": True})


@pytest.mark.parametrize(
    "change",
    [
        {"_type": "https://in-toto.io/Statement/v0.1"},
        {"predicateType": "https://example.org/other"},
        {"predicate": 3},
        {"subject": [{"name": "a", "digest": {"sha256": DIGEST.upper()}}]},
        {"subject": [{"name": "a", "digest": {"sha256": DIGEST}}] * 2},
        {"subject": [{"name": 1, "digest": {"sha256": DIGEST}}]},
        {"subject": [{"name": "a"}]},
        {"subject": [1]},
        {"subject": 1},
    ],
)
def test_another_statement_is_refused(change):
    document = {**statement({"a": DIGEST}, KIND, {}), **change}
    with pytest.raises(SignatureInvalidError):
        read_statement(json.dumps(document).encode(), KIND)


@pytest.mark.parametrize("payload", [b"", b"[]", b"1", b'"x"', b"{}", b'{"_type":1,"_type":2}', b"\xff"])
def test_what_is_no_statement_is_refused(payload):
    with pytest.raises(SignatureInvalidError):
        read_statement(payload, KIND)
