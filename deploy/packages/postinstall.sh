#!/bin/sh
# dpkg calls it with "configure" and the version before, rpm with the number of versions. The service is not started: exporter.yml names no
# API yet. An upgrade restarts it if it runs.
set -e
case "$1" in
configure | [0-9]*) ;;
*) exit 0 ;;
esac
if command -v systemd-sysusers >/dev/null; then
  systemd-sysusers errno_exporter.conf
elif ! getent passwd errno_exporter >/dev/null; then
  useradd --system --user-group --home-dir /var/lib/errno_exporter --no-create-home --shell /usr/sbin/nologin errno_exporter
fi
if [ -d /run/systemd/system ]; then
  systemctl daemon-reload
  systemctl try-restart errno_exporter.service
fi
