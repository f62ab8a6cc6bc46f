"""The house as it is meant to be, checked by machine."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import recsys

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "recsys"
HEAVY = ("mlflow", "flwr", "pyspark", "fastapi", "sklearn", "scipy", "numpy", "pyarrow", "sqlalchemy", "matplotlib")
LONGEST = 310
LONGEST_KERNEL = 400


def python(script, *arguments):
    return subprocess.run(
        [sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=False, timeout=120
    )


def test_the_river_flows_down_only():
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_only_tracking_imports_mlflow():
    users = [
        path.relative_to(PACKAGE)
        for path in PACKAGE.rglob("*.py")
        if re.search(r"^\s*(import|from) mlflow", path.read_text(encoding="utf-8"), re.MULTILINE)
    ]
    assert {path.parts[0] for path in users} == {"tracking"}


@pytest.mark.parametrize("module", ["recsys", "recsys.cli"])
def test_importing_loads_nothing_heavy_and_writes_nothing(module, tmp_path):
    script = f"import sys, {module}; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.stdout.strip() == "[]", done.stdout + done.stderr
    assert list(tmp_path.iterdir()) == []


def test_als_knows_no_people():
    done = python("import sys, recsys.als; print([n for n in sys.modules if n.startswith('recsys.')])")
    for room in ("listens", "consent", "dataset", "evaluation", "tracking"):
        assert f"recsys.{room}" not in done.stdout


def test_the_public_names_are_these():
    assert sorted(recsys.__all__) == [
        "ALS",
        "ALSModel",
        "ConsentedListens",
        "DatasetVersion",
        "Ledger",
        "Listens",
        "NDCG",
        "Recall",
        "admit",
        "build",
        "evaluate",
        "read_export",
        "strong_generalization",
    ]
    for name in recsys.__all__:
        assert getattr(recsys, name).__doc__, name
    with pytest.raises(AttributeError, match="nothing_of_that_name"):
        recsys.nothing_of_that_name  # noqa: B018


def test_every_error_is_drawn_in_the_tree():
    from recsys import errors  # noqa: PLC0415

    classes = [name for name in vars(errors) if name.endswith("Error")]
    assert len(classes) > 10
    for name in classes:
        assert name in errors.__doc__, name
        assert issubclass(getattr(errors, name), errors.RecsysError)
        assert getattr(errors, name).__doc__, name


@pytest.mark.parametrize("path", [*PACKAGE.rglob("*.py"), *PACKAGE.rglob("*.cpp"), *PACKAGE.rglob("*.h")], ids=str)
def test_files_stay_short(path):
    longest = LONGEST if path.suffix == ".py" else LONGEST_KERNEL
    assert len(path.read_text(encoding="utf-8").splitlines()) <= longest


def test_exact_versions_are_pinned_for_everything_that_is_asked_for():
    pinned = dict(
        line.split("==") for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")
    )
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = [*project["dependencies"], *(one for extra in project["optional-dependencies"].values() for one in extra)]
    names = {name.lower().replace("_", "-") for name in pinned}
    for requirement in asked:
        name = re.split(r"[<>=!\[; ]", requirement)[0].lower()
        assert name in names or name == "recsys", requirement
    assert not [line for line in (ROOT / "constraints.txt").read_text().splitlines() if "://" in line]
