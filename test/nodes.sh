#!/usr/bin/env bash
# Runs the tests under the other Node versions that a box may carry.
# The Node binaries come from the package registry, once, into the cache.
#   test/nodes.sh [VERSION...]             all tests; default: 22.23.3 24.21.0
#   test/nodes.sh --prepare [VERSION...]   only fetches and builds, and prints per version: VERSION BINARY FOLDER;
#                                          FOLDER has what the compiler wrote, and the addons that npm compiles for
#                                          the one Node that it runs under, compiled for this one
set -euo pipefail
cd "$(dirname "$0")/.."
cache=${ROADCASE_CACHE:-$HOME/.cache/roadcase-nodes}
fetch_seconds_max=240 compile_seconds_max=240
case $(uname -m) in
  x86_64) machine=x64 ;;
  aarch64) machine=arm64 ;;
  *) echo "nodes: no Node package for $(uname -m)" >&2; exit 1 ;;
esac
only_prepare=''
[ "${1:-}" != --prepare ] || { only_prepare=yes; shift; }
[ $# -gt 0 ] || set -- 22.23.3 24.21.0

# Everything is made beside its place and moved there whole: two runs at once, or one that is cut off, leave no halves.
place() { mv -T "$1" "$2" 2>/dev/null || { rm -rf "$1"; [ -d "$2" ]; }; }

fetch() {
  local version=$1 folder=$cache/$1 new
  [ ! -x "$folder/bin/node" ] || return 0
  rm -rf "$folder"
  mkdir -p "$cache"
  new=$(mktemp -d "$cache/new.XXXXXX")
  (cd "$new" && timeout $fetch_seconds_max npm pack --silent --fetch-retries=1 "node-linux-$machine@$version" >/dev/null &&
    tar xzf ./*.tgz --strip-components=1 && rm ./*.tgz) || { rm -rf "$new"; return 1; }
  place "$new" "$folder"
}

# epoll (which onoff needs) and i2c-bus use V8 itself, not Node-API: each is compiled for one version of Node.
addons='epoll i2c-bus'
compile() {
  local version=$1 folder=$cache/$1 key new package
  key=$(for package in $addons nan; do sed -n 's/^ *"version": *"\(.*\)".*/\1/p' "node_modules/$package/package.json"; done)
  addons_of=$folder/addons-${key//$'\n'/-}
  [ ! -d "$addons_of" ] || return 0
  new=$(mktemp -d "$cache/new.XXXXXX")
  mkdir "$new/node_modules"
  for package in $addons nan bindings file-uri-to-path; do cp -r "node_modules/$package" "$new/node_modules/"; done
  for package in $addons; do
    rm -rf "$new/node_modules/$package/build"
    (cd "$new/node_modules/$package" && PATH=$folder/bin:$PATH npm_config_nodedir=$folder \
      timeout $compile_seconds_max npm run --silent install) >"$new/log" 2>&1 || { tail -n 20 "$new/log" >&2; rm -rf "$new"; return 1; }
  done
  place "$new/node_modules" "$addons_of"
  rm -rf "$new"
}

# A second copy of the compiled tree, by hard links, below the first one's node_modules and above its own.
copy() {
  local version=$1 folder=dist/node-$1 package room
  rm -rf "$folder"
  mkdir -p "$folder/node_modules"
  for room in dist/*/; do
    case $room in dist/node-*) ;; *) cp -rl "$room" "$folder/" ;; esac
  done
  cp -r node_modules/onoff "$folder/node_modules/"
  for package in $addons; do cp -r "$addons_of/$package" "$folder/node_modules/"; done
}

if [ -n "$only_prepare" ]; then
  for version in "$@"; do
    fetch "$version" || { echo "nodes: Node $version cannot be fetched" >&2; exit 1; }
    compile "$version" || { echo "nodes: $addons cannot be compiled for Node $version" >&2; exit 1; }
    copy "$version"
    echo "$version $cache/$version/bin/node dist/node-$version"
  done
  exit 0
fi

# The lab, the peers and the tree do not depend on the version of Node, and onoff is compiled for one version only:
# what of them does, test/nodes.test.ts runs.
mapfile -t files < <(find test -name '*.test.ts' -not -path '*/lab/*' -not -path '*/peers/*' \
  -not -name tidy.test.ts -not -name flash.test.ts -not -name gpio-sysfs.test.ts -not -name nodes.test.ts | sort)
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
