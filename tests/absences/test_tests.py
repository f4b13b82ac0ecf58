"""What the suite itself may not be: two files of one name outside packages end it before the first test."""

from __future__ import annotations

from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]


def folders_that_are_no_packages(tests: Path) -> list[str]:
    """Folders with Python files but without `__init__.py`.

    pytest imports such files by their bare names, so that the second `test_parts.py` of the suite cannot be collected;
    each half run alone passes.
    """
    folders = {path.parent for path in tests.rglob("*.py")}
    return sorted(folder.relative_to(tests).as_posix() for folder in folders if not (folder / "__init__.py").exists())


def test_every_folder_of_tests_is_a_package() -> None:
    assert folders_that_are_no_packages(TESTS) == []


def test_a_planted_folder_is_found(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "kept", tmp_path / "planted"):
        folder.mkdir(exist_ok=True)
        (folder / "test_parts.py").touch()
    for folder in (tmp_path, tmp_path / "kept"):
        (folder / "__init__.py").touch()

    assert folders_that_are_no_packages(tmp_path) == ["planted"]
