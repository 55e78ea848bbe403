#!/usr/bin/env bash
# Runs the compiled tests under the other Node versions a box may carry, each test file as a plain program.
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

failed=0 passed=0
for version in "$@"; do
  fetch "$version"
  node=$cache/$version/bin/node
  while IFS= read -r file; do
    if output=$(timeout 120 "$node" "$file" 2>&1); then
      passed=$((passed + 1))
    else
      failed=$((failed + 1))
      printf 'not ok: %s under Node %s\n%s\n' "$file" "$version" "$(tail -n 60 <<<"$output")" >&2
    fi
  done < <(find dist/test -name '*.test.js' -not -path '*/lab/*' -not -path '*/peers/*' -not -name 'tidy.test.js' | sort)
done
echo "nodes: $passed files passed, $failed failed under Node $*" >&2
[ "$failed" = 0 ]
