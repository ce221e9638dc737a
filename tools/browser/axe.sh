#!/usr/bin/env bash
# Fetches axe-core, which the browser test runs in the exporter's pages, into .tools: a pinned version, by npm.
set -euo pipefail
cd "$(dirname "$0")/../.."

version=4.10.3
sha512=5e6edba515e70d25f6604d9815f064d859c5d1ea7ab661bbc4f87c88779ef0c21cae0abbeb636471ef39e9d62d2582e4b88a1866f19f4ecfcf6d986275e4dc12
to=.tools/axe-core-$version.min.js
[ ! -e "$to" ] || exit 0
command -v npm >/dev/null || { echo "npm is not installed: apt-get install npm" >&2; exit 1; }
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
archive=axe-core-$version.tgz
(cd "$directory" && npm pack --silent "axe-core@$version" >/dev/null) ||
  { echo "npm could not fetch axe-core@$version: is the registry reachable?" >&2; exit 1; }
echo "$sha512  $directory/$archive" | sha512sum --check --status ||
  { echo "$archive is not what is pinned: its SHA-512 is $(sha512sum <"$directory/$archive" | cut -d' ' -f1)" >&2; exit 1; }
tar -xzf "$directory/$archive" -C "$directory" package/axe.min.js
mkdir -p .tools
mv "$directory/package/axe.min.js" "$to"
