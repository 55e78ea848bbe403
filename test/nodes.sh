#!/usr/bin/env bash
# Runs the tests under the other Node versions that a box may carry.
# The Node binaries come from the package registry, once, into the cache.
#   test/nodes.sh [VERSION...]      default: 22.23.3 24.21.0
set -euo pipefail
cd "$(dirname "$0")/.."
cache=${ROADCASE_CACHE:-$HOME/.cache/roadcase-nodes}
case $(uname -m) in
  x86_64) machine=x64 ;;
  aarch64) machine=arm64 ;;
  *) echo "nodes: no Node package for $(uname -m)" >&2; exit 1 ;;
esac
[ $# -gt 0 ] || set -- 22.23.3 24.21.0

fetch() {
  local version=$1 folder=$cache/$1
  [ -x "$folder/bin/node" ] && return
  mkdir -p "$folder"
  (cd "$folder" && npm pack --silent "node-linux-$machine@$version" >/dev/null &&
    tar xzf ./*.tgz --strip-components=1 && rm ./*.tgz)
}

# The lab and the peers do not depend on the version of Node; onoff is built for one version only, by npm.
mapfile -t files < <(find test -name '*.test.ts' -not -path '*/lab/*' -not -path '*/peers/*' \
  -not -name tidy.test.ts -not -name flash.test.ts -not -name gpio-sysfs.test.ts | sort)
failed=0
for version in "$@"; do
  fetch "$version"
  results=dist/test-results-node-$version.tap
  echo "nodes: Node $version, ${#files[@]} files" >&2
  if PATH=$cache/$version/bin:$PATH npx tap run --reporter=tap "${files[@]}" >"$results" 2>/dev/null; then
    echo "nodes: Node $version ok, $(sed -n 's/^# { total.*pass: \([0-9]*\).*/\1/p' "$results" | tail -n 1) passed" >&2
  else
    failed=1
    grep -E '^ *not ok' "$results" | head -n 40 >&2
    echo "nodes: Node $version failed; all of it is in $results" >&2
  fi
done
[ "$failed" = 0 ]
