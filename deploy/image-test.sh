#!/usr/bin/env bash
# Builds the Dockerfile with buildah for three platforms, and runs what comes of it for this one as uid 65532 on a read-only root. There is no
# registry: the build image is put together from this host's Go and CA certificates. Needs root, buildah, a static busybox and, for the target
# capture, setcap.
set -euo pipefail
cd "$(dirname "$0")/.."
export STORAGE_DRIVER=vfs BUILDAH_ISOLATION=chroot
work=$(mktemp -d)
cat >"$work/storage.conf" <<CONF
[storage]
driver = "vfs"
graphroot = "$work/graph"
runroot = "$work/run"
CONF
export CONTAINERS_STORAGE_CONF="$work/storage.conf"
cleanup() {
  [ -z "${server:-}" ] || kill "$server" 2>/dev/null || true
  [ -z "${container:-}" ] || buildah umount "$container" >/dev/null || true
  rm -rf "$work"
}
trap cleanup EXIT

# base NAME COMMAND...: an image from scratch, which the commands fill under $root.
base() {
  local name=$1 id root
  shift
  id=$(buildah from scratch)
  root=$(buildah mount "$id")
  mkdir -p "$root"/etc/ssl/certs "$root"/tmp
  chmod 1777 "$root"/tmp
  cp /etc/ssl/certs/ca-certificates.crt "$root"/etc/ssl/certs/
  "$@" "$root"
  buildah config --env PATH=/usr/local/go/bin:/bin --env GOPROXY=off --env GOFLAGS=-mod=mod --env HOME=/root "$id"
  buildah umount "$id" >/dev/null
  buildah commit --quiet --rm "$id" "localhost/$name" >/dev/null
}
with_go() {
  mkdir -p "$1"/bin "$1"/usr/local/go "$1"/root
  cp /bin/busybox "$1"/bin/busybox
  ln -s busybox "$1"/bin/sh
  local setcap
  setcap=$(command -v setcap) || return 0
  cp "$setcap" "$1"/bin/setcap
  ldd "$setcap" | grep -o '/[^ ]*' | while read -r library; do cp --parents -L "$library" "$1"; done
}
revision=6103f80cb1c2d3e4f5a6b7c8d9e0f1a2b3c4d5e6 version=$(cat VERSION)
# build OPTIONS TAG: the format of Docker, as that of OCI has no HEALTHCHECK.
build() {
  buildah bud --quiet --pull-never --format docker --build-arg BUILD_IMAGE=localhost/build --build-arg VERSION="$version" \
    --build-arg REVISION=$revision --build-arg DATE=2026-11-22T05:06:52Z --build-arg BUILDPLATFORM=linux/amd64 \
    --volume "$(go env GOROOT):/usr/local/go:ro" --volume "$(go env GOMODCACHE):/root/go/pkg/mod:ro" --volume "$(go env GOCACHE):/root/.cache/go-build" $1 --tag "localhost/$2" . >/dev/null
}
# expect WHAT GOT WANT
expect() { [ "$2" = "$3" ] || { echo "$1: $2, want $3"; exit 1; }; }
base build with_go

go mod download
# The other platforms cannot be started here: their program is for them, and the image says so.
for platform in arm64::aarch64 arm:v7:ARM; do
  IFS=: read -r architecture variant machine <<<"$platform"
  build "--platform linux/$architecture${variant:+/$variant}" "errno_exporter:$architecture"
  expect "the image's platform" "$(buildah inspect --type image --format '{{.OCIv1.Architecture}}:{{.Docker.Variant}}' "localhost/errno_exporter:$architecture")" "$architecture:$variant"
  container=$(buildah from --pull-never "localhost/errno_exporter:$architecture" 2>/dev/null)
  root=$(buildah mount "$container")
  readelf -h "$root/errno_exporter" | grep -qi "machine:.*$machine" || { readelf -h "$root/errno_exporter"; exit 1; }
  buildah rm "$container" >/dev/null
  container=
done
build "" errno_exporter

