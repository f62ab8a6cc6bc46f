"""The commands as a person types them, in one process for speed; the stories in end_to_end use real processes."""

import json

import pytest
from people import admitted

from recsys.cli import app
from recsys.cli.exits import explained
from recsys.dataset import build
from recsys.home import Home
from recsys.synthetic import make_collective
from recsys.tracking import Tracker

SONG = [("Óró", 60_000), ("Nocturne", 40_000)]


@pytest.fixture
def recsys(tmp_path, capsys):
    def call(*arguments, code=0):
        found = explained(app, [*arguments, "--home", str(tmp_path / "home")])
        captured = capsys.readouterr()
        assert found == code, captured.err + captured.out
        return captured.err if code else captured.out

    call.home = tmp_path / "home"
    return call


@pytest.fixture
def version(recsys):
    version = build(admitted(recsys.home, dict.fromkeys(("ada", "bob", "cyd"), SONG)), min_listeners=2)
    Home(recsys.home).datasets.save(version)
    return version


def told(text):
    return json.loads(text)


def test_help_creates_nothing(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for arguments in (["--help"], ["dataset", "--help"], ["train", "--help"], ["consent", "grant", "--help"]):
        assert explained(app, arguments) == 0
        assert "Usage" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", [name for name in app if not name.startswith("-")])
def test_every_command_has_help(name, capsys):
    assert explained(app, [name, "--help"]) == 0
    assert len(capsys.readouterr().out) > 200


def test_a_typing_error_says_what_was_meant(recsys):
    assert 'Did you mean "demo"' in recsys("dmo", code=2)


def test_consent_is_granted_shown_and_withdrawn(recsys):
    at = ("--at", "2026-01-01T00:00:00Z")
    granted = told(recsys("consent", "grant", "Zoë Quill", *at, "--until", "2027-01-01", "--json"))
    assert granted["until"] == "2027-01-01T00:00:00.000000Z"
    shown = told(recsys("consent", "show", "Zoë Quill", "--at", "2026-06-01T02:00:00+02:00", "--json"))
    assert shown["standings"]["train-recommender"] == "given"
    assert shown["standings"]["research"] == "never given"
    assert "no longer agrees to any purpose" in recsys("consent", "withdraw", "Zoë Quill", "--at", "2026-06-02")
    everybody = told(recsys("consent", "show", "--at", "2026-06-03", "--json"))
    assert everybody["purposes"]["train-recommender"] == {"given": 0, "expired": 0, "withdrawn": 1}
    assert everybody["entries"] == 3


def test_many_decisions_are_recorded_at_once_and_once(recsys, tmp_path):
    lines = [
        {"member": f"m{i}", "kind": "grant", "purpose": "research", "at": "2026-01-01T00:00:00Z",
         "until": "2027-01-01T00:00:00Z"}
        for i in range(5)
    ]  # fmt: skip
    path = tmp_path / "decisions.jsonl"
    path.write_text("\n".join(json.dumps(line) for line in lines))
    assert told(recsys("consent", "import", str(path), "--json"))["recorded"] == 5
    assert told(recsys("consent", "import", str(path), "--json"))["recorded"] == 0


@pytest.mark.parametrize(
    "line",
    [
        "nonsense",
        "[]",
        "{}",
        '{"member": "m", "kind": "maybe", "purpose": "research", "at": "2026-01-01T00:00:00Z"}',
        '{"member": "m", "kind": "grant", "purpose": "research", "at": "2026-01-01T00:00:00"}',
        '{"member": "m", "kind": "grant", "purpose": "research", "at": "2026-01-01T00:00:00Z"}',
        '{"member": "m", "kind": "grant", "purpose": "else", "at": "2026-01-01T00:00Z", "until": "2027-01-01T00:00Z"}',
    ],
)
def test_a_line_that_is_no_decision_is_named_and_nothing_is_recorded(recsys, tmp_path, line):
    good = '{"member": "m", "kind": "withdraw", "purpose": null, "at": "2026-01-01T00:00:00Z"}\n'
    path = tmp_path / "decisions.jsonl"
    path.write_text(good + line)
    assert "line 2" in recsys("consent", "import", str(path), code=2)
    assert told(recsys("consent", "show", "--json"))["entries"] == 0


def test_a_broken_ledger_is_refused_with_its_own_exit_code(recsys):
    recsys("consent", "grant", "ada")
    (recsys.home / "ledger.head").unlink()
    assert "ledger.head is missing" in recsys("consent", "show", code=4)


def test_a_purpose_that_is_none_is_a_usage_error(recsys):
    assert "is no purpose" in recsys("consent", "grant", "ada", "world-peace", code=2)


def test_versions_are_listed_shown_and_verified(recsys, version):
    assert "no versions yet" in explain_empty(recsys)
    (listed,) = told(recsys("dataset", "list", "--json"))
    assert (listed["digest"], listed["latest"]) == (version.digest, True)
    assert told(recsys("dataset", "show", version.digest[:10], "--json"))["counts"]["members"] == 3
    assert "are as they were built" in recsys("dataset", "verify", version.digest)
    assert version.digest[:12] in recsys("dataset", "list")


def explain_empty(recsys):
    import contextlib  # noqa: PLC0415
    import io  # noqa: PLC0415

    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        assert explained(app, ["dataset", "list", "--home", str(recsys.home / "none")]) == 0
    return out.getvalue()


def test_a_changed_version_fails_verification(recsys, version):
    folder = Home(recsys.home).datasets.path(version.digest)
    (folder / "pairs.parquet").unlink()
    assert "cannot be read" in recsys("dataset", "verify", version.digest, code=5)
    assert "no dataset version" in recsys("dataset", "show", "abcdef", code=5)


def test_a_version_of_another_ledger_fails_verification(recsys, version):
    for path in recsys.home.glob("ledger.*"):
        path.unlink()
    recsys("consent", "grant", "dan")
    assert "it is another one, or its history was rewritten" in recsys("dataset", "verify", version.digest, code=4)


def test_the_river_by_hand(recsys, tmp_path):
    """The operator's story: ingest, consent, build, a withdrawal, build again, diff."""
    make_collective(tmp_path / "world", members=60, seed=4, workers=1)
    assert "exports read" in recsys("ingest", str(tmp_path / "world" / "exports"))
    again = told(recsys("ingest", str(tmp_path / "world" / "exports"), "--json"))
    assert (again["exports"]["read"], again["exports"]["broken"]) == (0, 1)
    assert "none of 59 members agrees" in recsys("dataset", "build", code=4)
    recsys("consent", "import", str(tmp_path / "world" / "consents.jsonl"))
    asked = ("--at", "2026-01-15T12:00:00Z", "--min-listeners", "2")
    first = told(recsys("dataset", "build", *asked, "--json"))["digest"]
    assert "nothing changed" in recsys("dataset", "build", *asked)
    given = told(recsys("consent", "show", "member-00001", "--at", "2026-01-15T12:00Z", "--json"))["standings"]
    member = "member-00001" if given["train-recommender"] == "given" else "member-00002"
    recsys("consent", "withdraw", member, "--at", "2026-01-15T11:00:00Z")
    second = told(recsys("dataset", "build", *asked, "--json"))
    assert second["parent"] == first
    changed = told(recsys("dataset", "diff", first, second["digest"], "--json"))
    assert changed["change"]["members_left"] == 1
    assert changed["because"]["members_left"] == {"withdrew": 1}
    assert "members: 1 left (1 withdrew)" in recsys("dataset", "diff", first[:12], second["digest"][:12])


def test_an_export_that_is_not_there_has_its_own_exit_code(recsys):
    assert "no such file" in recsys("ingest", "/nowhere/at/all", code=3)


def test_a_folder_of_broken_exports_alone_is_a_failure(recsys, tmp_path):
    (tmp_path / "exports").mkdir()
    (tmp_path / "exports" / "ada.zip").write_bytes(b"not a zip")
    assert recsys("ingest", str(tmp_path / "exports"), code=3) == ""


def test_a_home_that_is_a_file_is_refused(tmp_path, capsys):
    (tmp_path / "file").touch()
    for command in (["dataset", "list"], ["demo"], ["ingest", str(tmp_path)]):
        assert explained(app, [*command, "--home", str(tmp_path / "file")]) == 2
        assert "is a file; name a folder" in capsys.readouterr().err


@pytest.mark.parametrize("wrong", [("--members", "0"), ("--members", "-5"), ("--seed", "-1")])
def test_a_demo_of_nobody_is_refused_and_leaves_nothing(recsys, wrong):
    assert "50 members or more" in recsys("demo", *wrong, code=2)
    assert not recsys.home.exists()


def test_asking_for_a_run_creates_no_store(recsys):
    recsys("recommend", "--artists", "Björk", code=7)
    assert not (recsys.home / "mlflow.db").exists()


def test_training_without_a_version_says_what_to_do(recsys):
    assert "recsys dataset build" in recsys("train", code=5)


def test_evaluating_without_a_run_says_what_to_do(recsys):
    assert "recsys train" in recsys("evaluate", code=7)


def test_train_evaluate_recommend(recsys, tmp_path):
    """The researcher's story on the collective's own version."""
    plays = {f"m{i}": [(f"Artist {(i % 2) * 20 + j}", 60_000) for j in range(i % 7, i % 7 + 12)] for i in range(60)}
    Home(recsys.home).datasets.save(build(admitted(recsys.home, plays)))
    config = tmp_path / "c.toml"
    config.write_text("factors = 4\niterations = 6\nalpha = 5.0\n")
    trained = told(recsys("train", str(config), "--held-out", "0.2", "--json"))
    tested = told(recsys("evaluate", trained["run_id"], "--json"))
    assert tested["als"] == trained["als"]
    assert tested["dataset_version"] == trained["dataset_version"]
    answer = told(recsys("recommend", "--artists", "artist 3", "Artist 4", "Artist 99", "-n", "3", "--json"))
    assert len(answer["recommendations"]) == 3
    assert {int(one["artist"].split()[1]) for one in answer["recommendations"]} <= set(range(20))
    assert answer["unknown"]["Artist 99"]
    assert "knows none" in recsys("recommend", "--artists", "Nobody", code=2)
    page = tmp_path / "pages" / "report.html"
    assert "recall@20" in recsys("evaluate", "--report", str(page))
    finished = Tracker(recsys.home).find(trained["run_id"])
    assert finished.document("report.html") == page.read_bytes()
    for picture in ("loss", "metrics", "segments", "exposure"):
        assert finished.document(f"{picture}.png").startswith(b"\x89PNG")
    parts = told(recsys("explain", "artist 3", "--artists", "Artist 4", "Artist 5", "--json"))["parts"]
    assert {one["artist"] for one in parts} == {"Artist 4", "Artist 5"}
    assert "does not know Nobody" in recsys("explain", "Nobody", "--artists", "Artist 4", code=2)
