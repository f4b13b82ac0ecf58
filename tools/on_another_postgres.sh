#!/usr/bin/env bash
# The core of the tests on a Postgres that is not ours: Debian's, started here and thrown away afterwards.
set -euo pipefail
cd "$(dirname "$0")/.."
find_programs() { ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | head -1; }
programs=$(find_programs)
if [ -z "$programs" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "Installing Debian's Postgres for the tests"
  export DEBIAN_FRONTEND=noninteractive
  { apt-get update -qq && apt-get install -y -qq --no-install-recommends postgresql; } >/dev/null 2>&1 || true
  programs=$(find_programs)
fi
if [ -z "$programs" ]; then
  echo "Debian's Postgres is not installed, which only root can do here: apt-get install postgresql" >&2
  exit 1
fi
place=$(mktemp -d)
chmod 755 "$place"
as() { if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi; }
stop() { as "$programs/pg_ctl" -D "$place/data" -m immediate stop >/dev/null 2>&1 || true; rm -rf "$place"; }
trap stop EXIT
if [ "$(id -u)" = 0 ]; then chown postgres "$place"; fi
cd "$place"
as "$programs/initdb" -D "$place/data" -U postgres -A trust --encoding=UTF8 --locale=C.UTF-8 >/dev/null
as "$programs/pg_ctl" -D "$place/data" -l "$place/log" -w start \
  -o "-k $place -c listen_addresses= -c fsync=off -c max_connections=200" >/dev/null
cd - >/dev/null
"$programs/postgres" --version
export CUPOLA_TEST_POSTGRES="host=$place user=postgres dbname=postgres"
.venv/bin/pytest -p no:cacheprovider "$@"
