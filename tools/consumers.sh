#!/usr/bin/env bash
# A venv in .make/consumers with the programs that exports are for, as they are locked; the tests run them in there.
# Where no registry answers, the tests of them are skipped and say so; where CI is set, that is a failure.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${1:-python3.11} lock=tests/consumers/requirements.lock venv=.make/consumers
[ -x "$venv/bin/python" ] && cmp -s "$lock" "$venv/installed" && exit 0
uv=$(cat .make/uv-path)
echo "Installing the programs that exports are for"
rm -rf "$venv"
if "$uv" venv --quiet --python "$python" "$venv" \
  && "$uv" pip install --quiet --require-hashes --python "$venv/bin/python" -r "$lock"; then
  cp "$lock" "$venv/installed"
  exit 0
fi
rm -rf "$venv"
echo "The programs that exports are for could not be installed: tests/consumers will be skipped." >&2
[ -z "${CI:-}" ]
