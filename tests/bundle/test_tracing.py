"""Whose copy leaked: files that turn up, against the register of what was packed."""

import json
import zipfile

import bundles
import numpy as np
import pytest
from safetensors.numpy import load, save_file

from recsys.bundle.register import Register
from recsys.bundle.tracing import find_leak
from recsys.bundle.watermark import mark
from recsys.cli import main
from recsys.errors import BundleInvalidError
from recsys.synthetic import BUYER

NAMES = [f"Artist {i}" for i in range(90)]
BUYERS = ("Solo", "Duo", "Trio")


def model(seed, factors=24):
    return np.random.default_rng(seed).normal(size=(90, factors)).astype(np.float16)


@pytest.fixture
def register(tmp_path):
    """Pack two models for three buyers."""
    register = Register.at(tmp_path / "home")
    for run, factors in (("first", model(1)), ("second", model(2))):
        for place, buyer in enumerate(BUYERS):
            marked, _ = mark(factors, np.eye(24), buyer, register.key)
            register.enter(
                f"{run}-{buyer}", buyer=buyer, run=run, packed_at=f"2026-01-0{place + 1}", names=NAMES, factors=marked
            )
    return register


def copy_of(register, digest):
    return load((register.folder / f"{digest}.safetensors").read_bytes())["item_factors"]


def test_the_secret_is_made_once_and_its_owners_alone(register):
    assert register.key == Register.at(register.folder.parent).key
    assert len(register.key) == 32
    assert register.key_path.stat().st_mode & 0o077 == 0


def test_what_was_entered_is_there_in_order_and_without_its_mark(register):
    entries = register.entries()
    assert [entry.buyer for entry in entries] == [buyer for buyer in BUYERS for _ in range(2)]
    assert all(np.array_equal(register.unmarked(one), model(1 if one.run == "first" else 2)) for one in entries)
    assert len({copy_of(register, entry.digest).tobytes() for entry in entries}) == 6


def test_entering_twice_is_entering_once(register):
    entry = register.entries()[0]
    before = {path.name: path.read_bytes() for path in register.folder.iterdir()}
    told = {"buyer": entry.buyer, "run": entry.run, "packed_at": entry.packed_at, "names": entry.names}
    register.enter(entry.digest, **told, factors=copy_of(register, entry.digest))
    assert {path.name: path.read_bytes() for path in register.folder.iterdir()} == before


@pytest.mark.parametrize("buyer", BUYERS)
@pytest.mark.parametrize("run", ["first", "second"])
def test_a_copy_in_any_file_names_its_buyer_and_bundle(register, tmp_path, run, buyer):
    factors = copy_of(register, f"{run}-{buyer}")
    np.save(tmp_path / "leak.npy", factors.astype(np.float64)[::-1])
    save_file({"weights": factors * 2, "bias": np.ones(3)}, tmp_path / "leak.safetensors")
    with zipfile.ZipFile(tmp_path / "leak.zip", "w", zipfile.ZIP_DEFLATED) as file:
        shuffled = np.random.default_rng(0).permutation(90)[:50]
        save_file({"item_factors": np.ascontiguousarray(factors[shuffled])}, tmp_path / "m")
        file.write(tmp_path / "m", "model.safetensors")
        file.writestr("artists.json", json.dumps({"artists": [NAMES[i] for i in shuffled]}))
    for name in ("leak.npy", "leak.safetensors", "leak.zip"):
        leak = find_leak(tmp_path / name, register)
        assert leak.named == [buyer]
        assert leak.entry.digest == f"{run}-{buyer}"
        assert leak.tried == 2
        words = " ".join(leak.words())
        assert f"the mark of {buyer} (bundle {run}-{buyer}" in words
        assert "24 of 24 signs" in words


def test_two_copies_put_together_name_both(register, tmp_path):
    mixed = (copy_of(register, "first-Solo").astype(float) + copy_of(register, "first-Trio")) / 2
    np.save(tmp_path / "leak.npy", mixed)
    leak = find_leak(tmp_path / "leak.npy", register)
    assert leak.named == [] or set(leak.named) == {"Solo", "Trio"}
    assert {one.buyer for one in leak.found.suspects[:2]} == {"Solo", "Trio"}


def test_what_was_not_packed_here_names_nobody(register, tmp_path):
    np.save(tmp_path / "other.npy", model(3))
    leak = find_leak(tmp_path / "other.npy", register)
    assert not leak.named
    assert not leak.found.copied
    assert "no copy" in leak.words()[0]


def test_a_rotated_copy_is_said_to_be_one(register, tmp_path):
    turned = (
        copy_of(register, "first-Solo").astype(float) @ np.linalg.qr(np.random.default_rng(0).normal(size=(24, 24)))[0]
    )
    np.save(tmp_path / "turned.npy", turned)
    leak = find_leak(tmp_path / "turned.npy", register)
    assert not leak.named
    assert leak.entry.run == "first"
    assert "rotated" in leak.words()[1]


