"""Refuse a wheel that lacks the browser app, is too large, or carries what does not belong in it."""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

MAX_BYTES = 30 * 1024 * 1024


def faults(wheel: Path) -> list[str]:
    """What is wrong with a wheel, in sentences; empty when it may be published."""
    size = wheel.stat().st_size
    found = [f"it has {size} bytes, more than {MAX_BYTES}"] if size > MAX_BYTES else []
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    if "cupola/web/dist/index.html" not in names:
        found.append("the browser app is not in it (make web builds it)")
    if not any(name.startswith("cupola/schema/") and name.endswith(".sql") for name in names):
        found.append("the schema is not in it")
    found += [f"{name} does not belong in it" for name in names if name.endswith((".map", ".pyc", ".ts", ".tsx"))]
    return found


def main() -> int:
    for path in map(Path, sys.argv[1:]):
        wrong = faults(path)
        if wrong:
            print(f"{path.name}: " + "; ".join(wrong), file=sys.stderr)
            return 1
        print(f"{path.name}: {path.stat().st_size / 1024 / 1024:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
