"""The programs that exports are for, each in the venv that they share; a test of one is skipped where it is missing."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PYTHON = Path(os.environ.get("CUPOLA_CONSUMERS", ROOT / ".make" / "consumers" / "bin" / "python"))
READING = Path(__file__).parent / "reading"
# Threads of the libraries beneath now and then abort a program while Python takes itself down, after its answer.
RUN = (
    "import os, runpy, sys; sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], run_name='__main__'); "
    "sys.stdout.flush(); sys.stderr.flush(); os._exit(0)"
)


def needed() -> None:
    """Skip the calling test where the programs are not installed; fail where they have to be."""
    if PYTHON.exists():
        return
    if os.environ.get("CUPOLA_CONSUMERS"):
        pytest.fail(f"CUPOLA_CONSUMERS names no Python: {PYTHON}")
    pytest.skip("the programs that exports are for are not installed: make consumers")


def read(program: str, *args: str | Path) -> Any:
    """What a script of `reading/` says of files: the JSON in its last line."""
    needed()
    argv = [str(PYTHON), "-I", "-X", "utf8", "-c", RUN, str(READING / f"with_{program}.py"), *map(str, args)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, f"{program} could not read it:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
    return json.loads(done.stdout.splitlines()[-1])
