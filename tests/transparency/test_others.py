"""What is signed here, another implementation of DSSE checks, and the other way round."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from securesystemslib import dsse
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import CryptoSigner, SSlibKey

from recsys.transparency import Envelope, SigningKey, VerifyKey, sign

keys = st.binary(min_size=32, max_size=32).map(SigningKey)
types = st.text(st.characters(categories=["L", "N", "P"]), min_size=1, max_size=20)


def as_theirs(key):
    return SSlibKey(key.id, "ed25519", "ed25519", {"public": key.raw.hex()})


@given(keys, st.binary(max_size=60), types)
def test_they_believe_what_was_signed_here(key, payload, payload_type):
    theirs = dsse.Envelope.from_dict(json.loads(sign(payload_type, payload, key).to_json()))
    assert theirs.payload == payload
    assert set(theirs.verify([as_theirs(key.public)], 1)) == {key.public.id}


def test_they_do_not_believe_somebody_else():
    theirs = dsse.Envelope.from_dict(json.loads(sign("a", b"b", SigningKey(b"1" * 32)).to_json()))
    with pytest.raises(VerificationError):
        theirs.verify([as_theirs(SigningKey(b"2" * 32).public)], 1)


def test_what_they_sign_is_believed_here():
    signer = CryptoSigner.generate_ed25519()
    key = VerifyKey(bytes.fromhex(signer.public_key.keyval["public"]))
    theirs = dsse.Envelope(b"payload", "application/vnd.in-toto+json", {})
    theirs.sign(signer)
    document = theirs.to_dict()
    for signature in document["signatures"]:
        signature["keyid"] = key.id
    read = Envelope.from_json(json.dumps(document).encode())
    assert read.verify(key, "application/vnd.in-toto+json") == b"payload"
