"""A bundle opens if all about it holds; a changed byte, a lie or a trap in it is named."""

import base64
import json
import pickle
import socket
import subprocess
import sys
import tempfile
import zipfile
from datetime import timedelta
from pathlib import Path

import bundles
import numpy as np
import pytest
from bundle import hostile
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.bundle import SampleModel, SealKey, SealPublic, archive, check, open_sample
from recsys.bundle.contents import ARTISTS, EVIDENCE, MANIFEST, MODEL, SIGNATURE, TERMS
from recsys.bundle.seal import check_seal
from recsys.canonical import canonical_json, parse_json
from recsys.errors import BundleInvalidError, RecsysError, SignatureInvalidError, TermsInvalidError
from recsys.synthetic import BUYER, NOW
from recsys.transparency import SigningKey
from recsys.transparency.dsse import pae
from recsys.transparency.statement import PAYLOAD_TYPE

P256 = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def document(entries, name, **changes):
    return canonical_json({**parse_json(entries[name]), **changes})


def test_a_sample_answers_and_says_what_was_checked(made):
    sample = open_sample(*made, at=NOW)
    names = sample.named.artists.names
    assert sample.verdict.sound
    assert [one.name for one in sample.verdict.checks] == [
        "file", "manifest", "seal", "documents", "terms", "expiry", "model", "consent",
    ]  # fmt: skip
    told = sample.recommend(names[:3], 5)
    assert len(told.artists) == 5
    assert not {name for name, _ in told.artists} & set(names[:3])
    parts = sample.explain(names[:3], told.artists[0][0])
    assert sum(part for _, part in parts.artists) == pytest.approx(told.artists[0][1], rel=1e-4)
    near = sample.similar(names[0], 4)
    assert len(near.artists) == 4
    assert names[0] not in dict(near.artists)
    assert sample.similar("nobody at all").unknown
    assert sample.terms.buyer == BUYER
    assert set(sample.documents) == {"scores", "evidence", "dataset_card", "training_summary", "bom", "privacy"}
    assert sample.card.startswith("---\n")
    assert sample.listeners.shape == (len(names),)
    ids, _ = sample.popularity.recommend(0, np.zeros((1, len(names))), N=3, filter_already_liked_items=False)
    assert (np.diff(sample.listeners[ids]) <= 0).all()


def test_only_a_verified_bundle_gives_a_sample(made):
    sample = open_sample(*made, at=NOW)
    with pytest.raises(TypeError, match="verified bundle"):
        SampleModel(
            object(), named=sample.named, manifest=sample.manifest, terms=sample.terms, card="", documents={},
            listeners=sample.listeners, aliases={}, verdict=sample.verdict,
        )  # fmt: skip
    with pytest.raises(TypeError, match="seal"):
        pickle.dumps(sample)


def test_the_verdict_says_the_same_and_goes_on_where_it_can(made, tmp_path):
    assert check(*made, at=NOW).as_dict() == open_sample(*made, at=NOW).verdict.as_dict()
    late = check(*made, at=NOW + timedelta(days=90))
    assert late.failed == ("expiry",)
    (tmp_path / "cut").write_bytes(made[0].read_bytes()[:-1])
    cut = check(tmp_path / "cut", made[1], at=NOW)
    assert cut.failed == ("file",)
    assert [one.holds for one in cut.checks[1:]] == [None] * 7


def test_nothing_asks_the_network_speaks_or_stays_behind(made, monkeypatch, tmp_path, capfd):
    def forbidden(*_args, **_kwargs):
        raise AssertionError("a socket")

    monkeypatch.setattr(socket, "socket", forbidden)
    monkeypatch.setattr(socket, "create_connection", forbidden)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    open_sample(*made, at=NOW)
    assert not list(tmp_path.iterdir())
    assert capfd.readouterr() == ("", "")


