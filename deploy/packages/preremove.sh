#!/bin/sh
# dpkg calls it with "remove" or "upgrade", rpm with the number of versions that are left.
set -e
case "$1" in
remove | 0)
  if [ -d /run/systemd/system ]; then
    systemctl --no-reload disable --now errno_exporter.socket errno_exporter.service
  fi
  ;;
esac
