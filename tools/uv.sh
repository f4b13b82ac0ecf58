#!/usr/bin/env bash
# Find uv, or install the locked one through pip into .make/uv; write the path of it to .make/uv-path.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${1:-python3.11}
mkdir -p .make
command -v "$python" >/dev/null || {
  echo "There is no $python. Install Python 3.11 (Debian: apt-get install python3.11), or: make PYTHON=/path/to/python3.11" >&2
  exit 1
}
if found=$(command -v uv) && "$found" --version >/dev/null 2>&1; then
  echo "$found" > .make/uv-path
  exit 0
fi
if [ ! -x .make/uv/bin/uv ]; then
  echo "Installing uv"
  "$python" -m pip --version >/dev/null 2>&1 || {
    echo "$python has no pip. Install it (Debian: apt-get install python3-pip), then try again." >&2
    exit 1
  }
  # --target: works under a system Python that is managed by the distribution, and touches nothing of it
  "$python" -m pip install --quiet --require-hashes --only-binary :all: --target .make/uv -r requirements-uv.lock
fi
echo "$PWD/.make/uv/bin/uv" > .make/uv-path