def test_model_signing_itself_checks_the_seal(made, tmp_path):
    with zipfile.ZipFile(made[0]) as file:
        file.extractall(tmp_path / "model")
    seal = (tmp_path / "model" / SIGNATURE).rename(tmp_path / SIGNATURE)
    command = [sys.executable, "-m", "model_signing", "verify", "key", str(tmp_path / "model")]
    command += ["--signature", str(seal), "--public_key", str(made[1])]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0
    (tmp_path / "model" / "README.md").write_text("lies")
    assert subprocess.run(command, capture_output=True, check=False).returncode != 0


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_any_changed_byte_is_found(made, data):
    """Also where whoever changed it mends the zip around it."""
    whole = made[0].read_bytes()
    bad = bytearray(whole)
    place = data.draw(st.integers(0, len(whole) - 1))
    bad[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(BundleInvalidError):
        archive.read(bytes(bad))
    entries = archive.read(whole)
    name = data.draw(st.sampled_from(sorted(entries)))
    body = bytearray(entries[name])
    body[data.draw(st.integers(0, len(body) - 1))] ^= data.draw(st.integers(1, 255))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mended.recsys"
        path.write_bytes(hostile.written({**entries, name: bytes(body)}))
        with pytest.raises((BundleInvalidError, SignatureInvalidError)):
            open_sample(path, made[1], at=NOW)


def test_a_seal_has_one_form(entries, made, reopened):
    seal = parse_json(entries[SIGNATURE])
    signature = seal["dsseEnvelope"]["signatures"][0]
    r, s = decode_dss_signature(base64.b64decode(signature["sig"]))
    high = base64.b64encode(encode_dss_signature(r, P256 - s)).decode()
    forms = [
        json.dumps(seal).encode(),
        canonical_json({**seal, "more": 1}),
        canonical_json({**seal, "dsseEnvelope": {**seal["dsseEnvelope"], "signatures": [{"sig": high, "keyid": ""}]}}),
        canonical_json({**seal, "dsseEnvelope": {**seal["dsseEnvelope"], "signatures": [signature] * 2}}),
        canonical_json({**seal, "mediaType": "application/vnd.dev.sigstore.bundle.v0.2+json"}),
    ]
    for form in forms:
        with pytest.raises((SignatureInvalidError, BundleInvalidError)):
            reopened(hostile.written({**entries, SIGNATURE: form}))
    for form in (b"", b"{}", b"[" * 100_000, b"null", b'{"a":NaN}', bytes(2 << 20)):
        with pytest.raises(SignatureInvalidError, match="no seal"):
            check_seal({}, form, SealPublic.load(made[1]))


def test_a_forged_seal_is_found(entries, made, tmp_path):
    """All is as it should be but the signature itself: another key's, or with any bit of it turned."""
    body = {name: data for name, data in entries.items() if name != SIGNATURE}
    seal, key = parse_json(entries[SIGNATURE]), SealPublic.load(made[1])
    payload = base64.b64decode(seal["dsseEnvelope"]["payload"])
    mine = base64.b64decode(seal["dsseEnvelope"]["signatures"][0]["sig"])
    turned = [mine[:place] + bytes([mine[place] ^ 1]) + mine[place + 1 :] for place in range(len(mine))]
    for signature in [SealKey.at(tmp_path / "other.key").sign(pae(PAYLOAD_TYPE, payload)), *turned]:
        seal["dsseEnvelope"]["signatures"][0]["sig"] = base64.b64encode(signature).decode()
        with pytest.raises(SignatureInvalidError):
            check_seal(body, canonical_json(seal), key)


@pytest.mark.parametrize(
    ("key", "words"),
    [
        (b"", "no public key"),
        (b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "no public key"),
        (SigningKey(b"e" * 32).public.pem.encode(), "another kind"),
    ],
)
def test_what_is_no_key_of_a_seal_is_refused(made, tmp_path, key, words):
    path = tmp_path / "key.pub"
    path.write_bytes(key)
    with pytest.raises(SignatureInvalidError, match=words):
        open_sample(made[0], path, at=NOW)
    with pytest.raises(SignatureInvalidError, match="cannot be read"):
        open_sample(made[0], tmp_path / "none.pub", at=NOW)


def test_another_seal_key_opens_nothing_and_seals_nothing_for_the_collective(made, entries, tmp_path):
    other = SealKey.at(tmp_path / "other.key")
    with pytest.raises(SignatureInvalidError, match="sealed with key"):
        open_sample(made[0], other.public, at=NOW)
    path = tmp_path / "resealed.recsys"
    path.write_bytes(hostile.resealed(entries, other))
    with pytest.raises(SignatureInvalidError, match="names another seal"):
        open_sample(path, other.public, at=NOW)


def test_terms_end(made):
    with pytest.raises(TermsInvalidError, match="ran out"):
        open_sample(*made, at=NOW + timedelta(days=90))


def test_the_collective_may_be_known_from_elsewhere(made):
    mine = bundles.small_home().key
    sample = open_sample(*made, at=NOW, operator=mine)
    assert "the key that you gave" in sample.verdict.words()[-2]
    with pytest.raises(SignatureInvalidError, match="of the collective"):
        open_sample(*made, at=NOW, operator=SigningKey(b"x" * 32).public)


@pytest.mark.parametrize("name", [ARTISTS, "scores.json", EVIDENCE, TERMS, "privacy.json", MANIFEST])
@pytest.mark.parametrize("bad", [b"[" * 200_000, b'{"a":' * 100_000, b'{"a":1,"a":2}', b"\xff", b"NaN", b"", b"[]"])
def test_json_that_is_none_is_named(entries, sealer, reopened, name, bad):
    with pytest.raises((BundleInvalidError, TermsInvalidError, SignatureInvalidError)):
        reopened(hostile.resealed(entries, sealer, **{name: bad}))


@pytest.mark.parametrize("told", ["recsys-bundle/0", "recsys-bundle/2", 7, None, "x" * 10_000])
def test_other_formats_are_named(entries, sealer, reopened, told):
    manifest = document(entries, MANIFEST, format=told)
    with pytest.raises(BundleInvalidError, match="take the recsys of its time"):
        reopened(hostile.resealed(entries, sealer, **{MANIFEST: manifest}))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({MANIFEST: None}, "is missing"),
        ({"bom.json": None}, "bom.json"),
        ({"setup.py": b"import os"}, "setup.py"),
        ({"README.md": b"\xff\xfe"}, "no text"),
        ({"run_without_recsys.py": b"\xff\xfe"}, "no text"),
    ],
)
def test_entries_too_few_and_too_many_are_named(entries, sealer, reopened, changes, words):
    with pytest.raises(BundleInvalidError, match=words):
        reopened(hostile.resealed(entries, sealer, listing=MANIFEST not in changes, **changes))


