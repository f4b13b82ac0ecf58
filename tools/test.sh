#!/usr/bin/env bash
# Run the checks and tests, all of them or those named; show the closing lines of each again at the end.
# Every step runs, whatever became of those before it; the exit code is 1 if any failed.
set -uo pipefail
cd "$(dirname "$0")/.."
export CUPOLA_CHROMIUM PYTHONDONTWRITEBYTECODE=1
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
names=() states=()

wanted() {
  [ "${#only[@]}" = 0 ] && return 0
  local name
  for name in "${only[@]}"; do [ "$name" = "$1" ] && return 0; done
  return 1
}

step() { # NAME COMMAND...
  local name=$1 began=$SECONDS state=passed
  shift
  wanted "$name" || return 0
  printf '\n== %s: %s\n' "$name" "$*"
  "$@" > >(tee "$logs/$name") 2>&1 || state=FAILED
  wait
  names+=("$name")
  states+=("$state in $((SECONDS - began)) s")
}

ruff() { .venv/bin/ruff check . && .venv/bin/ruff format --check .; }
biome() { (cd web && npm run --silent check); }
vitest() { (cd web && NO_COLOR=1 npm run --silent test); }

only=("$@")
known=" ruff pyrefly layers mypy biome vitest pytest consumers scale postgres pooler demo "
for name in ${only[@]+"${only[@]}"}; do
  [[ $known == *" $name "* ]] || { echo "There is no step $name; there are:$known" >&2; exit 2; }
done

step ruff ruff
step pyrefly .venv/bin/pyrefly check
step layers .venv/bin/lint-imports --no-logo
[ -n "${CI:-}" ] || wanted_mypy=0
if [ "${wanted_mypy:-1}" = 1 ] || [[ " ${only[*]-} " == *" mypy "* ]]; then step mypy .venv/bin/mypy --strict; fi
step biome biome
step vitest vitest
# two processes with a database server each, for tests wait for theirs; the tests of a file share what they started
step pytest .venv/bin/pytest -p no:cacheprovider -n 2 --dist loadfile --ignore tests/consumers
# in CI nobody would read that they were skipped
[ -z "${CI:-}" ] || export CUPOLA_CONSUMERS="$PWD/.make/consumers/bin/python"
step consumers .venv/bin/pytest -p no:cacheprovider -rs tests/consumers
# what the public client asks of a server, in its own words
scale() { CUPOLA_SCALE_SUITE=$(tools/scale_suite.sh) .venv/bin/pytest -p no:cacheprovider tests/scale/test_own_suite.py; }
step scale scale
# may_execute_it asks for plans in a way that Postgres has had since 16; the plans of pages are looked at in ours, and made
# crowds come to the same on each
step postgres tools/on_another_postgres.sh tests/contracts tests/tasks tests/ledger tests/quality_service \
  --ignore tests/quality_service/test_pairs.py --ignore tests/quality_service/test_settling.py \
  --ignore tests/quality_service/test_pace.py -k "not may_execute_it and not reads_no_more_than_a_page"
step pooler tools/through_a_pooler.sh tests/tasks tests/ledger tests/platform/test_pooler.py
step demo .venv/bin/python tools/demo_and_browser.py

printf '\n== Closing lines\n'
failed=0
for i in "${!names[@]}"; do
  printf -- '-- %s %s\n' "${names[$i]}" "${states[$i]}"
  if [[ ${states[$i]} == FAILED* ]]; then # which tests these were, said once more where a long log was cut
    grep -E '^[[:space:]]*(FAIL|FAILED|ERROR|×|AssertionError|TimeoutError|Error:|❯ [a-z0-9_/]+\.test\.ts:)' "$logs/${names[$i]}" | head -30
    failed=1
  fi
  grep -v '^[[:space:]]*$' "$logs/${names[$i]}" | tail -4
done
exit $failed
