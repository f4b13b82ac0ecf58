"""`python bench/quality`: starts the bench with one thread for every library, so that each figure is of one core.

The limits have to stand in the environment before numpy is loaded, so the bench itself, run.py, is another program.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def main() -> None:
    limits = {name: os.environ.get(name, "1") for name in THREADS}
    program = str(Path(__file__).with_name("run.py"))
    os.execve(sys.executable, [sys.executable, program, *sys.argv[1:]], {**os.environ, **limits})


if __name__ == "__main__":
    main()
