#!/usr/bin/env bash
# All tests: setup, types, lint, dead code, then everything under test/. The last line is "N passed, N failed".
# With CI set, nothing may be skipped: a skipped test counts as a failed one.
set -uo pipefail
cd "$(dirname "$0")/.."
export PATH="$PATH:/usr/sbin:/sbin"

step() {
  local name=$1 started=$SECONDS
  shift
  if ! "$@"; then
    echo "gate: $name failed" >&2
    echo "0 passed, 1 failed"
    exit 1
  fi
  echo "gate: $name ok ($((SECONDS - started)) s)" >&2
}

step setup bash test/setup.sh
# Compiling keeps one core busy, looking at the sources the other.
(step lint npm run --silent lint && step 'dead code' npm run --silent knip) &
looking=$!
trap 'wait "$looking"' EXIT
step build npm run --silent build
if ! wait "$looking"; then
  echo "0 passed, 1 failed"
  exit 1
fi
trap - EXIT
[ "${1:-}" != --static ] || exit 0

results=dist/test-results.tap
mkdir -p dist
node dist/test/suite.js "$@" > "$results"
status=$?
grep -E '^ *not ok|^# Subtest.*# SKIP|# SKIP' "$results" | grep -vE '# TODO' | head -n 100
# A failed test keeps its diagnosis: the lines around it are in the file.
count() { sed -n "s/^# {.*$1: \([0-9]*\).*/\1/p" "$results" | tail -n 1; }
passed=$(count pass) failed=$(count fail) skipped=$(count skip)
passed=${passed:-0} failed=${failed:-0} skipped=${skipped:-0}
if [ -n "${CI:-}" ] && [ "$skipped" -gt 0 ]; then
  echo "gate: $skipped skipped; with CI set nothing may be" >&2
  failed=$((failed + skipped))
fi
[ "$status" = 0 ] || [ "$failed" -gt 0 ] || failed=1
if [ "$passed" = 0 ] && [ "$failed" = 0 ]; then
  echo "gate: no test told anything" >&2
  failed=1
fi
if [ "$failed" -gt 0 ]; then
  awk '/^ *not ok/ { shown = 40 } shown > 0 { print; shown-- }' "$results" | head -n 400 >&2
fi
[ "$skipped" = 0 ] || echo "gate: $skipped skipped, named above" >&2
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
