"""The wheel: it is built, small, whole, and runs by itself in a fresh environment of its locked packages."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from tools.check_wheel import faults

import cupola
from tests.absences.source import PACKAGE, ROOT

pytestmark = pytest.mark.slow


def uv() -> str | None:
    noted = ROOT / ".make" / "uv-path"
    return noted.read_text().strip() if noted.exists() else shutil.which("uv")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT, check=True, capture_output=True,
    )  # fmt: skip
    return next(folder.glob("*.whl"))


def test_the_wheel_is_small_and_carries_the_schema_and_the_browser_app(wheel: Path) -> None:
    wrong = faults(wheel)
    if not (PACKAGE / "web" / "dist" / "index.html").exists():
        assert wrong == ["the browser app is not in it (make web builds it)"]
        pytest.skip("the browser app is not built")
    assert wrong == []


def test_a_wheel_with_what_does_not_belong_in_it_is_refused(tmp_path: Path) -> None:
    bad = tmp_path / "bad.whl"
    with zipfile.ZipFile(bad, "w") as archive:
        archive.writestr("cupola/web/dist/app.js.map", "{}")
        archive.writestr("large", os.urandom(1024) * 1024 * 31)
    found = " ".join(faults(bad))
    for word in ("more than", "browser app", "schema", "app.js.map"):
        assert word in found


def test_the_wheel_installs_into_a_fresh_environment_from_the_lock_and_says_its_version(
    wheel: Path, tmp_path: Path
) -> None:
    program = uv()
    if program is None:
        pytest.skip("there is no uv")
    home = tmp_path / "venv"
    quiet = {"check": True, "capture_output": True, "text": True}
    subprocess.run([program, "venv", "--python", sys.executable, str(home)], **quiet)
    into = ["--python", str(home / "bin" / "python")]
    lock = ROOT / "requirements.lock"
    subprocess.run([program, "pip", "install", "--require-hashes", *into, "-r", str(lock)], **quiet)
    subprocess.run([program, "pip", "install", "--no-deps", *into, str(wheel)], **quiet)
    subprocess.run([program, "pip", "check", *into], **quiet)
    done = subprocess.run([str(home / "bin" / "cupola"), "--version"], cwd=tmp_path, **quiet)
    assert cupola.__version__ in done.stdout
