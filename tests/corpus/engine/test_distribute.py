"""Who does the work of a run: what is not installed is told."""

from __future__ import annotations

import importlib
from typing import Any

import pytest

from cupola.corpus.engine import distribute
from cupola.kernel.errors import Problem


def test_without_ray_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.import_module

    def absent(name: str, *more: Any) -> Any:
        if name == "ray":
            raise ImportError(name)
        return real(name, *more)

    monkeypatch.setattr(importlib, "import_module", absent)
    with pytest.raises(Problem, match="Ray is not installed") as told:
        distribute.engine("ray://somewhere:10001", 2)
    assert "cupola[ray]" in told.value.remedy
