"""A terminal in a folder: `cupola …` as a person types it, by processes of its own."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any


class Shell:
    """Commands run in `folder`, on the instance in its `data`, whose server they find by themselves; `environment` may
    be added to between them. url: of that server, for what is no command."""

    def __init__(self, folder: Path, url: str = "") -> None:
        self.url = url
        self.folder = folder
        kept = {name: value for name, value in os.environ.items() if not name.startswith("CUPOLA_")}
        self.environment = {**kept, "CUPOLA_DATA": str(folder / "data")}

    def run(self, line: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", *shlex.split(line)],
            env=self.environment,
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=300,
            stdin=subprocess.DEVNULL,
            check=False,
        )

    def json(self, line: str) -> Any:
        done = self.run(f"{line} --json")
        assert done.returncode == 0, f"{line}: {done.returncode} {done.stderr[-2_000:]}"
        return json.loads(done.stdout)