HOSTILE = {
    "empty.npy": b"",
    "text.safetensors": b"not factors at all",
    "header.safetensors": (1 << 60).to_bytes(8, "little") + b"{}",
    "cut.zip": b"PK\x05\x06" + bytes(18),
    "huge.npy": b"\x93NUMPY\x01\x00v\x00{'descr': '<f4', 'fortran_order': False, 'shape': (99999999, 99999), }"
    + b" " * 46
    + b"\n",
    "pickle.npy": b"\x93NUMPY\x01\x00v\x00{'descr': '|O', 'fortran_order': False, 'shape': (1,), }"
    + b" " * 59
    + b"\n.",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_file_that_holds_no_factors_is_refused_by_name(register, tmp_path, name):
    (tmp_path / name).write_bytes(HOSTILE[name])
    with pytest.raises(BundleInvalidError, match=name):
        find_leak(tmp_path / name, register)


def test_an_entry_that_is_encrypted_or_lies_of_its_bytes_is_refused(register, tmp_path):
    for flaw in ("encrypted", "checksum"):
        with zipfile.ZipFile(tmp_path / "leak.zip", "w") as file:
            file.writestr("model.safetensors", (register.folder / "first-Duo.safetensors").read_bytes())
        data = bytearray((tmp_path / "leak.zip").read_bytes())
        data[6 if flaw == "encrypted" else 200] ^= 1
        data[data.index(b"PK\x01\x02") + 8] ^= flaw == "encrypted"
        (tmp_path / "leak.zip").write_bytes(data)
        with pytest.raises(BundleInvalidError, match=r"leak\.zip"):
            find_leak(tmp_path / "leak.zip", register)


def test_tensors_that_are_no_matrix_are_refused(register, tmp_path):
    save_file({"x": np.ones(3), "y": np.ones((2, 2, 2))}, tmp_path / "x.safetensors")
    with pytest.raises(BundleInvalidError, match="no matrix"):
        find_leak(tmp_path / "x.safetensors", register)
    with pytest.raises(BundleInvalidError, match=r"missing\.npy"):
        find_leak(tmp_path / "missing.npy", register)


def test_names_tell_which_artist_is_which_where_noise_hides_it(register, tmp_path):
    rng = np.random.default_rng(0)
    shuffled = rng.permutation(90)
    noisy = copy_of(register, "second-Duo")[shuffled] + rng.normal(size=(90, 24))
    np.save(tmp_path / "leak.npy", noisy)
    assert not find_leak(tmp_path / "leak.npy", register).named
    save_file({"item_factors": noisy}, tmp_path / "model")
    with zipfile.ZipFile(tmp_path / "leak.zip", "w") as file:
        file.write(tmp_path / "model", "model.safetensors")
        file.writestr("artists.json", json.dumps({"artists": [NAMES[i] for i in shuffled[:-1]] + ["Unknown"]}))
    assert find_leak(tmp_path / "leak.zip", register).named == ["Duo"]


def test_names_that_do_not_fit_are_not_believed(register, tmp_path):
    for names in (["x"], list(range(90)), "Artist", None):
        with zipfile.ZipFile(tmp_path / "leak.zip", "w") as file:
            file.writestr("model.safetensors", (register.folder / "first-Duo.safetensors").read_bytes())
            file.writestr("artists.json", json.dumps({"artists": names}))
        assert find_leak(tmp_path / "leak.zip", register).named == ["Duo"]


def test_a_damaged_register_says_so(register, tmp_path):
    np.save(tmp_path / "leak.npy", model(1))
    (register.folder / "first-Duo.safetensors").write_bytes(b"x")
    with pytest.raises(BundleInvalidError, match="backup"):
        find_leak(tmp_path / "leak.npy", register)
    (register.folder / "first-Duo.json").write_bytes(b"{}")
    with pytest.raises(BundleInvalidError, match="backup"):
        register.entries()
    with pytest.raises(BundleInvalidError, match="--home"):
        find_leak(tmp_path / "leak.npy", Register.at(tmp_path / "nowhere"))
    assert not (tmp_path / "nowhere").exists()


def test_a_bundle_that_was_packed_is_traced_from_the_command_line(tmp_path, capsys):
    path, _ = bundles.make_bundle(tmp_path, factors=None, artists=100)
    home = str(bundles.small_home().path)
    with pytest.raises(SystemExit) as ended:
        main(["sample", "trace", str(path), "--home", home, "--json"])
    told = json.loads(capsys.readouterr().out)
    best = told["suspects"][0]
    assert (best["buyer"], best["agree"], best["read"]) == (BUYER, 8, 8)
    assert told["copied"]
    assert told["bundle"]["buyer"] == BUYER
    assert ended.value.code == (0 if told["buyers"] else 9)  # 8 signs are too few for certainty
    np.save(tmp_path / "other.npy", model(1))
    with pytest.raises(SystemExit) as ended:
        main(["sample", "trace", str(tmp_path / "other.npy"), "--home", home])
    assert ended.value.code == 9
    assert "no copy of a model" in capsys.readouterr().out
