#!/usr/bin/env bash
# Runs the benchmarks named (all without a name), one after the other, each printing its table.
#   npm run bench [NAME...]      e.g. npm run bench cue-path start-up
set -euo pipefail
cd "$(dirname "$0")/../.."
[ $# -gt 0 ] || set -- $(cd test/bench && ls -- *.bench.ts | sed 's/\.bench\.ts$//')
printf 'machine: %s, %s cores, Node %s, load %s\n\n' \
  "$(uname -srm)" "$(nproc)" "$(node -v)" "$(cut -d' ' -f1-3 /proc/loadavg)"
for name in "$@"; do
  echo "## $name"
  node --expose-gc "dist/test/bench/$name.bench.js"
  echo
done
