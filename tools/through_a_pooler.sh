#!/usr/bin/env bash
# The core of the tests with Debian's pgbouncer between them and their Postgres, working by transaction.
set -euo pipefail
cd "$(dirname "$0")/.."
found() { command -v pgbouncer >/dev/null || [ -x /usr/sbin/pgbouncer ]; }
if ! found && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "Installing Debian's pgbouncer for the tests"
  export DEBIAN_FRONTEND=noninteractive
  { apt-get update -qq && apt-get install -y -qq --no-install-recommends pgbouncer; } >/dev/null 2>&1 || true
fi
found || { echo "pgbouncer is not installed, which only root can do here: apt-get install pgbouncer" >&2; exit 1; }
CUPOLA_TEST_POOLER=1 .venv/bin/pytest -p no:cacheprovider "$@"
