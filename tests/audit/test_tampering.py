"""Every tampering that was tried, and the check that finds it.

Each function below changes files as somebody with access to the disk could; ``TAMPERINGS`` names for
each the check that must fail; others may fail with it.
"""

import json
import shutil
import sqlite3
from dataclasses import replace
from datetime import timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from collective import next_version

from recsys.audit import audit
from recsys.canonical import canonical_json, sha256_file
from recsys.consent import Decision, Kind
from recsys.dataset import Manifest
from recsys.experiment import Provenance
from recsys.home import Home
from recsys.synthetic import NOW, PURPOSE
from recsys.tracking import Tracker
from recsys.transparency import SigningKey, sign


def test_what_nobody_touched_is_sound(collective):
    verdict = audit(Home(collective.path))
    assert verdict.failed == ()
    assert verdict.sound
    assert {check.name for check in verdict.checks} == {check for check, _ in TAMPERINGS.values()}
    assert audit(Home(collective.path), collective.version.digest[:10], collective.key).sound
    assert audit(Home(collective.path), collective.run, collective.key).sound


def folder(found):
    return found.path / "datasets" / found.version.digest


def edit_manifest(found, **changes):
    path = folder(found) / "manifest.json"
    path.write_bytes(Manifest(**{**json.loads(path.read_bytes()), **changes}).to_bytes())


def rewrite(path, column, value, row=0):
    table = pq.read_table(path)
    values = table[column].to_pylist()
    values[row] = value
    place = table.column_names.index(column)
    pq.write_table(table.set_column(place, column, pa.array(values, table.schema.field(column).type)), path)


def drop_row(path):
    pq.write_table(pq.read_table(path).slice(1), path)


def flip(path, place):
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(bytes(data))


def flip_record(found):
    path = found.path / "ledger.db"
    flip(path, path.read_bytes().index(b'"payload":"') + 40)


def append(path):
    path.write_bytes(path.read_bytes() + b"\n")


def in_ledger(found, *statements, database="ledger.db"):
    """Edit the database past its triggers."""
    with sqlite3.connect(found.path / database) as ledger:
        for (name,) in ledger.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            ledger.execute(f'DROP TRIGGER "{name}"')
        for statement in statements:
            assert ledger.execute(statement).rowcount > 0
    ledger.close()


def in_runs(found, statement, *values):
    with sqlite3.connect(found.path / "mlflow.db") as runs:
        assert runs.execute(statement, values).rowcount == 1
    runs.close()


def tag(found, name, value):
    in_runs(found, "UPDATE tags SET value = ? WHERE key = ? AND run_uuid = ?", value, name, found.run)


def model(found, name):
    (path,) = (found.path / "artifacts").rglob(name)
    return path


def document(found, name="provenance.json"):
    (path,) = (found.path / "artifacts").rglob(name)
    return path


def sign_again(found, **changes):
    """State something else, signed with a key that is not the collective's."""
    stated = Provenance.verified(document(found).read_bytes(), found.key)
    document(found).write_bytes(canonical_json(replace(stated, **changes).signed(SigningKey(b"s" * 32))))


def model_with_tags(found):
    """Change the model, and everything in the tracking store that knows of it."""
    flip(model(found, "model.safetensors"), -3)
    run = Tracker(found.path).find(found.run)
    (digest,) = (check.words for check in audit(Home(found.path)).checks if check.name == "model files")
    assert "other bytes" in digest
    tag(found, "recsys.sha256.model.safetensors", sha256_file(model(found, "model.safetensors")))
    tag(found, "recsys.factors_sha256", run.model().factors_digest)


def swap_operator_key(found):
    (found.path / "keys" / "operator.key").unlink()
    SigningKey.at(found.path / "keys" / "operator.key")


def another_version(found):
    """Point the run at a version that is whole, but not the one it used."""
    home = Home(found.path)
    home.ledger.withdraw(found.names[0], PURPOSE, at=NOW + timedelta(hours=1))
    digest = next_version(home, NOW + timedelta(hours=2)).digest
    tag(found, "recsys.dataset_digest", digest)


def another_ledger(found):
    """Put a ledger in the place of the old one that the collective signed too, and in which everybody agrees."""
    for path in found.path.glob("ledger.*"):
        path.unlink()
    at, until = NOW - timedelta(days=1), NOW + timedelta(days=1)
    Home(found.path).ledger.record(Decision(name, Kind.GRANT, PURPOSE, at, until) for name in found.names)


def cut_ledger(found):
    """Take the last entry out everywhere in the database."""
    last = "(SELECT max(seq) FROM consent_entries)"
    in_ledger(
        found,
        f"DELETE FROM consent_records WHERE seq = {last}",
        f"DELETE FROM consent_entries WHERE seq = {last}",
    )


