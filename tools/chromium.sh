#!/usr/bin/env bash
# Make sure that there is a Chromium for the browser tests: the machine's own, else Debian's through apt.
set -euo pipefail
for name in ${CUPOLA_CHROMIUM:-} chromium chromium-browser google-chrome; do
  command -v "$name" >/dev/null 2>&1 && exit 0
done
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "Installing Chromium for the browser tests"
  export DEBIAN_FRONTEND=noninteractive
  log=$(mktemp)
  if { apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium fonts-wqy-zenhei; } >"$log" 2>&1; then
    rm -f "$log"
    exit 0
  fi
  tail -20 "$log" >&2
  rm -f "$log"
fi
cat >&2 <<'END'
The browser tests need Chromium, which is not installed and which only root can install here.
Ask for:   sudo apt-get install chromium fonts-wqy-zenhei
Or name one that you have:   make test CUPOLA_CHROMIUM=/path/to/chromium
END
exit 1
