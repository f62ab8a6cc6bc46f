import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.errors import SignatureInvalidError
from recsys.transparency import Envelope, SigningKey, sign
from recsys.transparency.dsse import MAX_BYTES, pae

TYPE = "application/vnd.in-toto+json"
STATEMENT = b'{"_type":"https://in-toto.io/Statement/v1"}'
PAYLOAD = base64.b64encode(STATEMENT).decode()

# The protocol's own test vectors (github.com/secure-systems-lab/dsse, testvectors).
# The keys are those of RFC 8032, section 7.1, tests 1 and 2.
A = SigningKey(bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"))
B = SigningKey(bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"))
SIG_A = "2WAfaHm5jluo0w+0rk8uVkluELJYWjSmU9x7EUzx+AyteDGJ4/nqyJXfmAUVFIAoQafWm7AxBZNw5M9ixNHiCA=="
SIG_B = "c1+67/aT0yqEpwx8PsVY3MLHsj9D0CZ014/Fv/QlG59P+9CobUZ7xECJ/V3USG0Ob9CiE5LjReEZUzNF2l7eBw=="
URL_SAFE = "P-_KHICeR7tI6S_YyejJTRtrXhcQyQ2LYPaL8h90KjC9qN8HU_svOQ6TuDOT1HIrsGW886DbWNWcCmX5twLrAw=="
NOT_ASCII = "xmSk/ug66ysT7ayhkCIjhAq42zgZXSsEWuzUaNL7w2eGAdF/NU6/fRXPtmfN+5DNSAs5/i2lUnHjbbjPsu0tAw=="
EMPTY = "gSggCAaTLTYyRH6FIDBem6meyIynsYy8RTHVzwx9tnTb7Bg/1jMWnuVgI/gffqmbsC2VX5/jHfkkDqsj7CDbDg=="
NO_TYPE = "iC3q/+3Rm0+lpAJRueDmDh15PnwCfxKmS0NAfKsbv+zgulXQC/WM9trc+j1XEqlwDIg/vf/uNfebeD6sxInrDg=="

keys = st.binary(min_size=32, max_size=32).map(SigningKey)


def envelope(*signatures, payload=PAYLOAD, payload_type=TYPE):
    document = {"payload": payload, "payloadType": payload_type, "signatures": list(signatures)}
    return json.dumps(document, ensure_ascii=False).encode()


def by(key, signature):
    return {"keyid": key.public.id, "sig": signature}


def test_what_is_signed_is_the_encoding_of_the_protocol():
    assert pae("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )
    assert pae("application/vnd.exämple+json", b"") == "DSSEv1 29 application/vnd.exämple+json 0 ".encode()


@pytest.mark.parametrize(
    ("data", "payload", "payload_type"),
    [
        (envelope(by(A, SIG_A)), STATEMENT, TYPE),
        (envelope({"sig": SIG_A}), STATEMENT, TYPE),
        (envelope(by(A, URL_SAFE), payload="-_-_Pj8="), b"\xfb\xff\xbf>?", TYPE),
        (
            envelope(by(A, NOT_ASCII), payload_type="application/vnd.exämple+json"),
            STATEMENT,
            "application/vnd.exämple+json",
        ),
        (envelope(by(A, EMPTY), payload=""), b"", TYPE),
    ],
    ids=["one signature", "no key named", "url-safe base64", "type that is not ASCII", "empty payload"],
)
def test_vectors_that_are_accepted(data, payload, payload_type):
    assert Envelope.from_json(data).verify(A.public, payload_type) == payload


@pytest.mark.parametrize(
    ("data", "payload_type"),
    [
        (envelope(by(A, SIG_A), payload_type="application/vnd.example.other+json"), TYPE),
        (
            envelope(by(A, SIG_A), payload_type="application/vnd.example.other+json"),
            "application/vnd.example.other+json",
        ),
        (envelope(by(A, NO_TYPE), payload_type=""), TYPE),
        (envelope(by(B, SIG_B)), TYPE),
        (envelope(by(A, SIG_B)), TYPE),
        (envelope(by(B, SIG_A)), TYPE),
    ],
    ids=["other type", "type swapped", "no type", "other key", "other key under this name", "under another name"],
)
def test_vectors_that_are_rejected(data, payload_type):
    read = Envelope.from_json(data)
    with pytest.raises(SignatureInvalidError):
        read.verify(A.public, payload_type)


def test_signers_count_once_each_whether_they_name_themselves_or_not():
    both = [A.public, B.public, A.public]
    read = Envelope.from_json(envelope(by(A, SIG_A), by(B, SIG_B)))
    in_names = tuple(sorted(read.signatures, key=lambda signature: signature.keyid))
    assert read.by(both).signatures == in_names
    assert Envelope.from_json(envelope({"sig": SIG_A}, {"sig": SIG_B})).by(both).signatures == in_names
    twice = Envelope.from_json(envelope(by(A, SIG_A), by(A, SIG_A), by(B, SIG_A)))
    assert twice.by(both) == Envelope.from_json(envelope(by(A, SIG_A)))


@given(keys, st.binary(max_size=60), st.text(max_size=20))
def test_what_was_signed_comes_back(key, payload, payload_type):
    signed = sign(payload_type, payload, key)
    again = Envelope.from_json(signed.to_json())
    assert again == signed
    assert again.verify(key.public, payload_type) == payload


@given(st.data())
def test_no_changed_byte_gives_another_payload(data):
    signed = bytearray(sign(TYPE, STATEMENT, A).to_json())
    place = data.draw(st.integers(0, len(signed) - 1))
    signed[place] ^= data.draw(st.integers(1, 255))
    try:
        payload = Envelope.from_json(bytes(signed)).verify(A.public, TYPE)
    except SignatureInvalidError:
        return
    assert payload == STATEMENT  # "+" may be spelt "-"; nothing else may change
    assert Envelope.from_json(bytes(signed)).to_json() == sign(TYPE, STATEMENT, A).to_json()


def test_a_signature_can_be_added():
    twice = sign(TYPE, STATEMENT, A).signed_also(B)
    assert twice.to_json().count(b'"sig"') == 2
    assert twice.verify(B.public, TYPE) == twice.verify(A.public, TYPE) == STATEMENT


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'"envelope"',
        b"\xff\xfe",
        b"[" * 100_000,
        b"1" * 5_000,
        b'{"payload": NaN, "payloadType": "", "signatures": []}',
        envelope(),
        envelope({"keyid": 1, "sig": SIG_A}),
        envelope({"sig": None}),
        envelope([]),
        envelope("signature"),
        envelope({"sig": SIG_A, "alg": "none"}),
        envelope(by(A, SIG_A), payload=7),
        envelope(by(A, SIG_A), payload="e30"),
        envelope(by(A, SIG_A), payload="e3 0="),
        envelope(by(A, SIG_A), payload="e31="),
        envelope(by(A, SIG_A), payload="e30=é"),
        envelope(by(A, SIG_A), payload="-_+/"),
        envelope(by(A, SIG_A), payload_type=["a"]),
        b'{"payloadType":"\\ud800"}',
        envelope(by(A, SIG_A))[:-1] + b', "payload": ""}',
        envelope(by(A, SIG_A))[:-1] + b', "more": 1}',
        json.dumps({"payload": "", "payloadType": TYPE, "signatures": {}}).encode(),
        b" " * (MAX_BYTES + 1),
    ],
)
def test_what_is_no_envelope_is_refused_by_name(data):
    with pytest.raises(SignatureInvalidError):
        Envelope.from_json(data)


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(), lambda c: st.lists(c) | st.dictionaries(
    st.sampled_from(["payload", "payloadType", "signatures", "keyid", "sig"]), c)))  # fmt: skip
def test_no_json_value_breaks_the_reader(value):
    try:
        read = Envelope.from_json(json.dumps(value).encode())
    except SignatureInvalidError:
        return
    assert Envelope.from_json(read.to_json()) == read
