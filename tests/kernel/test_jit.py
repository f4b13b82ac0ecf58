"""Compiled functions are kept on disk, and made anew when any source that went into them has changed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

CALLED = """
from cupola.kernel.jit import kernel

@kernel
def called(x: int) -> int:
    return x + {added}
"""
CALLER = """
from called_kernels import called
from cupola.kernel.jit import kernel

@kernel
def caller(x: int) -> int:
    return called(x) * 10

print(caller(1))
"""


def _answer(folder: Path) -> str:
    environment = {**os.environ, "PYTHONPATH": f"{folder}", "PYTHONDONTWRITEBYTECODE": "1"}
    program = [sys.executable, "-c", "import caller_kernels"]
    done = subprocess.run(program, cwd=folder, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_a_kernel_is_compiled_anew_when_a_kernel_of_another_file_that_it_calls_has_changed(tmp_path: Path) -> None:
    (tmp_path / "called_kernels.py").write_text(CALLED.format(added=1))
    (tmp_path / "caller_kernels.py").write_text(CALLER)
    assert _answer(tmp_path) == "20"
    assert list((tmp_path / "__pycache__").glob("caller_kernels.caller*.nbi")), "nothing was kept"
    (tmp_path / "called_kernels.py").write_text(CALLED.format(added=1000))
    assert _answer(tmp_path) == "10010"
