"""The public client's own tests, unmodified, against a server of ours. They are in its source archive, not its wheel:

CUPOLA_SCALE_SUITE=$(tools/scale_suite.sh) pytest tests/scale/test_own_suite.py

They take keys of a test world alone; the live world is tried by `test_every_method`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from tests.scale.conftest import World

SUITE = os.environ.get("CUPOLA_SCALE_SUITE", "")
# what a team changes in one place, its address: here before the tests are read
ELSEWHERE = """
import os
import scaleapi
import scaleapi.api

scaleapi.api.SCALE_API_BASE_URL_V1 = os.environ["CUPOLA_URL"] + "/v1"
plain = scaleapi.Configuration.__init__
scaleapi.Configuration.__init__ = lambda self, host=None, **more: plain(self, host or os.environ["CUPOLA_URL"], **more)
"""


@pytest.mark.skipif(not Path(SUITE, "tests").is_dir() or not SUITE, reason="needs CUPOLA_SCALE_SUITE")
def test_the_clients_own_tests_pass(world: World, tmp_path: Path) -> None:
    folder = tmp_path / "tests"
    folder.mkdir()
    for file in Path(SUITE, "tests").glob("*.py"):
        (folder / file.name).write_bytes(file.read_bytes())
    (folder / "conftest.py").write_text(ELSEWHERE)
    Image.new("RGB", (64, 64)).save(folder / "test_image.png")  # the archive leaves it out
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"],
        cwd=tmp_path,
        env={**os.environ, "SCALE_TEST_API_KEY": world.test_key, "CUPOLA_URL": world.served.url},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3_000:]
