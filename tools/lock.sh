#!/usr/bin/env bash
# Resolve the Python dependencies anew, for every platform, with hashes, naming no index.
set -euo pipefail
cd "$(dirname "$0")/.."
uv=$(cat .make/uv-path)
compile() {
  "$uv" pip compile --quiet --no-config --universal --generate-hashes --python-version 3.11 --no-emit-index-url \
    --custom-compile-command "make lock" "$@"
}
compile pyproject.toml -o requirements.lock
compile pyproject.toml tools/build.in --extra dev --extra demo --extra telemetry --extra refinery --extra learning --extra vision -o requirements-dev.lock
compile tools/uv.in -o requirements-uv.lock
compile tests/consumers/requirements.in -o tests/consumers/requirements.lock