def rolled_back(found):
    """Put back the ledger as it was before the last withdrawal, but not the head file."""
    home = Home(found.path)
    before = (found.path / "ledger.db").read_bytes()
    home.ledger.withdraw(found.names[0], at=NOW + timedelta(hours=1))
    for path in found.path.glob("ledger.db*"):
        path.unlink()
    (found.path / "ledger.db").write_bytes(before)


def smuggled_in(found):
    """Make a version that is whole in itself, with a member who never agreed, and a run that seems to have used it."""
    home = Home(found.path)
    stranger = max({home.pseudonyms.of(f"member-{index:05d}") for index in range(150)} - set(found.version.members))
    row = 0
    where = found.path / "smuggled"
    shutil.copytree(folder(found), where)
    rewrite(where / "members.parquet", "member", stranger, row)
    members = sorted(pq.read_table(where / "members.parquet")["member"].to_pylist())
    pq.write_table(pa.table({"member": members}), where / "members.parquet")
    from recsys.dataset.store import _read_parts  # noqa: PLC0415 - what a forger would do

    content = _read_parts(where).digests()
    manifest = replace(found.version.manifest, content=content)
    (where / "manifest.json").write_bytes(manifest.to_bytes())
    where.rename(found.path / "datasets" / manifest.digest)
    return manifest.digest


def refused_artist(found):
    """Say of a version that artists were asked, though somebody who had opted out before is in it."""
    home = Home(found.path)
    head = home.artists.opt_out(found.version.artists.names[5], by="their label", at=NOW - timedelta(days=9))
    told = home.artists.preferences(at=NOW, policy=home.collective.artist_policy)
    assert told.head.count == head.count
    manifest = replace(found.version.manifest, artists=told.as_facts())
    where = found.path / "datasets" / manifest.digest
    shutil.copytree(folder(found), where)
    (where / "manifest.json").write_bytes(manifest.to_bytes())
    return manifest.digest


