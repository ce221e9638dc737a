#!/bin/sh
# Draws the pictures in docs/pictures: a night of incidents in a Prometheus, with what the recording rules make of it.
#
#	npm install && sh night.sh
#
# Needs promtool and prometheus (make tools, or in PATH), node and chromium.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
tools=$here/../../.tools
[ -x "$tools/prometheus-3" ] && prometheus=$tools/prometheus-3 promtool=$tools/promtool-3 || prometheus=prometheus promtool=promtool
work=$(mktemp -d)
address=127.0.0.1:19190
pid=
stop() { [ -z "$pid" ] || { kill "$pid"; wait "$pid" || true; }; pid=; }
trap 'stop; rm -rf "$work"' EXIT

start() {
	"$prometheus" --config.file="$work/prometheus.yml" --storage.tsdb.path="$work/data" --storage.tsdb.retention.time=1y \
		--web.listen-address="$address" --log.level=error &
	pid=$!
	until curl -sf "http://$address/-/ready" >"$work/ready"; do kill -0 "$pid"; done
}

printf 'global: {}\n' >"$work/prometheus.yml"
# The words and what is recorded every 15 s, here once a minute as the samples; not the longer windows.
sed -e '/name: errno_recording_1m/,$d' -e 's/interval: 15s/interval: 1m/' "$here/../../monitoring/recording.yml" >"$work/rules.yml"
node "$here/night.mjs" "$work/night.om"
"$promtool" tsdb create-blocks-from openmetrics "$work/night.om" "$work/data" >"$work/log"
begin=$(($(date +%s) - 8 * 3600))
# A rule reads what the rules before it recorded only in the second round.
for round in 1 2; do
	start
	"$promtool" tsdb create-blocks-from rules --start "$begin" --end "$(date +%s)" --eval-interval 60s --url "http://$address" \
		--output-dir "$work/data" "$work/rules.yml" >"$work/log" 2>&1
	stop
done
start
cd "$here" && node render.mjs "http://$address" "${1:-480}" "${2:-payments}" "${3:-dark}" "${4:-$here/../../docs/pictures}"
