#!/usr/bin/env bash
# Fetch the tests of the public Scale client, which are in its source archive alone, into .make; print where they lie.
# The version and the hash are the locked ones.
set -euo pipefail
cd "$(dirname "$0")/.."
locked=$(grep -A3 '^scaleapi==' requirements-dev.lock | grep -v '# via')
version=$(sed -n 's/^scaleapi==\([0-9.]*\).*/\1/p' <<<"$locked")
place=$PWD/.make/scaleapi-$version
if [ ! -d "$place/tests" ]; then
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  printf '%s\n' "${locked% \\}" > "$work/locked"
  "${PYTHON:-python3.11}" -m pip download --quiet --require-hashes --no-deps --no-binary scaleapi -d "$work" -r "$work/locked" >&2
  tar -xzf "$work/scaleapi-$version.tar.gz" -C "$work"
  mkdir -p .make
  rm -rf "$place"
  mv "$work/scaleapi-$version" "$place"
fi
echo "$place"
