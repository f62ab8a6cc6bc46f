import stat
import threading

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from recsys.errors import ConfigError, SignatureInvalidError
from recsys.transparency import SigningKey, VerifyKey

# RFC 8032, section 7.1, test 2
SEED = bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
PUBLIC = bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
SIGNATURE = bytes.fromhex(
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
    "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
)

keys = st.binary(min_size=32, max_size=32).map(SigningKey)


def test_signatures_are_those_of_rfc_8032():
    key = SigningKey(SEED)
    assert key.public.raw == PUBLIC
    assert key.sign(b"\x72") == SIGNATURE
    assert key.public.verifies(SIGNATURE, b"\x72")


@given(keys, st.binary(max_size=40), st.integers(min_value=0, max_value=511))
def test_one_changed_bit_of_a_signature_is_noticed(key, data, bit):
    signature = bytearray(key.sign(data))
    assert key.public.verifies(bytes(signature), data)
    signature[bit // 8] ^= 1 << bit % 8
    assert not key.public.verifies(bytes(signature), data)


@given(keys, keys, st.binary(max_size=40))
def test_another_key_and_other_data_do_not_fit(key, other, data):
    assert not key.public.verifies(key.sign(data), data + b"!")
    assert other.public.verifies(key.sign(data), data) == (other.public == key.public)


@given(keys)
def test_a_public_key_goes_through_pem(key):
    again = VerifyKey.from_pem(key.public.pem)
    assert again == key.public
    assert again.id == key.public.id
    assert len(again.id) == 64


def test_an_identifier_is_that_of_the_did_key_method():
    zeros = SigningKey(bytes(32)).public
    assert zeros.did == "did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp"
    assert VerifyKey.from_did(zeros.did) == zeros


@given(keys)
def test_a_public_key_goes_through_its_identifier(key):
    assert VerifyKey.from_did(key.public.did) == key.public
    assert key.public.did.startswith("did:key:z6Mk")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "did:key:z",
        "z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp",
        "did:key:z16MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp",
        "did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooW0",
        "did:key:z6LSbysY2xFMRpGMhb7tFTLMpeuPRaqaWM1yECx2AtzE3KCc",
        "did:key:" + "z" * 10_000,
    ],
)
def test_another_identifier_is_refused(text):
    with pytest.raises(SignatureInvalidError):
        VerifyKey.from_did(text)


def test_a_key_file_is_made_once_for_its_owner_alone(tmp_path):
    path = tmp_path / "deep" / "key.pem"
    key = SigningKey.at(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_bytes().startswith(b"-----BEGIN PRIVATE KEY-----")
    assert SigningKey.at(path).public == key.public == SigningKey.read(path).public
    assert list(path.parent.iterdir()) == [path]


def test_a_key_can_be_made_of_a_given_seed(tmp_path):
    assert SigningKey.at(tmp_path / "key.pem", make=lambda: SEED).public.raw == PUBLIC


def test_all_who_make_a_key_at_once_get_the_same(tmp_path):
    found = []
    makers = [
        threading.Thread(target=lambda: found.append(SigningKey.at(tmp_path / "key.pem").public)) for _ in range(8)
    ]
    for maker in makers:
        maker.start()
    for maker in makers:
        maker.join()
    assert len(found) == 8
    assert len(set(found)) == 1


def test_a_secret_is_in_no_repr():
    assert SEED.hex() not in repr(vars(SigningKey(SEED)))


def curve_key():
    return ec.generate_private_key(ec.SECP256R1())


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"nonsense",
        b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        curve_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        SigningKey(SEED).public.pem.encode(),
    ],
)
def test_a_file_that_holds_no_signing_key_is_refused(tmp_path, content):
    path = tmp_path / "key.pem"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"key\.pem"):
        SigningKey.at(path)
    assert path.read_bytes() == content


def test_a_key_file_that_is_not_there_is_not_made_by_reading(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read as a signing key"):
        SigningKey.read(tmp_path / "key.pem")


@pytest.mark.parametrize(
    "text",
    ["", "nonsense", curve_key().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo), b"\xff"],
)
def test_what_is_no_public_key_is_refused(text):
    with pytest.raises(SignatureInvalidError):
        VerifyKey.from_pem(text)


def test_keys_of_another_length_are_refused():
    with pytest.raises(SignatureInvalidError, match="32 bytes"):
        VerifyKey(b"short")
    with pytest.raises(ConfigError, match="32 bytes"):
        SigningKey(b"short")
