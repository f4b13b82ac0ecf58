"""The contracts of .importlinter: they hold, they cover every folder, and they fail when somebody breaks them."""

from __future__ import annotations

import configparser
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.absences.source import PACKAGE, ROOT

NOT_DOMAINS = {"app", "compat", "client", "platform", "labels", "kernel", "schema", "web"}


def domains() -> set[str]:
    return {path.name for path in PACKAGE.iterdir() if path.is_dir() and (path / "__init__.py").exists()} - NOT_DOMAINS


def contracts() -> configparser.ConfigParser:
    parser = configparser.ConfigParser()
    parser.read(ROOT / ".importlinter")
    return parser


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("lint-imports")
    return subprocess.run(
        [str(program), "--no-cache", "--no-logo", "--config", str(ROOT / ".importlinter")],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def a_copy(tmp_path: Path) -> Path:
    shutil.copytree(PACKAGE, tmp_path / "cupola", ignore=shutil.ignore_patterns("__pycache__", "dist"))
    return tmp_path


def test_every_domain_has_its_contract_and_the_layers_name_it() -> None:
    parser = contracts()
    layers = parser["importlinter:contract:layers"]["layers"]
    for domain in domains():
        assert f"importlinter:contract:{domain}" in parser, domain
        assert domain in layers.replace(":", " ").replace("(", " ").replace(")", " ").split(), domain


def test_every_pair_of_domains_is_either_an_arrow_or_forbidden() -> None:
    """No domain is forgotten in another's contract: what is not forbidden is named in the contract's own sentence."""
    parser = contracts()
    for domain in domains():
        section = parser[f"importlinter:contract:{domain}"]
        forbidden = {name.removeprefix("cupola.") for name in section["forbidden_modules"].split()}
        allowed = domains() - forbidden - {domain}
        assert all(name in section["name"] for name in allowed), (domain, allowed)


def test_the_package_keeps_its_layers(a_copy: Path) -> None:
    done = lint(a_copy)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("path", "line", "contract"),
    [
        ("cupola/kernel/planted.py", "import cupola.platform", "never upwards"),
        ("cupola/labels/planted.py", "from cupola import tasks", "never upwards"),
        ("cupola/platform/planted.py", "from cupola.app import cli as x", "never upwards"),
        ("cupola/quality/planted.py", "import cupola.ledger", "quality"),
        ("cupola/ledger/planted.py", "import cupola.quality", "ledger imports"),
        ("cupola/catalog/planted.py", "import cupola.tasks", "catalog imports"),
        ("cupola/planted/__init__.py", "x = 1", "never upwards"),
    ],
)
def test_a_planted_import_breaks_its_contract(a_copy: Path, path: str, line: str, contract: str) -> None:
    (a_copy / path).parent.mkdir(exist_ok=True)
    (a_copy / path).write_text(line + "\n")
    done = lint(a_copy)
    assert done.returncode != 0
    broken = [text for text in done.stdout.splitlines() if text.endswith("BROKEN")] or [done.stdout + done.stderr]
    assert any(contract in text or "planted" in text for text in broken), done.stdout
