"""The contracts of .importlinter: they hold, they cover every folder, and they fail when somebody breaks them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.absences.source import PACKAGE, ROOT


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("lint-imports")
    return subprocess.run(
        [str(program), "--no-cache", "--no-logo", "--config", str(ROOT / ".importlinter")],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": os.pathsep.join((str(folder), str(ROOT)))},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def a_copy(tmp_path: Path) -> Path:
    shutil.copytree(PACKAGE, tmp_path / "cupola", ignore=shutil.ignore_patterns("__pycache__", "dist"))
    return tmp_path


def test_the_package_keeps_its_layers(a_copy: Path) -> None:
    done = lint(a_copy)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("path", "line", "contract"),
    [
        ("cupola/kernel/planted.py", "import cupola.platform", "never upwards"),
        ("cupola/labels/planted.py", "from cupola import tasks", "never upwards"),
        ("cupola/platform/planted.py", "from cupola.app import cli as x", "never upwards"),
        ("cupola/quality/planted.py", "import cupola.ledger", "quality imports tasks of its layer"),
        ("cupola/ledger/planted.py", "import cupola.quality", "ledger imports workforce of its layer"),
        ("cupola/catalog/planted.py", "import cupola.tasks", "catalog imports formats of its layer"),
        ("cupola/compat/planted.py", "import cupola.client", "compat imports no other of its layer"),
        ("cupola/planted/__init__.py", "x = 1", "cupola.planted is neither a layer nor a domain"),
    ],
)
def test_a_planted_import_breaks_its_contract(a_copy: Path, path: str, line: str, contract: str) -> None:
    (a_copy / path).parent.mkdir(exist_ok=True)
    (a_copy / path).write_text(line + "\n")
    done = lint(a_copy)
    assert done.returncode != 0
    assert contract in " ".join((done.stdout + done.stderr).split()), done.stdout
