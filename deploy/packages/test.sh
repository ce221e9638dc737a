#!/usr/bin/env bash
# Installs what `make release` has left in dist/ where users are: the tarball, the deb in a Debian of its own, the rpm by rpm's own tools, and
# `go install`. Then it builds again in another directory, signed by a key made for it, and compares the files. Needs root, mmdebstrap, rpm, gpg.
set -euo pipefail
cd "$(dirname "$0")/../.."
version=$(cat VERSION) dist=$PWD/dist readme=$PWD/README.md work=$(mktemp -d)
cleanup() {
  [ -z "${server:-}" ] || kill "$server" 2>/dev/null || true
  [ ! -d "$work/gnupg" ] || GNUPGHOME=$work/gnupg gpgconf --kill all
  chmod -R u+w "$work"
  rm -rf "$work"
}
trap cleanup EXIT
fail() { echo "$*" >&2; exit 1; }
# expect WHAT GOT WANT
expect() { [ "$2" = "$3" ] || { echo "$1:"; diff <(echo "$3") <(echo "$2"); exit 1; }; }
# line BEGINNING: the README's command that begins so, which is run here as it is written; root needs no sudo.
line() {
  local command
  command=$(grep -m 1 "^$1" "$readme") || fail "the README has no line that begins with $1"
  command=${command#sudo }
  echo "${command%%#*}"
}
# names_failure COMMAND...: the exporter starts, is healthy, and names a failure.
names_failure() {
  local address
  "$@" --web.listen-address=127.0.0.1:0 2>"$work/log" &
  server=$!
  for _ in $(seq 300); do grep -q 'Listening on' "$work/log" && break; sleep 0.1; done
  address=$(sed -n 's/.*msg="Listening on" address=\([^ ]*\).*/\1/p' "$work/log" | head -1)
  [ -n "$address" ] || { cat "$work/log"; exit 1; }
  "${program[@]}" healthy --web.listen-address="$address"
  curl -fsS "http://$address/probe?target=127.0.0.1:1" | grep '^probe_failure_info{errno="ECONNREFUSED",origin="peer",phase="connect"'
  kill "$server"
  wait "$server"
  server=
}
# says_version WHAT COMMAND...
says_version() {
  local what=$1
  shift
  "$@" --version | grep -qE "^errno_exporter, version ${version//./\\.}[+ ]" || { "$@" --version; fail "$what: want version $version"; }
}

echo "checksums and bills of materials"
(cd "$dist" && sha256sum --quiet --check "errno_exporter_${version}_checksums.txt")
for bill in "$dist"/*.cdx.json; do
  python3 -c 'import json, sys; b = json.load(open(sys.argv[1])); assert b["bomFormat"] == "CycloneDX" and b["metadata"]["component"]["version"] == sys.argv[2] and len(b["components"]) > 10' "$bill" "$version"
done

echo "the tarball"
ln -s "$dist" "$work/dist"
(cd "$work" && bash -c "$(line 'tar -xzf ')")
top=$work/errno_exporter_${version}_linux_amd64
expect "its files" "$(cd "$top" && find . -type f | LC_ALL=C sort)" "./CHANGELOG.md
./LICENSE
./README.md
./documents/_errno_exporter
./documents/errno_exporter.1.gz
./documents/errno_exporter.bash
./documents/errno_exporter.fish
./errno_exporter
./exporter.yml
./systemd/application-network.conf
./systemd/errno_exporter.service
./systemd/errno_exporter.socket
./systemd/reset-capture.conf"
program=("$top/errno_exporter")
"${program[@]}" --version | grep -qF "revision: $(make -s revision))" || fail "dist/ is another commit's: make release"
size=$(stat -c %s "${program[0]}")
echo "the program: $((size >> 10)) KiB"
[ "$size" -lt $((30 << 20)) ] || fail "want less than 30 MiB"
says_version "the tarball" "${program[@]}"
zcat "$top/documents/errno_exporter.1.gz" | grep -qF "\"errno_exporter $("${program[@]}" --version | sed -n 's/^errno_exporter, version \([^ ]*\).*/\1/p')\"" || fail "the man page is another version's"
(cd "$top" && names_failure ./errno_exporter)

echo "go install"
GOBIN=$work/bin bash -c "$(line 'go install ')"
says_version "go install" "$work/bin/errno_exporter"

echo "the deb"
deb=$(ls "$dist"/errno-exporter_*_amd64.deb)
expect "its version" "$(dpkg-deb --field "$deb" Version)" "${version/-/\~}"
root=$work/debian
mmdebstrap --quiet --variant=essential --include=systemd,procps bookworm "$root"
mkdir "$root/dist" && cp "$deb" "$root/dist/"
in_root() { DEBIAN_FRONTEND=noninteractive chroot "$root" "$@"; }
in_root sh -c "$(line 'sudo dpkg --install ')"
rm -r "$root/dist"
program=(in_root errno_exporter)
says_version "the deb" "${program[@]}"
in_root getent passwd errno_exporter >/dev/null || fail "there is no user errno_exporter"
in_root errno_exporter check-config /etc/errno_exporter/exporter.yml >/dev/null
in_root systemd-analyze verify errno_exporter.service errno_exporter.socket
in_root systemd-analyze security --offline=true --threshold=20 errno_exporter.service | tail -1
# As systemd starts it, but for the port and the state directory, which it makes.
in_root install -d -o errno_exporter -m 0700 /var/lib/errno_exporter
command=$(sed -n 's/^ExecStart=\(.*\) --web.systemd-socket\(.*\) \$ARGS$/\1\2/; s|%S|/var/lib|p' "$root/usr/lib/systemd/system/errno_exporter.service")
# shellcheck disable=SC2086 # several words
names_failure chroot --userspec=errno_exporter:errno_exporter "$root" $command
echo "the deb, upgraded, removed and purged"
dpkg-deb --raw-extract "$deb" "$work/next"
sed -i 's/^Version: .*/Version: 99.0.0/' "$work/next/DEBIAN/control"
echo "# another default" | tee -a "$work/next/etc/errno_exporter/exporter.yml" >>"$work/next/etc/default/errno_exporter"
(cd "$work/next" && find . -path ./DEBIAN -prune -o -type f -printf '%P\0' | xargs -0 md5sum >DEBIAN/md5sums)
dpkg-deb -Zgzip -z1 --root-owner-group --build "$work/next" "$root/2.deb" >/dev/null
echo "# mine" >>"$root/etc/errno_exporter/exporter.yml"
in_root dpkg --force-confold --install /2.deb
expect "the changed file" "$(tail -1 "$root/etc/errno_exporter/exporter.yml")" "# mine"
expect "the unchanged file" "$(tail -1 "$root/etc/default/errno_exporter")" "# another default"
in_root dpkg --remove errno-exporter
expect "after its removal" "$(cd "$root" && find . -xdev -name '*errno[_-]exporter*' -not -path './proc/*' -not -path './var/lib/dpkg/*' | LC_ALL=C sort)" "./etc/default/errno_exporter
./etc/errno_exporter
./var/lib/errno_exporter
./var/lib/errno_exporter/errno_exporter.db"
in_root dpkg --purge errno-exporter
expect "after its purge" "$(cd "$root" && find . -xdev -name '*errno[_-]exporter*' -not -path './proc/*' -not -path './var/lib/dpkg/*')" ""

echo "the rpm"
rpm=$(ls "$dist"/errno-exporter-*.x86_64.rpm)
# Where Debian's rpm cannot check a package's signature there is none: its checksums it can.
expect "its facts" "$(rpm --query --package --queryformat '%{NAME} %{VERSION} %{ARCH} %{LICENSE}\n' "$rpm")" "errno-exporter ${version/-/\~} x86_64 Apache-2.0"
rpm --checksig "$rpm"
expect "its configuration" "$(rpm --query --package --configfiles "$rpm")" "/etc/default/errno_exporter
/etc/errno_exporter/exporter.yml"
expect "its files" "$(rpm --query --package --list "$rpm" | grep -v licenses | sed 's|site-functions|vendor-completions|' | LC_ALL=C sort)" \
  "$(dpkg-deb --fsys-tarfile "$deb" | tar -t | grep -v '/$' | sed 's|^\.||' | grep -v '/copyright$' | LC_ALL=C sort)"
# There is no root directory of a Fedora here: what the line's package needs and runs is left out.
(cd "$work" && bash -c "$(line 'sudo rpm --install ' | sed "s|--install|& --root $work/fedora --nodeps --noscripts --ignorearch|")")
says_version "the rpm" "$work/fedora/usr/bin/errno_exporter"

echo "again, in another directory, signed"
rm -rf "$root" "$work/next" "$work/fedora"
git clone --quiet . "$work/clone"
git ls-files -z --cached --others --exclude-standard | xargs -0 tar -cf - | tar -xf - -C "$work/clone"
mkdir "$work/clone/.tools" && cp .tools/goreleaser "$work/clone/.tools/"
export GNUPGHOME=$work/gnupg
mkdir -m 700 "$GNUPGHOME"
gpg --batch --quiet --passphrase '' --quick-generate-key release@example.com ed25519 sign never
make -s -C "$work/clone" release PLATFORMS=linux/amd64 REVISION="$(make -s revision)" GPG_KEY=release@example.com >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
same=0
for file in "$work"/clone/dist/*.{tar.gz,deb,rpm,cdx.json}; do
  cmp "$file" "$dist/${file##*/}"
  same=$((same + 1))
done
expect "files compared" "$same" 4
gpg --quiet --verify "$work"/clone/dist/*_checksums.txt.asc
echo "the release is good"
