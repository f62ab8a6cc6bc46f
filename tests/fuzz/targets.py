"""Coverage-guided fuzzing of the readers: ``tests/fuzz/run.sh`` says how.

A finding is any exception but :class:`recsys.errors.UnreadableExportError`, listens that do not hold together, or an
input that takes more than ten seconds. The first byte of an input tells what the rest is: a zip, an entry in a zip, or
a text in place of a value in one of the files of ``seeds``, each of which is a history of another source.
"""

from __future__ import annotations

import atexit
import io
import json
import sys
import tempfile
import time
import zipfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["recsys.listens"]):
    from recsys.errors import UnreadableExportError
    from recsys.listens import SCHEMA, read_export

TELL_EVERY = 10_000
SEEDS = [(path.name, path.read_bytes()) for path in sorted((Path(__file__).resolve().parent / "seeds").iterdir())]
FOLDER = Path(tempfile.mkdtemp(prefix="recsys-fuzz-", dir="/dev/shm" if Path("/dev/shm").is_dir() else None))
AS_ZIP, AS_ENTRY, AS_VALUE = range(3)


class Figures:
    """What a run has come to; written now and then, and after a finding."""

    def __init__(self) -> None:
        self.inputs = self.read = 0
        self.slowest = 0.0
        self.began = time.monotonic()

    def write(self) -> None:
        """Write a line of JSON to standard error."""
        seconds = time.monotonic() - self.began
        figures = {"inputs": self.inputs, "read": self.read, "refused": self.inputs - self.read}
        sys.stderr.write(json.dumps(figures | {"seconds": round(seconds, 1), "slowest": round(self.slowest, 4)}) + "\n")


FIGURES = Figures()


def one_input(data: bytes) -> None:
    """Read one input; return if it was read or refused as it should be."""
    start = time.monotonic()
    FIGURES.inputs += 1
    path = FOLDER / "a.zip"
    path.write_bytes(export(data))
    try:
        hold_together(read_export(path))
        FIGURES.read += 1
    except UnreadableExportError:
        pass
    finally:
        FIGURES.slowest = max(FIGURES.slowest, time.monotonic() - start)
        if FIGURES.inputs % TELL_EVERY == 0:
            FIGURES.write()


def export(data: bytes) -> bytes:
    """Make the zip that an input stands for."""
    number, kind = divmod(data[0] if data else 0, 3)
    name, seed = SEEDS[number % len(SEEDS)]
    rest = data[1:]
    if kind == AS_ZIP:
        return rest
    return packed({name: rest if kind == AS_ENTRY else with_value(seed, rest)})


def with_value(seed: bytes, value: bytes) -> bytes:
    """Put `value` in place of what one line of a seed says after its colon; its first byte tells which line."""
    lines = seed.split(b"\n")
    place = value[0] % len(lines) if value else 0
    head, colon, _ = lines[place].partition(b":")
    lines[place] = head + colon + value[1:]
    return b"\n".join(lines)


def packed(files: dict[str, bytes]) -> bytes:
    """Zip files."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return file.getvalue()


def write_seeds(corpus: Path) -> None:
    """Write the inputs to start from: all seeds in one zip, and each as an entry and with a value to replace."""
    (corpus / "zip").write_bytes(bytes([AS_ZIP]) + packed(dict(SEEDS)))
    for number, (name, seed) in enumerate(SEEDS):
        (corpus / f"{name}.entry").write_bytes(bytes([3 * number + AS_ENTRY]) + seed)
        (corpus / f"{name}.value").write_bytes(bytes([3 * number + AS_VALUE]) + b"\x02 null,")


def hold_together(listens: object) -> None:
    """Check what every reader promises of its listens."""
    table, report = listens.table, listens.report
    assert table.schema == SCHEMA
    table.validate(full=True)
    assert report.rows_used == table.num_rows == report.rows_read - sum(report.left_out.values()), report
    for row in table.to_pylist():
        assert row["artist"].strip() == row["artist"] != ""
        assert row["plays"] >= 1
        assert row["ms_played"] is None or row["ms_played"] >= 0


if __name__ == "__main__":
    if sys.argv[1] == "--seeds":
        write_seeds(Path(sys.argv[2]))
    else:
        atexit.register(FIGURES.write)
        atheris.Setup(sys.argv, one_input)
        atheris.Fuzz()