container=$(buildah from --pull-never localhost/errno_exporter)
root=$(buildah mount "$container")
mib=$(($(du -sk "$root" | cut -f1) / 1024)) pulled=$(($(tar -C "$root" -cf - . | gzip -1 | wc -c) >> 20))
echo "image: $mib MiB, $pulled MiB to pull"
[ "$mib" -lt 30 ] && [ "$pulled" -lt 25 ] || { echo "want less than 30, and 25 to pull"; exit 1; }
expect "files" "$(cd "$root" && find . -type f | sort | xargs)" "./errno_exporter ./etc/errno_exporter/exporter.yml ./etc/ssl/certs/ca-certificates.crt"

expect "the owner of /var/lib/errno_exporter" "$(stat -c %u:%g "$root/var/lib/errno_exporter")" 65532:65532

entrypoint=$(buildah inspect --type image --format '{{index .OCIv1.Config.Entrypoint 0}}' localhost/errno_exporter)
user=$(buildah inspect --type image --format '{{.OCIv1.Config.User}}' localhost/errno_exporter)
expect "user" "$user" 65532:65532
label() { buildah inspect --type image --format "{{index .OCIv1.Config.Labels \"org.opencontainers.image.$1\"}}" localhost/errno_exporter; }
expect "label version" "$(label version)" "$version"
expect "label revision" "$(label revision)" "$revision"
chroot "$root" "$entrypoint" --version | grep -F "version $version" | grep -F "revision: $revision"
unshare --mount sh -c "mount --bind '$root' '$root' && mount -o remount,ro,bind '$root' && exec chroot --userspec=$user '$root' $entrypoint \
  --config.file=/etc/errno_exporter/exporter.yml --web.listen-address=127.0.0.1:0" 2>"$work/log" &
server=$!
for _ in $(seq 100); do grep -q 'Listening on' "$work/log" && break; sleep 0.1; done
address=$(sed -n 's/.*msg="Listening on" address=\([^ ]*\).*/\1/p' "$work/log" | head -1)
[ -n "$address" ] || { cat "$work/log"; exit 1; }
pid=$(pgrep -P "$server" -x errno_exporter || echo "$server")
[ "$(awk '/^Uid:/ {print $2}' "/proc/$pid/status")" = 65532 ] || { echo "it does not run as uid 65532"; exit 1; }
awk '$5 == "/" && $6 ~ /^ro/ {found = 1} END {exit !found}' "/proc/$pid/mountinfo" || { echo "its root is not read-only"; exit 1; }
curl -fsS "http://$address/-/ready"
# The health check as the image has it: port 10104 is another's here, the exporter's own is good.
check=$(buildah inspect --type image --format '{{.Docker.Config.Healthcheck.Test}}' localhost/errno_exporter)
expect "health check" "$check" "[CMD $entrypoint healthy]"
chroot --userspec="$user" "$root" $entrypoint healthy --web.listen-address="$address"
curl -fsS "http://$address/probe?target=http://$address/-/healthy" | grep -x 'probe_success 1'
kill -TERM "$pid"
wait "$server"
server=
buildah umount "$container" >/dev/null

if ! command -v setcap >/dev/null; then
  echo "the image is good; skipped: the target capture needs setcap (libcap2-bin)"
  exit
fi
build "--target capture" errno_exporter:capture
container=$(buildah from --pull-never localhost/errno_exporter:capture)
root=$(buildah mount "$container")
expect "capture: user" "$(buildah inspect --type image --format '{{.OCIv1.Config.User}}' localhost/errno_exporter:capture)" "$user"
# captures PRIVILEGES WANT: what the log of a probe in the image says, as the image's user.
captures() {
  # shellcheck disable=SC2086 # several options
  setpriv $1 -- chroot --userspec="$user" "$root" "$entrypoint" probe --log.level=debug http://127.0.0.1:1/ >"$work/log" 2>&1 || true
  grep -q -- "$2" "$work/log" || { echo "with $1, want: $2"; cat "$work/log"; exit 1; }
}
captures "" "permitted by the file's capability"
captures "--no-new-privs" "no_new_privs is set"
captures "--bounding-set=-net_raw" "CAP_NET_RAW is missing"
echo "the image is good"
