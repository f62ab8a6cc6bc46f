"""The example in the docstring of the sources is a source: it is run, not believed."""

from __future__ import annotations

import textwrap

import pytest
from listens.made import column

from recsys.errors import UnreadableExportError
from recsys.listens import read_export, sources
from recsys.listens.sources import SOURCES, FileSource

LOG = """#AUDIOSCROBBLER/1.1
#TZ/UTC
#CLIENT/Rockbox h3xx 1.1
Ünder Glaß\tAn Album\tSlow Tide\t3\t200\tL\t1709278412\t
Kōji Ferro\t\tFerrous\t1\t200\tS\t1709278652\t
<Untagged>\t\tFerrous\t1\t200\tL\t1709278892\t
"""


@pytest.fixture
def rockbox(monkeypatch):
    example = sources.__doc__.split("::\n", 1)[1].split("What the parts are for")[0]
    names = {}
    exec(textwrap.dedent(example), names)
    assert 30 < len(example.splitlines()) <= 50
    monkeypatch.setattr(sources, "SOURCES", (*SOURCES, names["Rockbox"]()))
    return names["Rockbox"]()


def test_the_documented_example_reads_a_log(rockbox, tmp_path):
    (tmp_path / "anna.log").write_text(LOG, encoding="utf-8")
    listens = read_export(tmp_path / "anna.log")
    assert (column(listens, "artist"), column(listens, "route")) == (["Ünder Glaß"], ["service-export"])
    assert listens.report.left_out == {"no-plays": 1, "unknown-artist": 1}
    asks_for: FileSource = rockbox
    assert "Rockbox" in asks_for.exports


@pytest.mark.usefixtures("rockbox")
def test_the_documented_example_refuses_what_is_cut(tmp_path):
    (tmp_path / "anna.log").write_text(LOG + "A\tB", encoding="utf-8")
    with pytest.raises(UnreadableExportError, match="has not 7 fields"):
        read_export(tmp_path / "anna.log")


def test_without_the_example_nobody_knows_a_log(tmp_path):
    (tmp_path / "anna.log").write_text(LOG, encoding="utf-8")
    with pytest.raises(UnreadableExportError, match="not a listening history of a known service"):
        read_export(tmp_path / "anna.log")