@pytest.mark.parametrize(
    "change",
    [
        lambda told: told["agreement"].update(recipient="somebody else"),
        lambda told: told["agreement"].update(agree=1),
        lambda told: told["dataset"].update(digest="0" * 64),
        lambda told: told["dataset"]["counts"].update(members=1),
        lambda told: told["ledger"]["at_build"].update(count=10**9),
        lambda told: told["ledger"].update(signed_head=told["training"]),
        lambda told: told.update(training=told["statement"]),
        lambda told: told.update(operator_key=SigningKey(b"x" * 32).public.pem),
        lambda told: told.update(operator_key=5),
        lambda told: told.pop("statement"),
        lambda told: told.pop("agreement"),
        dict.clear,
    ],
)
def test_evidence_that_the_collective_did_not_state_is_refused(entries, sealer, reopened, change):
    """Whoever has the seal's key has not the collective's."""
    told = parse_json(entries[EVIDENCE])
    change(told)
    with pytest.raises((SignatureInvalidError, BundleInvalidError)):
        reopened(hostile.resealed(entries, sealer, **{EVIDENCE: canonical_json(told)}))


@pytest.mark.parametrize("name", [MODEL, ARTISTS, TERMS, "scores.json", "privacy.json"])
def test_the_collective_states_which_files_it_means(entries, sealer, reopened, name, tmp_path):
    other = archive.read_file(bundles.make_bundle(tmp_path, artists=79, expires=(NOW + timedelta(days=80)).date())[0])
    with pytest.raises(RecsysError):
        reopened(hostile.resealed(entries, sealer, **{name: other[name]}))
    both = {MODEL: other[MODEL], ARTISTS: other[ARTISTS]}
    with pytest.raises(SignatureInvalidError, match="other files"):
        reopened(hostile.resealed(entries, sealer, **both))