TAMPERINGS = {
    "model: a bit of a factor": ("model files", lambda f: flip(model(f, "model.safetensors"), -3)),
    "model: cut": (
        "model files",
        lambda f: model(f, "model.safetensors").write_bytes(model(f, "model.safetensors").read_bytes()[:-4]),
    ),
    "model: gone": ("model files", lambda f: model(f, "model.safetensors").unlink()),
    "model: all gone": ("model", lambda f: shutil.rmtree(model(f, "MLmodel").parent)),
    "a member who withdrew": ("nobody has left", lambda f: Home(f.path).ledger.withdraw(f.names[0], at=NOW)),
    "model: a file more": ("model files", lambda f: model(f, "artists.json").with_name("more.json").write_bytes(b"{}")),
    "model and its tags": ("statement and model", model_with_tags),
    "artists.json: two names exchanged": ("artists", lambda f: exchange(model(f, "artists.json"))),
    "statement: edited": ("signed statement", lambda f: flip(document(f), 200)),
    "statement: gone": ("signed statement", lambda f: document(f).unlink()),
    "statement: signed by somebody else": ("signed statement", sign_again),
    "statement: of another type": (
        "signed statement",
        lambda f: document(f).write_bytes(sign("text/plain", b"{}", Home(f.path).operator).to_json()),
    ),
    "tag: the model's hash": ("model files", lambda f: tag(f, "recsys.sha256.model.safetensors", "0" * 64)),
    "tag: the artists' hash": ("model files", lambda f: tag(f, "recsys.sha256.artists.json", "0" * 64)),
    "tag: the factors": ("factors", lambda f: tag(f, "recsys.factors_sha256", "0" * 64)),
    "tag: the version": ("statement and run", another_version),
    "run: the version of its input": (
        "statement and run",
        lambda f: in_runs(f, "UPDATE input_tags SET value = ? WHERE name = 'sha256'", "0" * 64),
    ),
    "run: a parameter": (
        "statement and run",
        lambda f: in_runs(f, "UPDATE params SET value = '9' WHERE key = 'als.factors' AND run_uuid = ?", f.run),
    ),
    "manifest: white space": ("manifest", lambda f: append(folder(f) / "manifest.json")),
    "manifest: the purpose": ("manifest", lambda f: edit_manifest(f, purpose="research")),
    "manifest: the provenance": ("manifest", lambda f: edit_manifest(f, provenance="public-benchmark", ledger=None)),
    "manifest: the ledger's head": ("manifest", lambda f: edit_manifest(f, ledger={"count": 3, "hash": "0" * 64})),
    "manifest: a rule": ("manifest", lambda f: edit_manifest(f, rules={"min_listeners": 1})),
    "manifest: gone": ("manifest", lambda f: (folder(f) / "manifest.json").unlink()),
    "version: under another name": ("manifest", lambda f: folder(f).rename(f.path / "datasets" / ("0" * 64))),
    "members: one replaced": ("parts", lambda f: rewrite(folder(f) / "members.parquet", "member", "0" * 64)),
    "members: one gone": ("parts", lambda f: drop_row(folder(f) / "members.parquet")),
    "artists: one renamed": ("parts", lambda f: rewrite(folder(f) / "artists.parquet", "artist", "!")),
    "pairs: a play more": ("parts", lambda f: rewrite(folder(f) / "pairs.parquet", "plays", 10**6)),
    "pairs: milliseconds": ("parts", lambda f: rewrite(folder(f) / "pairs.parquet", "ms", 1)),
    "pairs: another artist": ("parts", lambda f: rewrite(folder(f) / "pairs.parquet", "artist", 0, row=1)),
    "pairs: a row gone": ("parts", lambda f: drop_row(folder(f) / "pairs.parquet")),
    "pairs: gone": ("parts", lambda f: (folder(f) / "pairs.parquet").unlink()),
    "pairs: declared erased": (
        "parts",
        lambda f: (folder(f) / "erased.json").write_bytes(canonical_json({"members": [f.version.members[0]]})),
    ),
    "spellings: one replaced": ("parts", lambda f: rewrite(folder(f) / "spellings.parquet", "spelling", "!")),
    "contributions: one replaced": (
        "parts",
        lambda f: rewrite(folder(f) / "contributions.parquet", "contribution", "!"),
    ),
    "ledger: an entry's purpose": (
        "ledger",
        lambda f: in_ledger(f, "UPDATE consent_entries SET purpose = 'research' WHERE seq = 7"),
    ),
    "ledger: an entry's end": (
        "ledger",
        lambda f: in_ledger(f, "UPDATE consent_entries SET until = '2099-01-01T00:00:00.000000Z' WHERE seq = 7"),
    ),
    "ledger: an entry's member": (
        "ledger",
        lambda f: in_ledger(
            f, "UPDATE consent_entries SET member = (SELECT member FROM consent_entries WHERE seq = 10) WHERE seq = 7"
        ),
    ),
    "ledger: an entry gone": ("ledger", lambda f: in_ledger(f, "DELETE FROM consent_entries WHERE seq = 7")),
    "ledger: its end cut off": ("ledger", cut_ledger),
    "ledger: an older copy": ("ledger", rolled_back),
    "ledger: a record replaced": (
        "ledger",
        lambda f: in_ledger(
            f,
            "UPDATE consent_records SET envelope = (SELECT envelope FROM consent_records WHERE seq = 8) WHERE seq = 7",
        ),
    ),
    "ledger: a record gone": ("ledger", lambda f: in_ledger(f, "DELETE FROM consent_records WHERE seq = 7")),
    "ledger: the signed head edited": (
        "ledger",
        lambda f: in_ledger(f, "UPDATE consent_heads SET envelope = replace(envelope, 'sig', 'gis')"),
    ),
    "ledger: the head gone": ("ledger", lambda f: in_ledger(f, "DELETE FROM consent_heads")),
    "ledger: a hash of the tree": (
        "ledger",
        lambda f: in_ledger(f, "UPDATE consent_nodes SET hash = zeroblob(32) WHERE id = 3"),
    ),
    "ledger: the map of last entries": (
        "ledger",
        lambda f: in_ledger(f, "UPDATE consent_latest SET seq = 0 WHERE seq = (SELECT max(seq) FROM consent_latest)"),
    ),
    "ledger: the head file edited": ("ledger", lambda f: flip(f.path / "ledger.head", 10)),
    "ledger: the head file gone": ("ledger", lambda f: (f.path / "ledger.head").unlink()),
    "ledger: a bit of the file": ("ledger", flip_record),
    "ledger: another one": ("ledger of the version", another_ledger),
    "keys: the collective's exchanged": ("signed statement", swap_operator_key),
    "keys: the pseudonyms' exchanged": ("ledger", lambda f: flip(f.path / "keys" / "member.key", 0)),
    "registry: a declaration": (
        "artists who opted out",
        lambda f: in_ledger(f, "UPDATE artists_entries SET statement = 'x-recsys-ranking=y'", database="artists.db"),
    ),
    "registry: gone": ("artists who opted out", lambda f: [path.unlink() for path in f.path.glob("artists.db*")]),
    "version: a member who never agreed": ("consents", smuggled_in),
    "version: an artist who had opted out": ("artists who opted out", refused_artist),
    "card: croissant.json": ("cards", lambda f: append(folder(f) / "croissant.json")),
}


def exchange(path):
    told = json.loads(path.read_bytes())
    told["artists"][:2] = reversed(told["artists"][:2])
    path.write_bytes(canonical_json(told))


@pytest.mark.parametrize("tampering", TAMPERINGS)
def test_every_tampering_is_found(collective, tampering):
    check, tamper = TAMPERINGS[tampering]
    made = tamper(collective)
    verdict = audit(Home(collective.path), made if isinstance(made, str) else collective.run)
    assert check in verdict.failed, "\n".join(verdict.words())
    assert not verdict.sound
