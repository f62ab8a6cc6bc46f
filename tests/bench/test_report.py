import json
from xml.etree import ElementTree as ET

import pytest
from rich.console import Console

from recsys.bench.plot import Curve
from recsys.bench.report import Column, Report

REPORT = Report(
    "A title",
    {"cpu": "a [fast] one", "threads": 2},
    (Column("who", "contestant"), Column("seconds", "per sweep", lambda s: f"{s:.1f} s")),
    [{"who": "us", "seconds": 0.25, "more": [1]}, {"who": "them", "seconds": None, "more": []}],
    ["A note."],
    [
        Curve("us", 8, [1, 2], [0.5, 1.0], [30.0, 20.0]),
        Curve("them", 8, [2], [9.0], [25.0]),
        Curve("us", 16, [1], [1.0], [10.0]),
    ],
)


def test_markdown_is_a_table_with_its_notes():
    lines = REPORT.to_markdown().splitlines()
    assert lines[0] == "## A title"
    assert lines[2:6] == ["| contestant | per sweep |", "| ---: | ---: |", "| us | 0.2 s |", "| them | - |"]
    assert "- A note." in lines
    assert "cpu a [fast] one, threads 2" in lines


def test_json_holds_everything():
    content = json.loads(REPORT.to_json())
    assert content["table"] == REPORT.table
    assert content["about"]["threads"] == 2
    assert content["curves"][0] == {
        "contestant": "us", "factors": 8, "sweeps": [1, 2], "seconds": [0.5, 1.0], "losses": [30.0, 20.0],
    }  # fmt: skip


def test_it_prints():
    console = Console(width=80, record=True, file=None, quiet=False)
    with console.capture() as captured:
        REPORT.print(console)
    assert "0.2 s" in captured.get()
    assert "a [fast] one" in captured.get()


def test_it_is_saved_as_three_files(tmp_path):
    files = REPORT.save(tmp_path / "new", "als-S")
    assert [file.name for file in files] == ["als-S.json", "als-S.md", "als-S.svg"]
    assert json.loads(files[0].read_text())["title"] == "A title"
    assert ET.parse(files[2]).getroot().tag.endswith("svg")


def test_a_plot_can_be_a_png(tmp_path):
    REPORT.plot(tmp_path / "loss.png")
    assert (tmp_path / "loss.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("curves", [[]])
def test_without_curves_there_is_no_plot(tmp_path, curves):
    plain = Report("t", {}, REPORT.columns, REPORT.table, curves=curves)
    assert [file.suffix for file in plain.save(tmp_path, "topk")] == [".json", ".md"]
