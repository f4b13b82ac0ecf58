"""The real sets, when they are there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of real sets (CUPOLA_TEST_DATA, or ../shared/data beside the checkout); skips without it."""
    root = Path(os.environ.get("CUPOLA_TEST_DATA", Path(__file__).parents[3] / "shared" / "data"))
    if not (root / "quality").is_dir():
        pytest.skip(f"no real sets in {root}")
    return root / "quality"
