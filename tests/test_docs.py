"""Documentation is run: every command that the README shows, every block of Python, every notebook."""

import json
import re
import shlex
import shutil
import zipfile
from pathlib import Path

import nbformat
import pytest
from answers import answer
from nbclient import NotebookClient

from recsys.cli import app
from recsys.cli.exits import explained
from recsys.synthetic import make_collective, make_histories
from recsys.tracking import Tracker

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^\$ (recsys .+)$", README, re.MULTILINE)
PYTHON = re.findall(r"^```python[^\n]*\n(.+?)^```$", README, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def collective(tmp_path_factory):
    """A folder as an operator has it: exports, decisions, configurations, and state in which the demo was played."""
    folder = tmp_path_factory.mktemp("collective")
    assert explained(app, ["demo", "--members", "200", "--home", str(folder / ".recsys")]) == 0
    make_collective(folder / "world", members=20, seed=3, workers=1)
    shutil.copytree(folder / "world" / "exports", folder / "exports")
    shutil.copy(folder / "world" / "consents.jsonl", folder / "decisions.jsonl")
    shutil.copy(folder / "exports" / "member-00001.zip", folder / "my_spotify_data.zip")
    shutil.copytree(ROOT / "configs", folder / "configs")
    lines = [f"listener {u},Artist {i},{1 + (u * i) % 7}" for u in range(60) for i in range(20) if (u + i) % 3]
    for name in ("interactions.csv", "plays.csv"):
        (folder / name).write_text("\n".join(["user,artist,plays", *lines]), encoding="utf-8")
    make_histories(folder / "mine.csv")
    answer(folder / "input" / "query_results.db")
    return folder


def test_the_readme_opens_with_what_it_is_and_two_commands():
    blocks = re.findall(r"^```bash (\S+)$", README, re.MULTILINE)
    assert blocks == ["install-and-demo", "install-and-test"]
    opening = README.split("```bash")[0].splitlines()
    assert opening[0] == "# recsys"
    assert len([line for line in opening if line]) <= 7


def test_every_block_of_python_runs(collective, monkeypatch):
    monkeypatch.chdir(collective)
    names = {}
    for block in PYTHON:
        exec(compile(block, "README.md", "exec"), names)
    assert names["scores"]["ndcg_at_100"].mean > 0.1


@pytest.mark.parametrize("command", [one for one in COMMANDS if "lastfm2k" not in one])
def test_every_command_runs(collective, command, monkeypatch, capsys):
    monkeypatch.chdir(collective)
    for name, value in {"INPUT_PATH": "input", "OUTPUT_PATH": "output", "DEV_MODE": "1"}.items():
        monkeypatch.setenv(name, value)
    if "sample pack" in command:  # on 200 people no attack can be shown to fail
        terms = collective / "terms.toml"
        terms.write_text(re.sub(r"^(max_\w+) = \S+", r"\1 = 1.0", terms.read_text(), flags=re.MULTILINE))
    code = explained(app, suited(command, collective))
    assert code == 0, capsys.readouterr().err


def suited(command, folder):
    """Give a command's arguments as they suit a small collective, whose made-up people listen to made-up artists."""
    arguments = shlex.split(command.replace("--members 10000", "--members 200"))[1:]
    if "--artists" in arguments:
        known = artists_of_sample(folder) if "sample" in arguments else known_artists(folder / ".recsys")
        told = [known[2] if word == "Radiohead" else word for word in arguments[: arguments.index("--artists") + 1]]
        arguments = [*told, *known[:2]]
    return arguments


def known_artists(home):
    return Tracker(home).find().model().artists.names[:3]


def artists_of_sample(folder):
    with zipfile.ZipFile(folder / "sample.recsys") as bundle:
        return json.loads(bundle.read("artists.json"))["artists"][:3]


def test_the_benchmark_of_the_readme_runs(collective, shared_data, monkeypatch, capsys):
    assert (shared_data / "hetrec_lastfm2k").is_dir()
    config = collective / "configs" / "lastfm2k.toml"
    config.write_text(config.read_text().replace("../../shared/data", str(shared_data)))
    monkeypatch.chdir(collective)
    assert explained(app, ["train", "configs/lastfm2k.toml"]) == 0
    assert "recall@50" in capsys.readouterr().out


def test_every_command_of_the_program_is_in_the_readme():
    shown = {command.split()[1] for command in COMMANDS} | {"demo"}
    assert {name for name in app if not name.startswith("-")} <= shown | {"bench"}


@pytest.mark.parametrize("path", sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda path: path.name)
def test_every_notebook_runs_and_shows_its_pictures(path):
    notebook = nbformat.read(path, as_version=4)
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert any("image/png" in output.get("data", {}) for output in outputs)
    assert "Traceback" not in str(outputs)
    NotebookClient(notebook, timeout=300, kernel_name="python3").execute()


def test_the_changelog_lies_beside_the_package():
    assert "## Unreleased" in (ROOT / "recsys" / "CHANGELOG.md").read_text(encoding="utf-8")


def test_links_lead_somewhere():
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", README):
        assert (ROOT / target).exists(), target
